package folder_test

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestFilters: what patterns, sizes and ages take, and that the rest is neither
// copied nor deleted.
func TestFilters(t *testing.T) {
	files := map[string]string{"a.csv": "1", "b.tmp": "22", "in/c.csv": "333", "in/deep/d.csv": "4444", "in/deep/e.txt": "55555",
		"tmp/f.csv": "666666", "none/": "", "out/only.txt": "7777777", "in/tmp/g.csv": "8"}
	all := []string{"a.csv", "b.tmp", "in/c.csv", "in/deep/d.csv", "in/deep/e.txt", "in/tmp/g.csv", "out/only.txt", "tmp/f.csv"}
	dirs := []string{".", "in", "in/deep", "in/tmp", "none", "out", "tmp"}
	for name, c := range map[string]struct {
		opts   folder.Options
		want   []string
		mkdirs []string
	}{
		"all":                 {folder.Options{}, all, dirs},
		"by name":             {folder.Options{Include: []string{"*.csv"}}, []string{"a.csv", "in/c.csv", "in/deep/d.csv", "in/tmp/g.csv", "tmp/f.csv"}, []string{".", "in", "in/deep", "in/tmp", "tmp"}},
		"by path":             {folder.Options{Include: []string{"in/**/*.csv"}}, []string{"in/c.csv", "in/deep/d.csv", "in/tmp/g.csv"}, []string{".", "in", "in/deep", "in/tmp"}},
		"at the top":          {folder.Options{Include: []string{"/*.csv"}}, []string{"a.csv"}, []string{"."}},
		"a folder":            {folder.Options{Include: []string{"deep/"}}, []string{"in/deep/d.csv", "in/deep/e.txt"}, []string{".", "in", "in/deep"}},
		"an empty folder":     {folder.Options{Include: []string{"none"}}, nil, []string{".", "none"}},
		"nothing":             {folder.Options{Include: []string{"*.none"}}, nil, nil},
		"exclude":             {folder.Options{Exclude: []string{"*.tmp", "tmp/"}}, []string{"a.csv", "in/c.csv", "in/deep/d.csv", "in/deep/e.txt", "out/only.txt"}, []string{".", "in", "in/deep", "none", "out"}},
		"exclude decides":     {folder.Options{Include: []string{"in/**"}, Exclude: []string{"in/*/*.csv"}}, []string{"in/c.csv", "in/deep/e.txt"}, []string{".", "in", "in/deep", "in/tmp"}},
		"exclude top level":   {folder.Options{Exclude: []string{"/tmp"}}, []string{"a.csv", "b.tmp", "in/c.csv", "in/deep/d.csv", "in/deep/e.txt", "in/tmp/g.csv", "out/only.txt"}, []string{".", "in", "in/deep", "in/tmp", "none", "out"}},
		"alternatives":        {folder.Options{Include: []string{"*.{tmp,txt}"}}, []string{"b.tmp", "in/deep/e.txt", "out/only.txt"}, []string{".", "in", "in/deep", "out"}},
		"sizes":               {folder.Options{MinSize: 2, MaxSize: 4}, []string{"b.tmp", "in/c.csv", "in/deep/d.csv"}, dirs},
		"new":                 {folder.Options{NewerThan: time.Hour}, []string{"a.csv"}, dirs},
		"old":                 {folder.Options{OlderThan: time.Hour}, all[1:], dirs},
		"neither old nor new": {folder.Options{OlderThan: time.Minute, NewerThan: time.Hour}, nil, dirs},
	} {
		for _, way := range ways {
			t.Run(name+" "+way.name, func(t *testing.T) {
				w := start(t, ftpx.SFTP)
				local := t.TempDir()
				src, dst := way.sides(w, local)
				write(t, src, files)
				must(t, os.Chtimes(filepath.Join(src, "a.csv"), time.Now(), time.Now()))
				must(t, os.RemoveAll(dst))
				opts := c.opts
				opts.DryRun = true
				plan := way.run(t.Context(), w, local, &opts).ok(t)
				opts.DryRun = false
				s := way.run(t.Context(), w, local, &opts).ok(t)
				wantPaths(t, "copied", s.of(folder.Send, folder.Fetch), c.want...)
				wantPaths(t, "made", s.of(folder.Mkdir), c.mkdirs...)
				if !slices.Equal(plan.plan(), s.plan()) {
					t.Errorf("planned %q\ndone %q", plan.plan(), s.plan())
				}
				// Everything is there, and nothing at the source: only what is taken goes.
				write(t, dst, files)
				must(t, os.Chtimes(filepath.Join(dst, "a.csv"), time.Now(), time.Now()))
				must(t, os.RemoveAll(src))
				must(t, os.Mkdir(src, 0o755))
				opts.Delete, opts.MaxDelete = true, 1
				s = way.run(t.Context(), w, local, &opts).ok(t)
				var gone []string
				for _, p := range s.of(folder.Delete) {
					if info, err := os.Lstat(filepath.Join(src, p)); err == nil {
						t.Errorf("%q: %v", p, info)
					}
					if strings.Contains(filepath.Base(p), ".") {
						gone = append(gone, p)
					}
				}
				wantPaths(t, "deleted files", gone, c.want...)
				for _, p := range all {
					if _, err := os.Lstat(filepath.Join(dst, p)); (err == nil) == slices.Contains(c.want, p) {
						t.Errorf("%q: %v", p, err)
					}
				}
			})
		}
	}
}

// TestOptionsAreChecked: the error names the field.
func TestOptionsAreChecked(t *testing.T) {
	for field, o := range map[string]folder.Options{
		"Include": {Include: []string{"a["}}, "Exclude": {Exclude: []string{""}}, "MinSize": {MinSize: -1}, "MaxSize": {MinSize: 2, MaxSize: 1},
		"NewerThan": {NewerThan: -1}, "OlderThan": {OlderThan: 2, NewerThan: 1}, "Links": {Links: folder.LinkKeep + 1}, "Compare": {Compare: 9}, "MaxDelete": {MaxDelete: 1.5},
		"Parallel": {Parallel: -1}, "Window": {Window: -1}, "Tolerance": {Tolerance: -1}, "PartialAge": {PartialAge: -1}, "Once": {Once: true}, "Verify": {Verify: 9},
	} {
		_, err := folder.Upload(t.Context(), nil, t.TempDir(), "x", &o)
		if err == nil || !strings.Contains(err.Error(), "Options.") || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := folder.Upload(t.Context(), nil, "", "x", nil); err == nil || !strings.Contains(err.Error(), "local folder") {
		t.Errorf("no local folder: %v", err)
	}
}

// TestLinks: links are skipped or followed, and never lead in circles.
func TestLinks(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			write(t, src, map[string]string{"f": "file", "d/in": "in"})
			for name, to := range map[string]string{"lf": "f", "ld": "d", "dead": "nowhere", "d/up": "../d", "d/top": ".."} {
				symlink(t, to, filepath.Join(src, name))
			}
			s := way.run(t.Context(), w, local, &folder.Options{}).ok(t)
			holds(t, dst, map[string]string{"f": "file", "d/in": "in"})
			if s.report.Left != 5 {
				t.Errorf("%+v", s.report)
			}
			s = way.run(t.Context(), w, local, &folder.Options{Links: folder.LinkFollow})
			s.wantError(t, "dead", nil, "cannot be followed")
			if way.up {
				s.wantError(t, "d/up", nil, `leads to "d"`)
				s.wantError(t, "d/top", nil, `leads to "."`)
				holds(t, dst, map[string]string{"f": "file", "d/in": "in", "lf": "file", "ld/in": "in"})
			} else if s.report.Failed > 20 || len(s.items) > 60 {
				t.Errorf("it went in circles: %+v\n%s", s.report, s)
			}
			for name, text := range map[string]string{"lf": "file", "ld/in": "in"} {
				b, err := os.ReadFile(filepath.Join(dst, name))
				if err != nil || string(b) != text {
					t.Errorf("%s: %q, %v", name, b, err)
				}
			}
		})
	}
}

// TestInTheWay: what is of another kind at the other side is an error of its own, and
// a link there is neither followed nor replaced, nor deleted with what it leads to.
func TestInTheWay(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			write(t, src, map[string]string{"file": "f", "dir/x": "x", "link/y": "y", "ok": "ok", "flink": "mine"})
			write(t, dst, map[string]string{"file/kept": "k", "dir": "d", "ok": "old", "1": "", "2": "", "3": ""})
			outside := filepath.Join(w.Root, "outside")
			write(t, outside, map[string]string{"z": "z"})
			for _, name := range []string{"link", "flink", "extra"} {
				symlink(t, "../outside", filepath.Join(dst, name))
			}
			s := way.run(t.Context(), w, local, &folder.Options{Delete: true, MaxDelete: 1})
			for _, p := range []string{"file", "dir", "link", "flink"} {
				s.wantError(t, p, folder.ErrTypeConflict, "exclude")
			}
			if !errors.Is(s.err, folder.ErrTypeConflict) {
				t.Error(s.err)
			}
			holds(t, dst, map[string]string{"file/kept": "k", "dir": "d", "ok": "ok", "link": "-> ../outside", "flink": "-> ../outside"})
			holds(t, outside, map[string]string{"z": "z"})
		})
	}
}

// TestPartials of ours are neither copied nor deleted while somebody may go on with
// them, and a file that merely ends in .part is a file.
func TestPartials(t *testing.T) {
	const mine, bak = ".a.ftpx-0123456789abcdef.part", ".a.ftpx-0123456789abcdef.bak"
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			partials := map[string]string{mine: "p", bak: "b", ".b.ftpx-0123456789abcdef-2.part": "p", "c.part": "half", "c.part.state": "{}", "d.part.state.123": "{}"}
			write(t, src, partials)
			write(t, src, map[string]string{"e.part": "whole", "f": "f"})
			s := way.run(t.Context(), w, local, &folder.Options{}).ok(t)
			holds(t, dst, map[string]string{"e.part": "whole", "f": "f"})
			if s.report.Left != len(partials) {
				t.Errorf("%+v\n%s", s.report, s)
			}
			for name := range partials {
				must(t, os.Remove(filepath.Join(src, name)))
			}
			write(t, dst, partials)
			young := time.Now().Add(-time.Hour)
			for name := range partials {
				must(t, os.Chtimes(filepath.Join(dst, name), young, young))
			}
			way.run(t.Context(), w, local, &folder.Options{Delete: true, MaxDelete: 1}).ok(t)
			partials["e.part"], partials["f"] = "whole", "f"
			holds(t, dst, partials)
			s = way.run(t.Context(), w, local, &folder.Options{Delete: true, MaxDelete: 1, PartialAge: time.Minute}).ok(t)
			holds(t, dst, map[string]string{"e.part": "whole", "f": "f"})
		})
	}
}

// TestCase: names that differ only in case are one where that is so.
func TestCase(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			write(t, src, map[string]string{"README": "1", "ReadMe": "2", "Straße/x": "x", "other": "o"})
			write(t, dst, map[string]string{"OTHER": "o", "k1": "", "k2": "", "k3": ""})
			s := way.run(t.Context(), w, local, &folder.Options{FoldCase: true})
			s.wantError(t, "ReadMe", folder.ErrName, "case")
			wantPaths(t, "unchanged", s.of(folder.Skip), "other")
			holds(t, dst, map[string]string{"README": "1", "Straße/x": "x", "OTHER": "o", "k1": "", "k2": "", "k3": ""})

			// Where it is not known, what may be the same file there is not deleted...
			way.run(t.Context(), w, local, &folder.Options{Delete: true, MaxDelete: 1}).ok(t)
			holds(t, dst, map[string]string{"README": "1", "ReadMe": "2", "Straße/x": "x", "OTHER": "o", "other": "o"})
			// ... until the other side has shown that it tells them apart.
			way.run(t.Context(), w, local, &folder.Options{Delete: true, MaxDelete: 1}).ok(t)
			holds(t, dst, map[string]string{"README": "1", "ReadMe": "2", "Straße/x": "x", "other": "o"})
		})
	}
}

// TestCompare: the ways to compare.
func TestCompare(t *testing.T) {
	big := content(1<<20 + 3)
	other := "X" + big[1:]
	for _, way := range ways {
		for compare, copied := range map[folder.Compare][]string{
			folder.CompareTime: nil, folder.CompareSize: nil,
			folder.CompareProof: {"big", "changed", "small"}, folder.CompareNothing: {"big", "changed", "small"},
		} {
			t.Run(fmt.Sprint(way.name, compare), func(t *testing.T) {
				w := start(t, ftpx.FTPS) // which offers hashes
				local := t.TempDir()
				src, dst := way.sides(w, local)
				write(t, src, map[string]string{"big": big, "changed": other, "small": "s"})
				write(t, dst, map[string]string{"big": big, "changed": big, "small": "s"}) // of the same size and time
				s := way.run(t.Context(), w, local, &folder.Options{Compare: compare}).ok(t)
				wantPaths(t, "copied", s.of(folder.Send, folder.Fetch), copied...)
				for _, i := range s.items {
					if i.Path == "big" && i.Result.Unchanged != (compare == folder.CompareProof) {
						t.Errorf("%v: %+v", i, i.Result)
					}
				}
				want := big
				if copied != nil {
					want = other
				}
				holds(t, dst, map[string]string{"big": big, "changed": want, "small": "s"})
			})
		}
	}
}

// TestLargeFirst: of the files in the window, the largest goes first.
func TestLargeFirst(t *testing.T) {
	walked := make(chan struct{})
	var once sync.Once
	var mu sync.Mutex
	var begun []string // in the order in which the server is first asked to write them
	// An FTP server answers the other connections while a write waits; one of SFTP opens
	// files and folders one after the other, so that the folder could wait for the write.
	w := start(t, ftpx.FTP, func(o *testserver.TrioOptions, _ *ftpx.Options) {
		o.Access = func(op testserver.Op, p string) error {
			switch {
			case op == testserver.OpList && p == "/tree/z":
				once.Do(func() { close(walked) }) // asked for when all files of the folder are in the window
			case op == testserver.OpWrite:
				mu.Lock()
				if name, _, _ := strings.Cut(strings.TrimPrefix(p, "/tree/."), "."); !slices.Contains(begun, name) {
					begun = append(begun, name)
				}
				mu.Unlock()
				<-walked
			}
			return nil
		}
	})
	local := t.TempDir()
	files := map[string]string{}
	for i := range 30 {
		files[fmt.Sprintf("f%02d", (i*7)%30)] = content(1000 * (30 - i))
	}
	write(t, local, files)
	write(t, local, map[string]string{"z/": ""})
	write(t, w.Root, map[string]string{"tree/z/": ""})
	ways[0].run(t.Context(), w, local, &folder.Options{Parallel: 1}).ok(t)
	var sizes []int
	for _, name := range begun {
		sizes = append(sizes, len(files[name]))
	}
	// The first was taken before there was a choice.
	if len(sizes) != 30 || !slices.IsSortedFunc(sizes[1:], func(a, b int) int { return cmp.Compare(b, a) }) {
		t.Errorf("sizes %v", sizes)
	}
}
