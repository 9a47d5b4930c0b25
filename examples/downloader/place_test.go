package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
)

// TestMisleading: names are judged by the rules of the system that is to hold them.
func TestMisleading(t *testing.T) {
	for name, bad := range map[string]struct{ everywhere, windows bool }{
		"a": {}, "a/b.c": {}, "...": {windows: true}, "..a": {}, "-rf": {}, "über/帳票": {}, ".part": {}, "con1": {}, "lpt": {}, "COM10": {}, "console.txt": {},
		"": {everywhere: true}, ".": {everywhere: true}, "..": {everywhere: true}, "../x": {everywhere: true}, "a/../../x": {everywhere: true},
		"a/..": {everywhere: true}, "/etc/passwd": {everywhere: true}, "a//b": {everywhere: true}, "a/": {everywhere: true},
		"esc\x1b[2J": {everywhere: true}, "a\r\nb": {everywhere: true}, "nul\x00": {everywhere: true}, "del\x7f": {everywhere: true},
		`..\x`: {windows: true}, `a\b`: {windows: true}, `\\host\share`: {windows: true}, "C:": {windows: true}, "C:x": {windows: true}, "a:stream": {windows: true},
		"NUL": {windows: true}, "nul.txt": {windows: true}, "d/Aux": {windows: true}, "CON .txt": {windows: true}, "com1": {windows: true}, "COM².log": {windows: true},
		"conin$": {windows: true}, "LPT0": {windows: true}, "end.": {windows: true}, "end ": {windows: true}, "d./x": {windows: true}, "what?": {windows: true}, `"`: {windows: true},
	} {
		if got := misleading(name, false) != ""; got != bad.everywhere {
			t.Errorf("%q: refused %v elsewhere than on Windows", name, got)
		}
		if got := misleading(name, true) != ""; got != (bad.everywhere || bad.windows) {
			t.Errorf("%q: refused %v on Windows", name, got)
		}
	}
}

// TestLinksInFolder: a link in the folder is followed as long as it stays within.
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
	s := clitest.Command{Main: run}.Run(t.Context(), t, w.Flags(w.URLOf("sftp", "d"), dir)...).Want(t, cli.ExitSome, filepath.Join("d", "out"), "escapes")
	clitest.Holds(t, outside, map[string]string{})
	if !strings.Contains(s.Out, "plain") {
		t.Errorf("the others have not been fetched: %s", s.Out)
	}
	clitest.Holds(t, filepath.Join(dir, "elsewhere"), map[string]string{"a": "A"})
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
