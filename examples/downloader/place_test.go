package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
)

// TestLinksInFolder: a link in the local folder is not written through, wherever it leads.
func TestLinksInFolder(t *testing.T) {
	w := clitest.Start(t)
	clitest.Write(t, w.Root, map[string]string{"d/in/a": "A", "d/out/b": "B", "d/out/deep/c": "C", "d/plain": "P"})
	dir, outside := t.TempDir(), t.TempDir()
	clitest.Write(t, dir, map[string]string{"d/": "", "elsewhere/": ""})
	for name, to := range map[string]string{"d/in": filepath.Join("..", "elsewhere"), "d/out": outside} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	s := clitest.Command{Main: run}.Run(t.Context(), t, w.Flags(w.URLOf("sftp", "d"), dir)...).Want(t, cli.ExitSome, "d/in", "d/out", "it is a folder here and a link there")
	clitest.Holds(t, outside, map[string]string{})
	if !strings.Contains(s.Out, "plain") {
		t.Errorf("the others have not been fetched: %s", s.Out)
	}
	clitest.Holds(t, filepath.Join(dir, "elsewhere"), map[string]string{})
}

// TestNamesOfUnfinishedFiles: a file that is called like another one's unfinished
// download survives it, whatever comes first, and again in a second run.
func TestNamesOfUnfinishedFiles(t *testing.T) {
	w := clitest.Start(t)
	files := map[string]string{"x/a.part": "part", "x/a.part.state": "state", "x/a.part.part": "part of part", "y/a": clitest.Content(1 << 20), "y/A.PART": "upper"}
	clitest.Write(t, w.Root, files)
	want := map[string]string{"a.part": "part", "a.part.state": "state", "a.part.part": "part of part", "a": files["y/a"], "A.PART": "upper"}
	for _, urls := range [][]string{{"x/", "y/"}, {"y/", "x/"}} {
		dir := t.TempDir()
		for range 2 {
			clitest.Command{Main: run}.Run(t.Context(), t, w.Flags("-parallel", "8", w.URLOf("sftp", urls[0]), w.URLOf("sftp", urls[1]), dir)...).Want(t, cli.ExitDone)
			clitest.Holds(t, dir, want)
		}
	}
}
