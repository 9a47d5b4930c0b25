package watch_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/watch"
)

func local(dir string, o *watch.Options) func(context.Context) iter.Seq2[watch.Event, error] {
	return func(ctx context.Context) iter.Seq2[watch.Event, error] { return watch.Local(ctx, dir, o) }
}

// TestLocal: files that are there, that come by all ways, and that change, each version
// once, by the system's own notices: the folder is looked through only at the beginning.
func TestLocal(t *testing.T) {
	outer := t.TempDir()
	dir := filepath.Join(outer, "in")
	put(t, filepath.Join(dir, "there"), "1")
	put(t, filepath.Join(dir, "d/there"), "1")
	put(t, filepath.Join(dir, "old/skipped"), "1")
	o := quick(50 * time.Millisecond)
	if runtime.GOOS == "linux" {
		o.MaxInterval = time.Hour
	}
	o.Folder.Exclude = []string{"*.tmp"}
	o.Folder.After = folder.After{Source: folder.SourceMove, Archive: "old"}
	s := follow(t, local(dir, o))
	s.has("there", "d/there")
	put(t, filepath.Join(dir, "created"), "1")
	put(t, filepath.Join(dir, "new/deep/er"), "1") // in folders that are not watched yet
	put(t, filepath.Join(outer, "x"), "1")
	must(t, os.Rename(filepath.Join(outer, "x"), filepath.Join(dir, "renamed in")))
	put(t, filepath.Join(dir, "in.tmp"), "1")
	must(t, os.Rename(filepath.Join(dir, "in.tmp"), filepath.Join(dir, "renamed within")))
	put(t, filepath.Join(outer, "tree/a/b"), "1")
	must(t, os.Rename(filepath.Join(outer, "tree"), filepath.Join(dir, "tree")))
	s.has("created", "new/deep/er", "renamed in", "renamed within", "tree/a/b")
	s.once("there", "d/there", "created", "new/deep/er", "renamed in", "renamed within", "tree/a/b")
	put(t, filepath.Join(dir, "there"), "more")
	s.until("a second version", func(events map[string]int, _ []error) bool { return events["there"] == 2 })
	must(t, os.Remove(filepath.Join(dir, "created")))
	put(t, filepath.Join(dir, "created"), "again")
	s.until("one that comes again", func(events map[string]int, _ []error) bool { return events["created"] == 2 })
	s.stop()
	if len(s.errs) > 0 {
		t.Error(s.errs)
	}
}

// TestRenamedFolder: a folder that gets another name is watched under that.
func TestRenamedFolder(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a/b/x"), "1")
	o := quick(20 * time.Millisecond)
	o.MaxInterval = time.Hour // but for what is looked at because of the new name
	s := follow(t, local(dir, o))
	s.has("a/b/x")
	for i := range 5 {
		was, is := fmt.Sprint("a", i), fmt.Sprint("a", i+1)
		if i == 0 {
			was = "a"
		}
		must(t, os.Rename(filepath.Join(dir, was), filepath.Join(dir, is)))
		s.has(is + "/b/x")
		name := fmt.Sprint(is, "/b/y", i)
		put(t, filepath.Join(dir, filepath.FromSlash(name)), "1")
		s.has(name)
	}
}

// TestDeletedBeforeTaken: a file that goes while it is waited for is not yielded.
func TestDeletedBeforeTaken(t *testing.T) {
	dir := t.TempDir()
	s := follow(t, local(dir, quick(300*time.Millisecond)))
	put(t, filepath.Join(dir, "short"), "1")
	must(t, os.Remove(filepath.Join(dir, "short")))
	put(t, filepath.Join(dir, "d/short"), "1")
	must(t, os.RemoveAll(filepath.Join(dir, "d")))
	put(t, filepath.Join(dir, "long"), "1")
	s.has("long")
	s.once("long")
}

// TestFolderGoesAndComes: the watched folder is removed, and made anew with other files;
// it is moved away and another takes its place; and it is not there at the beginning.
func TestFolderGoesAndComes(t *testing.T) {
	outer := t.TempDir()
	dir := filepath.Join(outer, "in")
	o := quick(20 * time.Millisecond)
	s := follow(t, local(dir, o))
	gone := func(n int) {
		t.Helper()
		s.until("gone", func(_ map[string]int, errs []error) bool {
			have := 0
			for _, err := range errs {
				if errors.Is(err, watch.ErrGone) && errors.Is(err, fs.ErrNotExist) {
					have++
				}
			}
			return have >= n
		})
	}
	gone(1)
	put(t, filepath.Join(dir, "d/first"), "1")
	s.has("d/first")
	must(t, os.RemoveAll(dir))
	gone(2)
	put(t, filepath.Join(dir, "d/second"), "1")
	s.has("d/second")
	must(t, os.Rename(dir, filepath.Join(outer, "away")))
	gone(3)
	put(t, filepath.Join(outer, "away/d/elsewhere"), "1")
	put(t, filepath.Join(dir, "third"), "1")
	s.has("third")
	s.once("d/first", "d/second", "third")
}

// TestBurst: ten thousand files that come at once, in a few folders, are yielded once
// each, although more notices come than are held.
func TestBurst(t *testing.T) {
	const n = 10_000
	dir := t.TempDir()
	s := follow(t, local(dir, quick(100*time.Millisecond)))
	for i := range n {
		name := filepath.Join(dir, fmt.Sprintf("d%d/f%d", i%7, i))
		if i < 7 {
			must(t, os.Mkdir(filepath.Dir(name), 0o755))
		}
		must(t, os.WriteFile(name, []byte("x"), 0o644))
	}
	s.until("all", func(events map[string]int, _ []error) bool { return len(events) == n })
	s.stop()
	for p, times := range s.events {
		if times != 1 {
			t.Errorf("%q was yielded %d times", p, times)
		}
	}
	if len(s.errs) > 0 {
		t.Error(s.errs)
	}
}

func TestOptions(t *testing.T) {
	for words, o := range map[string]*watch.Options{
		"Delete and DryRun":  {Folder: folder.Options{Delete: true}},
		"use LinkSkip":       {Folder: folder.Options{Links: folder.LinkKeep + 1}},
		"Interval is -1s":    {Interval: -time.Second},
		"less than Interval": {Interval: time.Minute, MaxInterval: time.Second},
		"Attempts is -1":     {Attempts: -1},
		"Ready.Stable":       {Folder: folder.Options{Ready: folder.Ready{Stable: -1}}},
		"Options.Include":    {Folder: folder.Options{Include: []string{"["}}},
	} {
		n := 0
		for e, err := range watch.Local(t.Context(), t.TempDir(), o) {
			if n++; err == nil || !strings.Contains(err.Error(), words) {
				t.Errorf("%v %v, want %q", e, err, words)
			}
		}
		if n != 1 {
			t.Errorf("%q: %d errors", words, n)
		}
		if _, err := watch.Upload(t.Context(), nil, t.TempDir(), "in", o); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("Upload: %v, want %q", err, words)
		}
	}
}
