package folder_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// odd is a tree with all that names may be, and a file that is worth resuming.
func odd() map[string]string {
	files := map[string]string{
		"empty": "", "none/": "", "nothing/in/here/": "", "größe/žluť.csv": "a", "日本語/ファイル.txt": "jp", "العربية/ملف": "ar",
		"emoji 🚀/👩‍👩‍👧.bin": "e", " leading": "l", "sp ace/two  spaces": "s", "-rf": "dash", "~": "tilde", "*": "star", "[a]/{b}?": "glob",
		"quote\"'`": "q", "back\\slash": "b", "a;b&c|d": "shell", ".hidden/.x": "h", "%41": "percent", "big.bin": content(1<<20 + 17),
		"e\u0301": "decomposed", "\u00e9": "composed", "x.part": "nobody's partial",
	}
	files[strings.Repeat("deep/", 30)+"end"] = "deep"
	for i := range 40 {
		files[fmt.Sprintf("many/%02d", i)] = content(i * 7)
	}
	return files
}

// TestTree: every kind of name goes both ways over every protocol. What is planned
// is what is done, each folder is made once and listed once, no file is asked about,
// and the second run transfers nothing.
func TestTree(t *testing.T) {
	files := odd()
	nFiles, nFolders := 0, 0
	folders := map[string]bool{}
	for name := range files {
		dir, isFolder := strings.CutSuffix(name, "/")
		if !isFolder {
			nFiles++
			dir = filepath.Dir(name)
		}
		for ; dir != "."; dir = filepath.Dir(dir) {
			folders[dir] = true
		}
	}
	nFolders = len(folders)
	for _, p := range protocols {
		for _, way := range ways {
			t.Run(way.name+" "+p.String(), func(t *testing.T) {
				w := start(t, p)
				local := t.TempDir()
				src, dst := way.sides(w, local)
				write(t, src, files)
				if !way.up {
					must(t, os.Remove(dst)) // it is made
				}
				planned := way.run(t.Context(), w, local, &folder.Options{DryRun: true}).ok(t)
				if _, err := os.Stat(dst); !errors.Is(err, fs.ErrNotExist) {
					t.Fatalf("the dry run has made something: %v", err)
				}
				w.since()
				done := way.run(t.Context(), w, local, &folder.Options{}).ok(t)
				holds(t, dst, files)
				if a, b := planned.plan(), done.plan(); !slices.Equal(a, b) {
					t.Errorf("planned %q\ndone %q", a, b)
				}
				if r := done.report; r.Copied != nFiles || r.Folders != nFolders+1 || r.Failed+r.Left+r.Unchanged+r.Deleted != 0 || r.Bytes != planned.report.Bytes {
					t.Errorf("%+v, planned %+v; want %d files, %d folders", r, planned.report, nFiles, nFolders+1)
				}
				transfers, commands := w.since()
				if len(transfers) != nFiles {
					t.Errorf("%d transfers for %d files", len(transfers), nFiles)
				}
				if n := commands["MKD"] + commands["MKDIR"]; way.up && n != nFolders+1 {
					t.Errorf("%d commands to make %d folders: %v", n, nFolders+1, commands)
				}
				again := way.run(t.Context(), w, local, &folder.Options{}).ok(t)
				transfers, commands = w.since()
				if r := again.report; len(transfers) != 0 || r.Unchanged != nFiles || r.Copied+r.Folders != 0 {
					t.Errorf("second run: %d transfers, %+v", len(transfers), r)
				}
				if n := commands["LIST"] + commands["MLSD"] + commands["OPENDIR"]; n != nFolders+1 {
					t.Errorf("second run: %d listings of %d folders: %v", n, nFolders+1, commands)
				}
				if n := commands["SIZE"] + commands["MDTM"] + commands["MLST"] + commands["STAT"] + commands["LSTAT"]; n > 3 {
					t.Errorf("second run: %d questions about single files: %v", n, commands)
				}
			})
		}
	}
}

// TestChanges: what differs is copied and nothing else; extraneous entries are left
// alone, or deleted if that is asked for, and the plan is what is done.
func TestChanges(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			base := map[string]string{"same": "s", "a/size": "1", "a/time": "t", "a/new-time": "u", "gone/x/y": "y", "gone/z": "z", "b/one": "1", "none/": ""}
			write(t, src, base)
			way.run(t.Context(), w, local, &folder.Options{}).ok(t)
			must(t, os.RemoveAll(filepath.Join(src, "gone")))
			write(t, src, map[string]string{"a/size": "22", "a/time": "T", "new/in": "n"})
			must(t, os.Chtimes(filepath.Join(src, "a/time"), when.Add(5*time.Second), when.Add(5*time.Second)))
			must(t, os.Chtimes(filepath.Join(src, "a/new-time"), when.Add(900*time.Millisecond), when.Add(900*time.Millisecond))) // within the tolerance
			// What was there besides goes with what is gone; "gone" itself has 3 entries below.
			s := way.run(t.Context(), w, local, &folder.Options{}).ok(t)
			wantPaths(t, "copied", s.of(folder.Send, folder.Fetch), "a/size", "a/time", "new/in")
			if s.report.Extra != 1 || s.report.Deleted != 0 {
				t.Errorf("%+v", s.report)
			}
			plan := way.run(t.Context(), w, local, &folder.Options{Delete: true, DryRun: true}).ok(t)
			s = way.run(t.Context(), w, local, &folder.Options{Delete: true}).ok(t)
			if !slices.Equal(plan.plan(), s.plan()) {
				t.Errorf("planned %q\ndone %q", plan.plan(), s.plan())
			}
			wantPaths(t, "deleted", s.of(folder.Delete), "gone", "gone/x", "gone/x/y", "gone/z")
			holds(t, dst, map[string]string{"same": "s", "a/size": "22", "a/time": "T", "a/new-time": "u", "b/one": "1", "none/": "", "new/in": "n"})
		})
	}
}

// TestDeleteIsBounded: a source that has lost most of its files does not empty the
// other side, and a source that is not there is no empty one.
func TestDeleteIsBounded(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			write(t, src, map[string]string{"a": "1"})
			there := map[string]string{"a": "1", "b": "2", "c/d": "3"}
			write(t, dst, there)
			for _, dry := range []bool{true, false} {
				s := way.run(t.Context(), w, local, &folder.Options{Delete: true, DryRun: dry})
				var e *folder.DeleteError
				if !errors.As(s.err, &e) || e.Would != 3 || e.Of != 4 || e.Max != 0.5 || !strings.Contains(e.Error(), "MaxDelete") {
					t.Errorf("dry=%v: %v", dry, s.err)
				}
				wantPaths(t, "left", s.of(folder.Skip), "a", "b", "c", "c/d")
				if s.report.Deleted != 0 {
					t.Errorf("%+v", s.report)
				}
			}
			holds(t, dst, there)
			if s := way.run(t.Context(), w, local, &folder.Options{Delete: true, MaxDelete: 0.75}).ok(t); s.report.Deleted != 3 {
				t.Errorf("%+v", s.report)
			}
			holds(t, dst, map[string]string{"a": "1"})

			must(t, os.RemoveAll(src))
			s := way.run(t.Context(), w, local, &folder.Options{Delete: true, MaxDelete: 1})
			if !errors.Is(s.err, fs.ErrNotExist) {
				t.Errorf("a source that is not there: %v", s.err)
			}
			must(t, os.MkdirAll(src, 0o755))
			holds(t, dst, map[string]string{"a": "1"})
			way.run(t.Context(), w, local, &folder.Options{Delete: true, MaxDelete: 1}).ok(t)
			holds(t, dst, nil)
		})
	}
}

// shortLists leaves names out of listings, as a listing over FTP does whose connection
// ended early and in good order, and can refuse to look at single ones.
type shortLists struct {
	ftpx.Client
	hides func(name string) bool
	blind error
}

func (c *shortLists) List(ctx context.Context, dir string) iter.Seq2[ftpx.Entry, error] {
	return func(yield func(ftpx.Entry, error) bool) {
		for e, err := range c.Client.List(ctx, dir) {
			if err == nil && c.hides(e.Name) {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func (c *shortLists) Stat(ctx context.Context, p string) (ftpx.Entry, error) {
	if c.blind != nil && (c.hides(path.Base(p)) || c.hides(path.Base(path.Dir(p)))) {
		return ftpx.Entry{}, c.blind
	}
	return c.Client.Stat(ctx, p)
}

// TestShortListingDeletesNothing: that a listing does not name something is not enough
// to delete it; and where it is there, the run has not done all.
func TestShortListingDeletesNothing(t *testing.T) {
	for _, p := range protocols {
		for name, blind := range map[string]error{"there": nil, "nobody tells": errors.New("busy")} {
			t.Run(p.String()+" "+name, func(t *testing.T) {
				w := start(t, p)
				local := t.TempDir()
				write(t, filepath.Join(w.Root, "tree"), map[string]string{"a": "1", "y": "2", "z/b": "3"})
				there := map[string]string{"a": "1", "y": "2", "z/b": "3", "old/x": "o"}
				write(t, local, there)
				c := &shortLists{Client: w.client, blind: blind, hides: func(name string) bool { return name >= "y" }}
				for _, dry := range []bool{true, false} {
					var left, deleted []string
					report, err := folder.Download(t.Context(), c, "tree", local, &folder.Options{Delete: true, MaxDelete: 1, DryRun: dry, OnItem: func(i folder.Item) {
						switch {
						case i.Action == folder.Delete && i.Err == nil:
							deleted = append(deleted, i.Path)
						case i.Path >= "y":
							want := blind
							if want == nil {
								want = folder.ErrIncompleteListing
							}
							if left = append(left, i.Path); !errors.Is(i.Err, want) {
								t.Errorf("%+v", i)
							}
						}
					}})
					if !errors.Is(err, folder.ErrIncomplete) || report.Deleted != 2 {
						t.Errorf("dry=%v: %+v, %v", dry, report, err)
					}
					slices.Sort(left)
					slices.Sort(deleted)
					wantPaths(t, "left", left, "y", "z", "z/b")
					wantPaths(t, "deleted", deleted, "old", "old/x")
				}
				delete(there, "old/x")
				holds(t, local, there)
			})
		}
	}
}

// TestUnreadableSourceDeletesNothing: what cannot be listed may hold anything.
func TestUnreadableSourceDeletesNothing(t *testing.T) {
	w := start(t, ftpx.SFTP, func(o *testserver.TrioOptions, _ *ftpx.Options) {
		o.Access = func(op testserver.Op, p string) error {
			if op == testserver.OpList && p == "/tree/secret" {
				return fs.ErrPermission
			}
			return nil
		}
	})
	local := t.TempDir()
	write(t, filepath.Join(w.Root, "tree"), map[string]string{"a": "1", "secret/b": "2", "z": "3"})
	write(t, local, map[string]string{"a": "1", "old": "o", "secret/b": "2", "secret/c": "c"})
	s := ways[1].run(t.Context(), w, local, &folder.Options{Delete: true})
	if !errors.Is(s.err, folder.ErrSourceIncomplete) || !errors.Is(s.err, folder.ErrIncomplete) {
		t.Errorf("error %v", s.err)
	}
	s.wantError(t, "secret", fs.ErrPermission, "cannot be read")
	holds(t, local, map[string]string{"a": "1", "old": "o", "secret/b": "2", "secret/c": "c", "z": "3"})
}

// TestOneFailureStopsNoOther, unless that is asked for.
func TestOneFailureStopsNoOther(t *testing.T) {
	refuse := func(o *testserver.TrioOptions, _ *ftpx.Options) {
		o.Access = func(op testserver.Op, p string) error {
			if (op == testserver.OpWrite || op == testserver.OpRead) && strings.Contains(p, "bad") || op == testserver.OpMkdir && strings.HasSuffix(p, "closed") {
				return fs.ErrPermission
			}
			return nil
		}
	}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP, refuse)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			files := map[string]string{"bad": "no", "d/good": "g"}
			for i := range 20 {
				files[fmt.Sprintf("f%02d", i)] = content(i)
			}
			write(t, src, files)
			if way.up {
				write(t, src, map[string]string{"closed/a": "1", "closed/in/b": "2"})
			}
			s := way.run(t.Context(), w, local, &folder.Options{})
			if !errors.Is(s.err, folder.ErrIncomplete) || !errors.Is(s.err, fs.ErrPermission) {
				t.Errorf("error %v", s.err)
			}
			s.wantError(t, "bad", fs.ErrPermission, "")
			delete(files, "bad")
			holds(t, dst, files)
			failed := 1
			if way.up {
				failed = 4 // the folder that cannot be made, and the files of it
				s.wantError(t, "closed", fs.ErrPermission, "")
				s.wantError(t, "closed/in/b", fs.ErrPermission, "folder")
			}
			if s.report.Failed != failed || s.report.Copied != 21 {
				t.Errorf("%+v\n%s", s.report, s)
			}
			must(t, os.RemoveAll(dst))
			s = way.run(t.Context(), w, local, &folder.Options{StopOnError: true, Parallel: 1, Window: 1})
			if !errors.Is(s.err, folder.ErrIncomplete) || s.report.Copied > 3 {
				t.Errorf("StopOnError: %v, %+v", s.err, s.report)
			}
		})
	}
}

// TestInterrupted: an ended context ends the run at once, with a report of what was
// done, and the next run does the rest and no more.
func TestInterrupted(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			files := map[string]string{}
			for i := range 200 {
				files[fmt.Sprintf("d%d/f%03d", i%7, i)] = content(1000 + i)
			}
			write(t, src, files)
			ctx, cancel := context.WithCancelCause(t.Context())
			enough := errors.New("the user has enough")
			copied := 0
			s := way.run(ctx, w, local, &folder.Options{Parallel: 4, OnItem: func(i folder.Item) {
				if i.Action == folder.Send || i.Action == folder.Fetch {
					if copied++; copied == 20 {
						cancel(enough)
					}
				}
			}})
			if !errors.Is(s.err, enough) || s.report.Copied < 19 || s.report.Copied > 30 {
				t.Fatalf("%v, %+v", s.err, s.report)
			}
			w.since()
			rest := way.run(t.Context(), w, local, &folder.Options{}).ok(t)
			// One that was cut off may have been in place already.
			if n := rest.report.Copied + s.report.Copied; n > len(files) || n+s.report.Failed < len(files) {
				t.Errorf("%d and then %d of %d files, %d cut off", s.report.Copied, rest.report.Copied, len(files), s.report.Failed)
			}
			holds(t, dst, files)
			if s := way.run(ctx, w, local, &folder.Options{}); !errors.Is(s.err, context.Canceled) && !errors.Is(s.err, enough) {
				t.Errorf("a context that has ended: %v", s.err)
			}
		})
	}
}

// TestLineBreaks: a line that resets connections costs attempts and no file.
func TestLineBreaks(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
		for _, way := range ways {
			t.Run(way.name+" "+p.String(), func(t *testing.T) {
				proxy := faultproxy.New(faultproxy.Options{Seed: 7, Plan: faultproxy.ResetRate(0.7, 20_000, 300_000)})
				t.Cleanup(func() { proxy.Close() })
				w := start(t, p, func(o *testserver.TrioOptions, _ *ftpx.Options) {
					o.PassivePorts = proxy.PassivePorts(faultproxy.PassiveOptions{Plan: faultproxy.ResetRate(0.5, 500, 20_000)})
				})
				// Small files share connections over SFTP, so that there are few.
				target, role, plan := w.SFTP.Addr().String(), faultproxy.SSH, faultproxy.ResetRate(1, 100_000, 600_000)
				if p == ftpx.FTPS {
					target, role, plan = w.FTP.Addr().String(), faultproxy.Control, nil
				}
				route, err := proxy.Route(faultproxy.RouteOptions{Role: role, Target: target, Plan: plan})
				must(t, err)
				w.connect(t, ftpx.Ports{SFTP: route.Addr().Port, FTP: route.Addr().Port})
				local := t.TempDir()
				src, dst := way.sides(w, local)
				files := map[string]string{"big": content(900_000), "none/": ""}
				for i := range 60 {
					files[fmt.Sprintf("d%d/e/f%d", i%5, i)] = content(i * 400)
				}
				write(t, src, files)
				s := way.run(t.Context(), w, local, &folder.Options{}).ok(t)
				holds(t, dst, files)
				if st := w.client.Stats(); st.Retries+st.Lost+st.Resumes == 0 {
					t.Errorf("nothing was lost, so that this shows nothing: %+v", st)
				}
				w.since()
				again := way.run(t.Context(), w, local, &folder.Options{}).ok(t)
				if transfers, _ := w.since(); len(transfers) != 0 {
					t.Errorf("second run: %d transfers\n%s", len(transfers), again)
				}
				t.Logf("%+v, %+v", s.report, w.client.Stats())
			})
		}
	}
}

// TestBaseFolder: the base itself, the root, and folders that are not there yet or
// are not folders, by every protocol.
func TestBaseFolder(t *testing.T) {
	for _, p := range protocols {
		t.Run(p.String(), func(t *testing.T) {
			w := start(t, p)
			local := t.TempDir()
			write(t, local, map[string]string{"a/b": "1", "c": "2"})
			for _, dir := range []string{"", ".", "/", "new/deep", "/abs/", "new/../up"} {
				report, err := folder.Upload(t.Context(), w.client, local, dir, nil)
				must(t, err)
				back := t.TempDir()
				must(t, os.Remove(back))
				if _, err = folder.Download(t.Context(), w.client, dir, back, &folder.Options{Exclude: []string{"new", "abs", "up"}}); err != nil {
					t.Fatalf("%q: %v, sent %+v", dir, err, report)
				}
				holds(t, back, map[string]string{"a/b": "1", "c": "2"})
			}
			if _, err := folder.Download(t.Context(), w.client, "c", t.TempDir(), nil); !errors.Is(err, folder.ErrTypeConflict) {
				t.Errorf("a file as the source: %v", err)
			}
			if _, err := folder.Upload(t.Context(), w.client, local, "c", nil); !errors.Is(err, folder.ErrTypeConflict) {
				t.Errorf("a file as the destination: %v", err)
			}
			if _, err := folder.Upload(t.Context(), w.client, filepath.Join(local, "c"), "x", nil); !errors.Is(err, folder.ErrTypeConflict) {
				t.Errorf("a local file as the source: %v", err)
			}
			if _, err := folder.Download(t.Context(), w.client, "none", t.TempDir(), nil); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a source that is not there: %v", err)
			}
		})
	}
}
