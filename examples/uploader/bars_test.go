package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
)

// TestTerminal: with bars a run ends, whatever becomes of the files, and no line is
// lost, the last one included.
func TestTerminal(t *testing.T) {
	w := clitest.Start(t)
	src := t.TempDir()
	files := map[string]string{"zero": "", "one": "1", "big": clitest.Content(3 << 20), "nothing/": ""}
	clitest.Write(t, src, files)
	bad := filepath.Join(src, "dangling")
	symlink(t, "nowhere", bad)
	for name, stdout := range map[string]bool{"both": true, "stdout elsewhere": false} {
		t.Run(name, func(t *testing.T) {
			c := uploader
			c.Terminal, c.StdoutTerminal = true, stdout
			s := c.Run(t.Context(), t, w.Flags("-v", src+"/", w.URL(""))...).Want(t, cli.ExitSome, "dangling", "4 files: 3 done, 1 failed")
			clitest.Holds(t, w.Root, files)
			results := s.Out
			if stdout {
				results = s.Err // where the bars are
			}
			if n := strings.Count(results, "done zero ") + strings.Count(results, "done one ") + strings.Count(results, "done big "); n != 3 {
				t.Errorf("%d of 3 results are shown: stdout %q, stderr %q", n, s.Out, s.Err)
			}
		})
	}
	t.Run("empty", func(t *testing.T) {
		c := uploader
		c.Terminal = true
		c.Run(t.Context(), t, w.Flags(filepath.Join(src, "nothing"), w.URL(""))...).Want(t, cli.ExitDone, "0 files")
	})
}
