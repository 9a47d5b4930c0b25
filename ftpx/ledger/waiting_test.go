package ledger_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
)

// TestLastEntryWhileCommitsGoOn: what was recorded last is found, whatever of the same
// file is being written at that moment.
func TestLastEntryWhileCommitsGoOn(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "l"), &ledger.Options{CommitEvery: time.Nanosecond})
	for i := int64(1); l.Commits() < 10; i++ {
		if err := l.Record(entry("j", "a", i)); err != nil {
			t.Fatal(err)
		}
		for range 50 { // long enough for a commit of the one before to end
			if e, found, err := l.Lookup("j", "a"); err != nil || !found || e.Source.Size != i {
				t.Fatalf("%d was recorded last, and found is %d, %v, %v", i, e.Source.Size, found, err)
			}
		}
	}
}

// TestCloseWritesWhatCameDuringACommit: what is recorded while a commit is under way is
// not in it, and is on disk when Close returns.
func TestCloseWritesWhatCameDuringACommit(t *testing.T) {
	for round := range 4 {
		path := filepath.Join(t.TempDir(), "l")
		l := open(t, path, &ledger.Options{CommitEvery: time.Nanosecond})
		files := 0
		record := func() {
			if err := l.Record(entry("j", fmt.Sprint(files), 1)); err != nil {
				t.Fatal(err)
			}
			files++
		}
		for l.Commits() == 0 { // what comes last of this is taken for the second commit
			record()
		}
		for range 200 {
			record()
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l = open(t, path, nil)
		for i := range files {
			if _, found, err := l.Lookup("j", fmt.Sprint(i)); !found || err != nil {
				t.Fatalf("round %d: %d of %d is not on disk: %v", round, i, files, err)
			}
		}
	}
}

// TestForgetWhatWaits: an entry that is not on disk yet is forgotten, and stays so.
func TestForgetWhatWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	l := open(t, path, &ledger.Options{CommitEvery: time.Hour})
	if err := l.Record(entry("j", "a", 1)); err != nil {
		t.Fatal(err)
	}
	if err := l.Forget("j", "a"); err != nil {
		t.Fatal(err)
	}
	if _, found, err := l.Lookup("j", "a"); found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, found, err := open(t, path, nil).Lookup("j", "a"); found || err != nil {
		t.Errorf("after opening anew: found %v, %v", found, err)
	}
}

// TestRecordWaitsForTheDisk where CommitEvery is negative: a copy of the file, as a kill
// would leave it, has the entry.
func TestRecordWaitsForTheDisk(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "l")
	l := open(t, path, &ledger.Options{CommitEvery: -1})
	for i := range 5 {
		if err := l.Record(entry("j", fmt.Sprint(i), 1)); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		left := filepath.Join(dir, fmt.Sprint("left", i))
		if err := os.WriteFile(left, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, found, err := open(t, left, nil).Lookup("j", fmt.Sprint(i)); !found || err != nil {
			t.Errorf("%d is not on disk: %v", i, err)
		}
	}
}
