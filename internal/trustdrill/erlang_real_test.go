//go:build linux && realserver

package trustdrill

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

var erlang = setup{"Erlang", ftpx.SFTP, realserver.Options{Kind: realserver.Erlang}}

// TestErlangGivesHandlesTwice: ssh_sftpd answers SSH_FXP_OPEN with a handle that is still
// open. All files arrive as they are, in both directions, on a client that does not know
// the server yet and on one that does.
func TestErlangGivesHandlesTwice(t *testing.T) {
	r := newRig(t, erlang)
	for round := range lessIfShort(30, 2) {
		tree := t.TempDir()
		want := smallTree(t, tree, byte(round), 120, func(i int) int { return i * 4500 / 119 })
		out := fmt.Sprint("round", round)
		for turn := range 2 {
			opts := &folder.Options{Parallel: 8, Compare: folder.CompareNothing}
			c := r.client(t)
			if _, err := folder.Upload(t.Context(), c, tree, out, opts); err != nil {
				t.Fatal(err)
			}
			wantTree(t, r.on(out), want)
			if turn == 1 {
				c = r.client(t)
			}
			back := t.TempDir()
			if _, err := folder.Download(t.Context(), c, out, back, opts); err != nil {
				t.Fatal(err)
			}
			wantTree(t, back, want)
		}
	}
}

// TestErlangLargeFile: a tree with a file that keeps a handle open while others come and go.
func TestErlangLargeFile(t *testing.T) {
	r := newRig(t, erlang)
	for round := range lessIfShort(5, 1) {
		tree := t.TempDir()
		want := smallTree(t, tree, byte(round), 40, func(i int) int { return i * 4500 / 39 })
		want["d0/large"] = content(byte(100+round), 20*mib)
		write(t, filepath.Join(tree, "d0/large"), want["d0/large"])
		out := fmt.Sprint("large", round)
		opts := &folder.Options{Parallel: 8, Compare: folder.CompareNothing}
		c := r.client(t)
		_, err := folder.Upload(t.Context(), c, tree, out, opts)
		must(t, err)
		wantTree(t, r.on(out), want)
		back := t.TempDir()
		_, err = folder.Download(t.Context(), c, out, back, opts)
		must(t, err)
		wantTree(t, back, want)
	}
}

// must fails the test at once.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// smallTree makes n files, in four folders, and returns what each holds.
func smallTree(t *testing.T, dir string, seed byte, n int, size func(i int) int) map[string][]byte {
	t.Helper()
	want := map[string][]byte{}
	for i := range n {
		name := fmt.Sprintf("d%d/f%03d", i%4, i)
		want[name] = content(seed^byte(i), size(i))
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		write(t, filepath.Join(dir, name), want[name])
	}
	return want
}

// wantTree fails the test for each file that is missing, differs, or is too many. What
// begins with a dot is leftovers, which is counted.
func wantTree(t *testing.T, dir string, want map[string][]byte) (leftovers int) {
	t.Helper()
	seen := 0
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		data, known := want[name]
		switch {
		case d.Name()[0] == '.':
			leftovers++
			return nil
		case !known:
			t.Errorf("%s is too much", name)
			return nil
		}
		seen++
		same(t, path, data)
		return nil
	}))
	if seen != len(want) {
		t.Errorf("%d of %d files are there", seen, len(want))
	}
	return leftovers
}
