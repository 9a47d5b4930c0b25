package job

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestLock: one at a time has it; who has it is told; it is free when it is given up,
// whatever its file holds, and its file stays.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "a.lock")
	l, err := takeLock(path)
	if errors.Is(err, errNoLocks) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var held *HeldError
	if _, err := takeLock(path); !errors.As(err, &held) || held.holder.PID != os.Getpid() || held.holder.Since.IsZero() || !strings.Contains(err.Error(), "held by process") {
		t.Fatal(err)
	}
	l.release()
	if data, err := os.ReadFile(path); err != nil || len(data) > 0 {
		t.Errorf("%q, %v: the file is to stay, and to name nobody", data, err)
	}
	for _, old := range []string{"", "not JSON", `{"pid":1}`, strings.Repeat("x", 1<<17)} {
		if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
			t.Fatal(err)
		}
		if l, err = takeLock(path); err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(data), `{"pid":`) || len(data) > 1<<12 {
			t.Errorf("%d bytes, %v", len(data), err)
		}
		l.release()
	}
	(*lock)(nil).release()
}

// TestLockBusyWithoutName: the moment between a lock and its file's content.
func TestLockBusyWithoutName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.lock")
	l, err := takeLock(path)
	if errors.Is(err, errNoLocks) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer l.release()
	if err := l.f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if _, err := takeLock(path); err == nil || !strings.Contains(err.Error(), "has not said yet who it is") {
		t.Error(err)
	}
}

// TestLockRace: of many at once one has it at a time.
func TestLockRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.lock")
	var inside, got atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 50 {
				l, err := takeLock(path)
				if err != nil {
					continue
				}
				if inside.Add(1) != 1 {
					t.Error("two have it")
				}
				got.Add(1)
				inside.Add(-1)
				l.release()
			}
		})
	}
	all.Wait()
	if got.Load() == 0 {
		t.Error("nobody ever had it")
	}
}

// TestLockPlaces: a lock is not taken where a link leads, or where there is no folder.
func TestLockPlaces(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "precious")
	if err := os.WriteFile(precious, []byte("p"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := takeLock(filepath.Join(precious, "a.lock")); err == nil {
		t.Error("a lock below a file")
	}
	link := filepath.Join(dir, "b.lock")
	if err := os.Symlink(precious, link); err != nil {
		t.Skip(err)
	}
	l, err := takeLock(link)
	if err == nil && os.PathSeparator == '/' {
		t.Error("a link was followed")
	}
	l.release()
	if data, err := os.ReadFile(precious); os.PathSeparator == '/' && (err != nil || string(data) != "p") {
		t.Errorf("%q, %v", data, err)
	}
}
