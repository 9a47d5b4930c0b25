package folder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// notReady returns the paths that were left for the next time.
func (s seen) notReady() (paths []string) {
	for _, i := range s.items {
		if i.NotReady {
			paths = append(paths, i.Path)
		}
	}
	return paths
}

// TestAFileBeingWrittenDuringTheJobIsNotTakenBeforeItIsWhole: a writer that appends to a
// file while jobs run one after the other never has a part of it at the other side; a
// file that rests is copied by the first job. When the writer is done, a job takes it.
func TestAFileBeingWrittenDuringTheJobIsNotTakenBeforeItIsWhole(t *testing.T) {
	t.Parallel()
	const stable = 400 * time.Millisecond
	for _, way := range ways {
		for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
			t.Run(fmt.Sprint(way.name, " ", p), func(t *testing.T) {
				t.Parallel()
				w := start(t, p)
				local := t.TempDir()
				src, dst := way.sides(w, local)
				write(t, src, map[string]string{"resting": content(1000), "d/growing": ""})
				text := []byte(content(3 << 20))
				chunk := len(text) / 60
				stop, ended := make(chan struct{}), make(chan error, 1)
				go func() {
					f, err := os.OpenFile(filepath.Join(src, "d/growing"), os.O_WRONLY|os.O_APPEND, 0)
					tick := time.NewTicker(stable / 10)
					defer tick.Stop()
					for rest := text; err == nil && len(rest) > 0; {
						n := min(chunk, len(rest))
						_, err = f.Write(rest[:n])
						rest = rest[n:]
						select {
						case <-tick.C:
						case <-stop:
							err = os.ErrClosed
						}
					}
					if err == nil {
						err = f.Close()
					}
					ended <- err
				}()
				t.Cleanup(func() { close(stop) })
				opts := &folder.Options{Ready: folder.Ready{Stable: stable}}
				early, done := 0, false
				for round := 0; ; round++ {
					// The writer may end during the run, and then either is right.
					s := way.run(t.Context(), w, local, opts).ok(t)
					select {
					case err := <-ended:
						must(t, err)
						done = true
					default:
						early++
						wantPaths(t, "not ready", s.notReady(), "d/growing")
						if s.report.NotReady != 1 || s.report.Failed != 0 || !strings.Contains(s.String(), "not the same for 400ms") {
							t.Errorf("%+v\n%s", s.report, s)
						}
					}
					if b, err := os.ReadFile(filepath.Join(dst, "d/growing")); err == nil && !bytes.Equal(b, text) {
						t.Fatalf("%d bytes of %d are at the other side", len(b), len(text))
					}
					if done {
						break
					}
				}
				if early < 2 {
					t.Fatalf("only %d runs saw it grow: the test has shown nothing", early)
				}
				way.run(t.Context(), w, local, opts).ok(t)
				holds(t, dst, map[string]string{"resting": content(1000), "d/growing": string(text)})
				t.Logf("%d runs left it alone", early)
			})
		}
	}
}

// TestStableWaitsOnce: the interval is waited for once for all files, in a dry run too,
// and each folder is listed twice and no file asked about by itself.
func TestStableWaitsOnce(t *testing.T) {
	const stable = 300 * time.Millisecond
	w := start(t, ftpx.SFTP)
	local := t.TempDir()
	src, _ := way{}.sides(w, local)
	files := map[string]string{}
	for i := range 60 {
		files[fmt.Sprintf("d%d/f%d", i%6, i)] = content(i)
	}
	write(t, src, files)
	opts := &folder.Options{Ready: folder.Ready{Stable: stable}, DryRun: true}
	began := time.Now()
	plan := way{}.run(t.Context(), w, local, opts).ok(t)
	opts.DryRun = false
	s := way{}.run(t.Context(), w, local, opts).ok(t)
	if took := time.Since(began); took > 60*stable/2 {
		t.Errorf("two runs took %v", took)
	} else if took < 2*stable {
		t.Errorf("two runs took %v: nothing was waited for", took)
	}
	holds(t, local, files)
	if a, b := fmt.Sprint(plan.plan()), fmt.Sprint(s.plan()); a != b {
		t.Errorf("the plan:\n%s\nthe run:\n%s", a, b)
	}
	// Nothing to copy: nothing to wait for.
	began = time.Now()
	s = way{}.run(t.Context(), w, local, &folder.Options{Ready: folder.Ready{Stable: time.Hour}}).ok(t)
	if s.report.Unchanged != 60 || time.Since(began) > time.Minute {
		t.Errorf("%+v", s.report)
	}
}

// TestReadyMarker: files wait for their markers, which are not copied.
func TestReadyMarker(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			write(t, src, map[string]string{"a.csv": "1", "a.csv.done": "", "b.csv": "2", "d/c": "3", "d/c.done": "", "stale": "4", "stale.done": "", "orphan.done": ""})
			must(t, os.Chtimes(filepath.Join(src, "stale"), when.Add(time.Minute), when.Add(time.Minute)))
			opts := &folder.Options{Ready: folder.Ready{Marker: ".done"}, DryRun: true}
			plan := way.run(t.Context(), w, local, opts).ok(t)
			opts.DryRun = false
			s := way.run(t.Context(), w, local, opts).ok(t)
			wantPaths(t, "not ready", s.notReady(), "b.csv", "stale")
			if !strings.Contains(s.String(), "older than it") || s.report.NotReady != 2 {
				t.Errorf("%+v\n%s", s.report, s)
			}
			if a, b := fmt.Sprint(plan.plan()), fmt.Sprint(s.plan()); a != b {
				t.Errorf("the plan:\n%s\nthe run:\n%s", a, b)
			}
			holds(t, dst, map[string]string{"a.csv": "1", "d/c": "3"})

			// With the source, the marker goes.
			opts.After.Source = folder.SourceDelete
			write(t, src, map[string]string{"b.csv.done": ""})
			way.run(t.Context(), w, local, opts).ok(t)
			holds(t, dst, map[string]string{"a.csv": "1", "d/c": "3", "b.csv": "2"})
			holds(t, src, map[string]string{"stale": "4", "stale.done": "", "orphan.done": "", "d/": ""})
		})
	}
}

// TestSharedMarker: a marker that several files share stays when the first of them goes, for
// the others wait for it.
func TestSharedMarker(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			write(t, src, map[string]string{"a.csv": "1", "a.ok": ""})
			opts := &folder.Options{Ready: folder.Ready{Marker: "{stem}.ok"}, After: folder.After{Source: folder.SourceDelete}}
			way.run(t.Context(), w, local, opts).ok(t)
			write(t, src, map[string]string{"a.txt": "2"})
			way.run(t.Context(), w, local, opts).ok(t)
			holds(t, dst, map[string]string{"a.csv": "1", "a.txt": "2"})
			holds(t, src, map[string]string{"a.ok": ""})
		})
	}
}

// TestReadyLock: a file that another has locked is left alone, and is locked while it is
// sent.
func TestReadyLock(t *testing.T) {
	w := start(t, ftpx.SFTP)
	local := t.TempDir()
	write(t, local, map[string]string{"free": "1", "held": "2"})
	release := hold(t, filepath.Join(local, "held"))
	opts := &folder.Options{Ready: folder.Ready{Lock: true}, After: folder.After{Source: folder.SourceMove, Archive: "sent"}}
	up := way{up: true}
	for _, dry := range []bool{true, false} {
		opts.DryRun = dry
		s := up.run(t.Context(), w, local, opts).ok(t)
		wantPaths(t, "not ready", s.notReady(), "held")
		wantPaths(t, "sent", s.of(folder.Send), "free")
	}
	release()
	up.run(t.Context(), w, local, opts).ok(t)
	holds(t, local, map[string]string{"sent/free": "1", "sent/held": "2"})
	holds(t, filepath.Join(w.Root, "tree"), map[string]string{"free": "1", "held": "2"})
	release = hold(t, filepath.Join(local, "sent/free")) // given up again
	release()
}

// TestStableManyFiles: more candidates than are held in memory, of names of all kinds,
// and one that has grown among them; a job that is cancelled while it waits ends at once.
func TestStableManyFiles(t *testing.T) {
	const n = 10_000
	var looks [2]atomic.Int64
	c := &fake{quiet: true, lists: func(dir string) iter.Seq[ftpx.Entry] {
		return func(yield func(ftpx.Entry) bool) {
			if dir == "in" {
				yield(ftpx.Entry{Name: "d", Type: transport.TypeDir})
				yield(ftpx.Entry{Name: "e", Type: transport.TypeDir})
				return
			}
			look := looks[dir[len(dir)-1]-'d'].Add(1)
			for i := range n / 2 {
				e := remoteFile(fmt.Sprintf("f\xff %d", i))
				if i == n/2-1 && look > 1 {
					e.Size++
				}
				if !yield(e) {
					return
				}
			}
		}
	}, downloads: func(string, string) error { return nil }}
	var s seen
	s.report, s.err = folder.Download(t.Context(), c, "in", t.TempDir(), &folder.Options{Ready: folder.Ready{Stable: 50 * time.Millisecond}, OnItem: func(i folder.Item) { s.items = append(s.items, i) }})
	if s.err != nil || s.report.Copied != n-2 || s.report.NotReady != 2 || c.count["list"] != 2*3-1 {
		t.Fatalf("%v %+v, %v", s.err, s.report, c.count)
	}
	wantPaths(t, "not ready", s.notReady(), fmt.Sprintf("d/f\xff %d", n/2-1), fmt.Sprintf("e/f\xff %d", n/2-1))

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	began := time.Now()
	if _, err := folder.Download(ctx, c, "in", t.TempDir(), &folder.Options{Ready: folder.Ready{Stable: time.Hour}}); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Minute {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
