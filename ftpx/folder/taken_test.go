package folder

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestTakeOfAnotherFile: what was moved away is looked at once more. A file that came into the
// place of the one that was copied, between the last look and the move, goes back.
func TestTakeOfAnotherFile(t *testing.T) {
	dir := t.TempDir()
	l := &local{dir: dir}
	name, archive := filepath.Join(dir, "f"), filepath.Join(dir, "old")
	put := func(content string) {
		t.Helper()
		if err := os.WriteFile(name+".tmp", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(name+".tmp", name); err != nil {
			t.Fatal(err)
		}
	}
	put("copied")
	seen, err := l.takeSnapshot(t.Context(), "f", false)
	if err != nil {
		t.Fatal(err)
	}
	put("writ10")
	if _, err := l.take(t.Context(), "f", archive, &seen); !errors.Is(err, errChanged) {
		t.Errorf("another file was taken: %v", err)
	}
	if b, err := os.ReadFile(name); err != nil || string(b) != "writ10" {
		t.Errorf("it is not where it was: %q, %v", b, err)
	}
	if seen, err = l.takeSnapshot(t.Context(), "f", false); err != nil {
		t.Fatal(err)
	}
	to, err := l.take(t.Context(), "f", archive, &seen)
	if b, rerr := os.ReadFile(filepath.Join(archive, "f")); err != nil || rerr != nil || to != filepath.Join(archive, "f") || string(b) != "writ10" {
		t.Errorf("%q: %q, %v, %v", to, b, err, rerr)
	}
}

// TestYoung: an unfinished transfer is old when its time says so. One of which no time is told
// may be under way.
func TestYoung(t *testing.T) {
	now := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	j := &job{now: now, o: Options{PartialAge: time.Hour}}
	for _, tt := range []struct {
		age          time.Duration
		timed, exact bool
		want         bool
	}{
		{want: true},
		{59 * time.Minute, true, true, true},
		{time.Hour, true, true, false},
		{24 * time.Hour, true, false, true},
		{25 * time.Hour, true, false, false},
	} {
		var e entry
		if tt.timed {
			e.setTime(now.Add(-tt.age), tt.exact)
		}
		if got := j.young(&e); got != tt.want {
			t.Errorf("%+v: young %v", tt, got)
		}
	}
}
