package folder_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// TestNames: what is named is copied, with what is in it, and neither folder is listed
// for a few names; a second run moves nothing; what is not there is named.
func TestNames(t *testing.T) {
	for _, p := range protocols {
		for _, way := range ways {
			t.Run(way.name+" "+p.String(), func(t *testing.T) {
				w := start(t, p)
				local := t.TempDir()
				src, dst := way.sides(w, local)
				write(t, src, map[string]string{"a": "1", "b": "2", "c.part": "3", "c.part.state": "4", "dir/x": "5", "dir/deep/y": "6", "other/z": "7"})
				write(t, dst, map[string]string{"there": "t"})
				o := folder.Options{Names: []string{"a", "c.part", "dir", "a", "none"}}
				w.since()
				s := way.run(t.Context(), w, local, &o)
				if !errors.Is(s.err, folder.ErrIncomplete) || s.report.Copied != 4 || s.report.Failed != 1 || s.report.Extra != 0 {
					t.Errorf("%v, %+v\n%s", s.err, s.report, s)
				}
				s.wantError(t, "none", fs.ErrNotExist, "")
				if _, commands := w.since(); p == ftpx.SFTP && commands["OPENDIR"] > 2 {
					t.Errorf("%d folders were listed: %v", commands["OPENDIR"], commands)
				}
				holds(t, dst, map[string]string{"there": "t", "a": "1", "c.part": "3", "dir/x": "5", "dir/deep/y": "6"})
				if s := way.run(t.Context(), w, local, &folder.Options{Names: o.Names[:3]}); s.err != nil || s.report.Copied != 0 || s.report.Unchanged != 4 {
					t.Errorf("again: %v, %+v", s.err, s.report)
				}
				if s := way.run(t.Context(), w, local, &folder.Options{Names: o.Names, DryRun: true}); s.report.Failed != 1 || s.report.Copied != 0 {
					t.Errorf("planned: %v, %+v", s.err, s.report)
				}
			})
		}
	}
}

// TestManyNames: of many names the other folder is listed once and no file is asked about.
func TestManyNames(t *testing.T) {
	for _, way := range ways {
		w := start(t, ftpx.SFTP)
		local := t.TempDir()
		src, dst := way.sides(w, local)
		files := map[string]string{}
		var names []string
		for i := range 40 {
			files[fmt.Sprint("f", i)] = content(i)
			if i%2 == 0 {
				names = append(names, fmt.Sprint("f", i))
			}
		}
		write(t, src, files)
		way.run(t.Context(), w, local, &folder.Options{Names: names}).ok(t)
		w.since()
		if s := way.run(t.Context(), w, local, &folder.Options{Names: names}).ok(t); s.report.Unchanged != 20 || s.report.Copied != 0 {
			t.Errorf("again: %+v", s.report)
		}
		if _, commands := w.since(); way.up && (commands["OPENDIR"] != 1 || commands["STAT"]+commands["LSTAT"] > 2) {
			t.Errorf("commands %v", commands)
		}
		for i := range 40 {
			_, err := os.Stat(filepath.Join(dst, fmt.Sprint("f", i)))
			if there := err == nil; there != (i%2 == 0) {
				t.Errorf("f%d is there: %v", i, there)
			}
		}
	}
}

// TestNamesAndTemplates: a name at the other side is looked up as what it will be.
func TestNamesAndTemplates(t *testing.T) {
	for _, way := range ways {
		w := start(t, ftpx.SFTP)
		local := t.TempDir()
		src, dst := way.sides(w, local)
		write(t, src, map[string]string{"a": "1", "b": "2"})
		for run := range 2 {
			if s := way.run(t.Context(), w, local, &folder.Options{Names: []string{"a"}, Name: "as.txt"}).ok(t); s.report.Copied != 1-run {
				t.Errorf("run %d: %+v", run, s.report)
			}
		}
		holds(t, dst, map[string]string{"as.txt": "1"})
		s := way.run(t.Context(), w, local, &folder.Options{Names: []string{"a"}, Delete: true})
		if s.err == nil || !strings.Contains(s.err.Error(), "Options.Delete") {
			t.Errorf("with Delete: %v", s.err)
		}
		for _, bad := range []string{"..", ".", "", "a/b"} {
			if s := way.run(t.Context(), w, local, &folder.Options{Names: []string{bad}}); s.err == nil || s.report.Copied != 0 {
				t.Errorf("%q: %v", bad, s.err)
			}
		}
		holds(t, dst, map[string]string{"as.txt": "1"})
	}
}

// TestLinkFiles: links to files are followed and links to folders left out; a link that
// is named is followed in any case.
func TestLinkFiles(t *testing.T) {
	for _, way := range ways {
		w := start(t, ftpx.SFTP)
		local := t.TempDir()
		src, dst := way.sides(w, local)
		write(t, src, map[string]string{"real/a": "1", "dir/b": "2"})
		for name, to := range map[string]string{"dir/file": "../real/a", "dir/folder": "../real", "dir/circle": ".", "dir/dangling": "nowhere", "alias": "real"} {
			symlink(t, to, filepath.Join(src, name))
		}
		s := way.run(t.Context(), w, local, &folder.Options{Links: folder.LinkFiles, Names: []string{"dir", "alias"}})
		s.wantError(t, "dir/dangling", fs.ErrNotExist, "link")
		if s.report.Failed != 1 || s.report.Left != 2 {
			t.Errorf("%+v\n%s", s.report, s)
		}
		holds(t, dst, map[string]string{"dir/b": "2", "dir/file": "1", "alias/a": "1"})
	}
}
