package folder_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

func openLedger(t *testing.T, path string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(path, nil)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

func disable(verbs ...string) func(*testserver.TrioOptions, *ftpx.Options) {
	return func(o *testserver.TrioOptions, _ *ftpx.Options) {
		o.FTP = func(f *testserver.FTPOptions) { f.Disable = verbs }
	}
}

// TestServersWithoutTimes: where a server lists no exact times, or keeps none, the
// ledger knows what was copied; without one it is copied again, and the reason is
// told. What has changed is copied in any case.
func TestServersWithoutTimes(t *testing.T) {
	for name, verbs := range map[string][]string{
		"no exact times": {"MLSD", "MLST", "MDTM", "MFMT"},
		"times not kept": {"MFMT"},
	} {
		for _, way := range ways {
			if !way.up && name == "times not kept" {
				continue // nothing is set there
			}
			t.Run(name+" "+way.name, func(t *testing.T) {
				w := start(t, ftpx.FTP, disable(verbs...))
				local := t.TempDir()
				src, dst := way.sides(w, local)
				files := map[string]string{"a": "1", "d/b": "22", "empty": ""}
				write(t, src, files)
				l := openLedger(t, filepath.Join(t.TempDir(), "l"))
				opts := &folder.Options{Ledger: l}
				s := way.run(t.Context(), w, local, opts).ok(t)
				if s.report.Copied != 3 || way.up && s.report.TimesLost != 3 {
					t.Errorf("%+v", s.report)
				}
				w.since()
				for _, dry := range []bool{true, false} {
					opts.DryRun = dry
					s = way.run(t.Context(), w, local, opts).ok(t)
					if transfers, _ := w.since(); len(transfers) != 0 || s.report.Unchanged != 3 || s.report.NoTimes != 3 || !strings.Contains(s.String(), "as the ledger says") {
						t.Errorf("dry=%v, with a ledger: %+v\n%s", dry, s.report, s)
					}
				}
				// Changes are seen: in the source by time, at the other side by size.
				write(t, src, map[string]string{"a": "x"})
				later := when.Add(49 * time.Hour)
				must(t, os.Chtimes(filepath.Join(src, "a"), later, later))
				must(t, os.WriteFile(filepath.Join(dst, "d/b"), []byte("333"), 0o644))
				s = way.run(t.Context(), w, local, opts).ok(t)
				wantPaths(t, "copied", s.of(folder.Send, folder.Fetch), "a", "d/b")
				files["a"] = "x"
				holds(t, dst, files)

				s = way.run(t.Context(), w, local, &folder.Options{}).ok(t)
				if s.report.Copied != 3 {
					t.Errorf("without a ledger: %+v\n%s", s.report, s)
				}
				if name == "no exact times" && (s.report.NoTimes != 3 || !strings.Contains(s.String(), "no exact time and there is no ledger")) {
					t.Errorf("without a ledger: %+v\n%s", s.report, s)
				}
			})
		}
	}
}

// TestOnce: each file is copied once, also when it has been taken away since, when its
// time has changed and its content has not, and after the ledger was opened anew. A
// new content is copied, and a plain run copies what is missing.
func TestOnce(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			write(t, src, map[string]string{"a": "1", "d/b": "22", "empty": "", "big": content(300_000)})
			path := filepath.Join(t.TempDir(), "l")
			l := openLedger(t, path)
			once := func(l *ledger.Ledger) *folder.Options { return &folder.Options{Ledger: l, Once: true, Job: "j"} }
			way.run(t.Context(), w, local, once(l)).ok(t)
			must(t, os.RemoveAll(filepath.Join(dst, "d")))
			must(t, os.Remove(filepath.Join(dst, "a")))
			must(t, os.Remove(filepath.Join(dst, "big")))
			s := way.run(t.Context(), w, local, once(l)).ok(t)
			wantPaths(t, "copied", s.of(folder.Send, folder.Fetch))
			if s.report.Unchanged != 4 {
				t.Errorf("%+v\n%s", s.report, s)
			}
			must(t, l.Close())
			l = openLedger(t, path)
			if way.up { // a remote content is not known before it is fetched
				touched := when.Add(time.Hour)
				must(t, os.Chtimes(filepath.Join(src, "big"), touched, touched))
			}
			s = way.run(t.Context(), w, local, once(l)).ok(t)
			wantPaths(t, "copied", s.of(folder.Send, folder.Fetch))
			if way.up && !strings.Contains(s.String(), "the same content") {
				t.Error(s)
			}
			write(t, src, map[string]string{"a": "2"})
			later := when.Add(time.Minute)
			must(t, os.Chtimes(filepath.Join(src, "a"), later, later))
			s = way.run(t.Context(), w, local, once(l)).ok(t)
			wantPaths(t, "copied", s.of(folder.Send, folder.Fetch), "a")

			n := 0
			for e, err := range l.History("j") {
				must(t, err)
				if n++; e.Verified == "" || e.Protocol != "sftp" || e.Addr == "" || e.Source.Hash == "" || e.When.IsZero() || !strings.HasSuffix(e.Local, filepath.FromSlash(e.Path)) || e.Remote != "tree/"+e.Path {
					t.Errorf("%+v", e)
				}
			}
			if n != 5 {
				t.Errorf("%d entries in the history", n)
			}
			s = way.run(t.Context(), w, local, &folder.Options{Ledger: l, Job: "j"}).ok(t)
			if s.report.Copied < 2 {
				t.Errorf("a mirror does not restore what is missing: %s", s)
			}
		})
	}
}

// TestOnceLearns: what a run had copied when it was killed, before the ledger had it
// on disk, is not copied again when it has been taken away after the next run.
func TestOnceLearns(t *testing.T) {
	w := start(t, ftpx.SFTP)
	local := t.TempDir()
	write(t, local, map[string]string{"a": "1"})
	write(t, w.Root, map[string]string{"tree/a": "1"})
	l := openLedger(t, filepath.Join(t.TempDir(), "l"))
	opts := &folder.Options{Ledger: l, Once: true, Job: "j", DryRun: true}
	ways[0].run(t.Context(), w, local, opts).ok(t)
	if _, found, _ := l.Lookup("j", "a"); found {
		t.Error("a dry run has written to the ledger")
	}
	opts.DryRun = false
	ways[0].run(t.Context(), w, local, opts).ok(t)
	must(t, os.Remove(filepath.Join(w.Root, "tree/a")))
	s := ways[0].run(t.Context(), w, local, opts).ok(t)
	wantPaths(t, "copied", s.of(folder.Send))
}

// TestFailureIsNotRecorded: only what is done goes into the ledger.
func TestFailureIsNotRecorded(t *testing.T) {
	full := testserver.NewDisk(1000)
	w := start(t, ftpx.SFTP, func(o *testserver.TrioOptions, _ *ftpx.Options) { o.Disk = full })
	local := t.TempDir()
	write(t, local, map[string]string{"small": "1", "large": content(5000)})
	l := openLedger(t, filepath.Join(t.TempDir(), "l"))
	opts := &folder.Options{Ledger: l, Once: true, Job: "j"}
	s := ways[0].run(t.Context(), w, local, opts)
	if !errors.Is(s.err, folder.ErrIncomplete) || s.failed("large") == nil {
		t.Fatal(s.err)
	}
	if _, found, err := l.Lookup("j", "large"); found || err != nil {
		t.Errorf("a failure is in the ledger: %v", err)
	}
	full.SetFree(1 << 20)
	ways[0].run(t.Context(), w, local, opts).ok(t)
	holds(t, filepath.Join(w.Root, "tree"), map[string]string{"small": "1", "large": content(5000)})
	if _, found, _ := l.Lookup("j", "large"); !found {
		t.Error("what is done is not in the ledger")
	}
}

// TestBrokenLedgerEndsTheRun: it would copy the same again for ever.
func TestBrokenLedgerEndsTheRun(t *testing.T) {
	w := start(t, ftpx.SFTP)
	local := t.TempDir()
	files := map[string]string{}
	for i := range 100 {
		files[fmt.Sprintf("f%d", i)] = "1"
	}
	write(t, local, files)
	l := openLedger(t, filepath.Join(t.TempDir(), "l"))
	must(t, l.Close())
	for _, once := range []bool{false, true} {
		s := ways[0].run(t.Context(), w, local, &folder.Options{Parallel: 4, Ledger: l, Once: once, Job: "j"})
		if !errors.Is(s.err, ledger.ErrClosed) || s.report.Copied > 20 {
			t.Errorf("once=%v: %v, %+v", once, s.err, s.report)
		}
	}
}
