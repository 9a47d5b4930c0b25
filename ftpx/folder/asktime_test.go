package folder_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// TestInexactListing: where the listing's times are not exact, those of files whose time
// decides are asked for, and a second run moves nothing. A ledger remembers the answers.
func TestInexactListing(t *testing.T) {
	for _, way := range ways {
		for _, stable := range []time.Duration{0, time.Millisecond} {
			t.Run(way.name+" "+stable.String(), func(t *testing.T) {
				w := start(t, ftpx.FTP, disable("MLSD", "MLST"))
				local := t.TempDir()
				src, dst := way.sides(w, local)
				files := map[string]string{"a": "1", "d/b": "22", "big": content(300_000), "longer": "x"}
				write(t, src, files)
				opts := &folder.Options{Ready: folder.Ready{Stable: stable}}
				if s := way.run(t.Context(), w, local, opts).ok(t); s.report.Copied != 4 {
					t.Fatalf("%+v", s.report)
				}
				// Another size decides by itself.
				files["longer"] = "xyz"
				write(t, src, files)
				w.since()
				opts.DryRun = true
				s := way.run(t.Context(), w, local, opts).ok(t)
				wantPaths(t, "planned", s.of(folder.Send, folder.Fetch), "longer")
				if _, commands := w.since(); commands["MDTM"]-1 != 3 { // one is about the folder
					t.Errorf("a dry run asked for %d times, want 3", commands["MDTM"])
				}
				opts.DryRun = false
				opts.Ledger = openLedger(t, filepath.Join(t.TempDir(), "l"))
				s = way.run(t.Context(), w, local, opts).ok(t)
				wantPaths(t, "copied", s.of(folder.Send, folder.Fetch), "longer")
				if s.report.Unchanged != 3 || s.report.NoTimes != 0 || !strings.Contains(s.String(), "the same size and time") {
					t.Errorf("%+v\n%s", s.report, s)
				}
				holds(t, dst, files)
				w.since()
				s = way.run(t.Context(), w, local, opts).ok(t)
				if transfers, commands := w.since(); len(transfers) > 0 || commands["MDTM"] > 1 || s.report.Unchanged != 4 {
					t.Errorf("with a ledger: %d transfers, asked for %d times: %+v", len(transfers), commands["MDTM"], s.report)
				}
				// The same size and another time.
				later := when.Add(time.Hour)
				write(t, src, map[string]string{"a": "9"})
				must(t, os.Chtimes(filepath.Join(src, "a"), later, later))
				opts.Ledger = nil
				s = way.run(t.Context(), w, local, opts).ok(t)
				wantPaths(t, "copied", s.of(folder.Send, folder.Fetch), "a")
				files["a"] = "9"
				holds(t, dst, files)
				// What is there already may be taken from the source.
				opts.After = folder.After{Source: folder.SourceDelete}
				s = way.run(t.Context(), w, local, opts).ok(t)
				if s.report.Taken != 4 {
					t.Errorf("%+v\n%s", s.report, s)
				}
				holds(t, dst, files)
			})
		}
	}
}

// TestNoTimesAtAll: a server that has no exact time of one file is not asked for those of
// the others.
func TestNoTimesAtAll(t *testing.T) {
	w := start(t, ftpx.FTP, disable("MLSD", "MLST", "MDTM", "MFMT"))
	local := t.TempDir()
	files := map[string]string{}
	for _, n := range strings.Split("abcdefgh", "") {
		files[n] = n
	}
	write(t, filepath.Join(w.Root, "tree"), files)
	ways[1].run(t.Context(), w, local, &folder.Options{}).ok(t)
	w.since()
	s := ways[1].run(t.Context(), w, local, &folder.Options{DryRun: true}).ok(t)
	if _, commands := w.since(); commands["SIZE"] > 2 || s.report.NoTimes != len(files) || s.report.Copied != len(files) {
		t.Errorf("%v: %+v", commands, s.report)
	}
}
