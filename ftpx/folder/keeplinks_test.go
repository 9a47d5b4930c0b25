package folder_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// copyBoth runs a job up and one down, each from a source and to a destination of its own.
func copyBoth(t *testing.T, p ftpx.Protocol, f func(t *testing.T, src, dst string, run func(*folder.Options) (folder.Report, []folder.Item, error))) {
	for _, up := range []bool{true, false} {
		t.Run(map[bool]string{true: "up", false: "down"}[up], func(t *testing.T) {
			w := start(t, p)
			here, there := t.TempDir(), filepath.Join(w.Root, "box")
			must(t, os.Mkdir(there, 0o755))
			src, dst := here, there
			if !up {
				src, dst = there, here
			}
			f(t, src, dst, func(o *folder.Options) (folder.Report, []folder.Item, error) {
				var items []folder.Item
				o.OnItem = func(i folder.Item) { items = append(items, i) }
				if up {
					r, err := folder.Upload(t.Context(), w.client, src, "box", o)
					return r, items, err
				}
				r, err := folder.Download(t.Context(), w.client, "box", dst, o)
				return r, items, err
			})
		})
	}
}

// Links are made as they are, changed where they have changed, and left alone else.
func TestKeepLinks(t *testing.T) {
	copyBoth(t, ftpx.SFTP, func(t *testing.T, src, dst string, run func(*folder.Options) (folder.Report, []folder.Item, error)) {
		files := map[string]string{"a/f": "1", "b/g": "2", "b/h": "22"}
		write(t, src, files)
		links := map[string]string{"to-file": "a/f", "to-folder": "a", "a/up": "../b/g", "dangling": "nowhere", "self": ".", "a/top": "..", "b/end": "../a/"}
		want := maps.Clone(files)
		for name, to := range links {
			must(t, os.Symlink(to, filepath.Join(src, name)))
			want[name] = "-> " + to
		}
		o := &folder.Options{Links: folder.LinkKeep, Delete: true, MaxDelete: 1}
		for round, made := range []int{len(links), 0, 1} {
			if round == 2 {
				must(t, os.Remove(filepath.Join(src, "to-file")))
				must(t, os.Symlink("b/g", filepath.Join(src, "to-file")))
				must(t, os.Remove(filepath.Join(src, "dangling")))
				want["to-file"] = "-> b/g"
				delete(want, "dangling")
			}
			dry := *o
			dry.DryRun = true
			if r, _, err := run(&dry); err != nil || r.Links != made {
				t.Fatalf("dry run %d: %+v, %v", round, r, err)
			}
			r, items, err := run(o)
			if err != nil || r.Links != made || r.Deleted != round/2 {
				t.Fatalf("run %d: %+v, %v, %v", round, r, items, err)
			}
			holds(t, dst, want)
		}
	})
}

// A link that leads out is named and not made, and the rest is copied. Nothing is written
// through a link.
func TestKeepLinksOutside(t *testing.T) {
	outside := t.TempDir()
	copyBoth(t, ftpx.SFTP, func(t *testing.T, src, dst string, run func(*folder.Options) (folder.Report, []folder.Item, error)) {
		write(t, src, map[string]string{"p/q/f": "1", "p/z": "2"})
		bad := map[string]string{"absolute": outside, "above": "../x", "p/above": "../../x", "p/q/far": "../../../etc/passwd", "behind": "p/q/../../x", "p/turned": "q/../z", "end": ".."}
		for name, to := range bad {
			must(t, os.Symlink(to, filepath.Join(src, name)))
		}
		r, items, err := run(&folder.Options{Links: folder.LinkKeep})
		if !errors.Is(err, folder.ErrIncomplete) || r.Failed != len(bad) || r.Links != 0 || r.Copied != 2 {
			t.Fatalf("%+v, %v", r, err)
		}
		for _, i := range items {
			if to, ok := bad[i.Path]; ok && (!errors.Is(i.Err, folder.ErrLinkOutside) || !strings.Contains(i.Err.Error(), i.Path) || !strings.Contains(i.Err.Error(), to)) {
				t.Errorf("%v", i)
			}
		}
		holds(t, dst, map[string]string{"p/q/f": "1", "p/z": "2"})
	})
	copyBoth(t, ftpx.SFTP, func(t *testing.T, src, dst string, run func(*folder.Options) (folder.Report, []folder.Item, error)) {
		write(t, src, map[string]string{"d/f": "1"})
		must(t, os.Symlink(outside, filepath.Join(dst, "d")))
		if r, _, err := run(&folder.Options{Links: folder.LinkKeep}); !errors.Is(err, folder.ErrIncomplete) || r.Copied != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		must(t, os.Remove(filepath.Join(src, "d", "f")))
		must(t, os.Remove(filepath.Join(src, "d")))
		must(t, os.Symlink("f", filepath.Join(src, "l")))
		write(t, dst, map[string]string{"l": "a file"})
		if r, _, err := run(&folder.Options{Links: folder.LinkKeep}); !errors.Is(err, folder.ErrIncomplete) || r.Links != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		holds(t, dst, map[string]string{"d": "-> " + outside, "l": "a file"})
	})
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("written outside: %v", left)
	}
}

// FTP has no links: each is named.
func TestKeepLinksOverFTP(t *testing.T) {
	copyBoth(t, ftpx.FTP, func(t *testing.T, src, dst string, run func(*folder.Options) (folder.Report, []folder.Item, error)) {
		write(t, src, map[string]string{"f": "1"})
		if filepath.Base(dst) != "box" {
			return // this server lists a link as a file
		}
		must(t, os.Symlink("f", filepath.Join(src, "l")))
		r, items, err := run(&folder.Options{Links: folder.LinkKeep})
		if !errors.Is(err, folder.ErrIncomplete) || !errors.Is(err, errors.ErrUnsupported) || r.Copied != 1 || r.Failed != 1 {
			t.Errorf("%+v, %v, %v", r, items, err)
		}
		holds(t, dst, map[string]string{"f": "1"})
	})
}

// Permission bits are those of the source, of what is copied, of what was there, and of folders.
func TestKeepModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits")
	}
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
		t.Run(p.String(), func(t *testing.T) {
			copyBoth(t, p, func(t *testing.T, src, dst string, run func(*folder.Options) (folder.Report, []folder.Item, error)) {
				files := map[string]string{"script": "#!", "d/secret": "s", "d/e/deep": "x", "open": "o"}
				write(t, src, files)
				modes := map[string]fs.FileMode{"script": 0o755, "d/secret": 0o600, "d/e/deep": 0o440, "open": 0o666, "d": 0o750, "d/e": 0o555}
				set := func() {
					for name, mode := range modes {
						must(t, os.Chmod(filepath.Join(src, name), mode))
					}
				}
				set()
				t.Cleanup(func() { _ = os.Chmod(filepath.Join(src, "d/e"), 0o755); _ = os.Chmod(filepath.Join(dst, "d/e"), 0o755) })
				o := &folder.Options{KeepModes: true}
				for round := range 3 {
					want := folder.Report{Copied: len(files), Folders: 2}
					switch round {
					case 1:
						want = folder.Report{Unchanged: len(files)}
					case 2:
						modes["script"], modes["d"] = 0o700, 0o700
						set()
						want = folder.Report{Unchanged: len(files), Modes: 2}
					}
					r, items, err := run(o)
					if p == ftpx.FTP && filepath.Base(src) == "box" { // a listing without modes
						if err != nil || r.ModesLost != len(files) {
							t.Errorf("%+v, %v", r, err)
						}
						return
					}
					if p == ftpx.FTP && round == 2 {
						return // the same
					}
					if err != nil || r.Copied != want.Copied || r.Unchanged != want.Unchanged || r.Modes != want.Modes || r.ModesLost != 0 {
						t.Fatalf("run %d: %+v, %v, %v", round, r, items, err)
					}
					for name, mode := range modes {
						info, err := os.Stat(filepath.Join(dst, name))
						must(t, err)
						if info.Mode().Perm() != mode {
							t.Errorf("run %d: %s has %v, want %v", round, name, info.Mode().Perm(), mode)
						}
					}
				}
			})
		})
	}
}
