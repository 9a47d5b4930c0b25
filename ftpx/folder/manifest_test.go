package folder_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// TestManifest: what is written is checked, here and by sha256sum, and shows what has
// changed, gone or been forged.
func TestManifest(t *testing.T) {
	outer := t.TempDir()
	dir := filepath.Join(outer, "d")
	files := map[string]string{"a": "1", "d/ü b": "22", "empty": "", "x.part": "file", "y.part": "ours", "y.part.state": "{}", folder.ManifestName: "old", "deep/er/f": content(70_000)}
	if runtime.GOOS != "windows" {
		files["back\\slash\nand line"] = "odd"
	}
	write(t, dir, files)
	write(t, outer, map[string]string{"secret": "s"})
	var m bytes.Buffer
	must(t, folder.WriteManifest(t.Context(), dir, &m))
	if n := strings.Count(m.String(), "\n"); n != len(files)-3 {
		t.Errorf("%d lines for %d files:\n%s", n, len(files)-3, m.String())
	}
	check := func(manifest string) map[string]error {
		bad := map[string]error{}
		n := 0
		for p, err := range folder.CheckManifest(t.Context(), dir, strings.NewReader(manifest)) {
			if n++; err != nil {
				bad[p] = err
			}
		}
		if n != strings.Count(manifest, "\n") {
			t.Errorf("%d of %d lines", n, strings.Count(manifest, "\n"))
		}
		return bad
	}
	if bad := check(m.String()); len(bad) != 0 {
		t.Errorf("%v", bad)
	}
	if tool, err := exec.LookPath("sha256sum"); err == nil {
		cmd := exec.Command(tool, "-c", "--strict", "--quiet", "-")
		cmd.Dir, cmd.Stdin = dir, bytes.NewReader(m.Bytes())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("sha256sum: %v: %s", err, out)
		}
	}
	must(t, os.WriteFile(filepath.Join(dir, "a"), []byte("2"), 0o644))
	must(t, os.Remove(filepath.Join(dir, "empty")))
	sum := strings.Repeat("0", 64)
	bad := check(m.String() + sum + "  ../secret\n" + sum + "  /etc/passwd\n" + sum + "  deep\nnonsense\n" + strings.Repeat("g", 64) + "  a\n")
	if len(bad) != 7 || !errors.Is(bad["a"], folder.ErrChecksum) || !errors.Is(bad["empty"], fs.ErrNotExist) || !errors.Is(bad["deep"], folder.ErrTypeConflict) ||
		!errors.Is(bad[sum+"  ../secret"], folder.ErrName) || !errors.Is(bad[sum+"  /etc/passwd"], folder.ErrName) || bad["nonsense"] == nil {
		t.Errorf("%v", bad)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := folder.WriteManifest(ctx, dir, &m); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
}
