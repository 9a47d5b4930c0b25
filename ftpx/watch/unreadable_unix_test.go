//go:build unix

package watch_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// unprivileged reports whether the test is to go on: for root, who can read everything,
// it is run in a process of nobody's instead.
func unprivileged(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		return true
	}
	self, err := os.Executable()
	must(t, err)
	if runtime.GOOS == "linux" {
		self = "/proc/self/exe" // the folder that it is in may be root's alone
	}
	tmp, err := os.MkdirTemp("/tmp", "ftpx-nobody")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(tmp) })
	const nobody = 65534
	must(t, os.Chown(tmp, nobody, nobody))
	cmd := exec.Command(self, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Dir, cmd.Env = tmp, append(os.Environ(), "TMPDIR="+tmp, "HOME="+tmp)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
	return false
}

// TestUnreadableFolder: what cannot be read is told, and the rest goes on.
func TestUnreadableFolder(t *testing.T) {
	if !unprivileged(t) {
		return
	}
	dir := t.TempDir()
	put(t, filepath.Join(dir, "shut/x"), "1")
	put(t, filepath.Join(dir, "ok"), "1")
	must(t, os.Chmod(filepath.Join(dir, "shut"), 0))
	t.Cleanup(func() { os.Chmod(filepath.Join(dir, "shut"), 0o755) })
	s := follow(t, local(dir, quick(20*time.Millisecond)))
	s.has("ok")
	s.until("the error", func(_ map[string]int, errs []error) bool {
		return len(errs) > 0 && errors.Is(errs[0], fs.ErrPermission) && strings.Contains(errs[0].Error(), `"shut"`)
	})
	must(t, os.Chmod(filepath.Join(dir, "shut"), 0o755))
	s.has("shut/x")
	s.once("ok", "shut/x")
}

// TestUnreadableFile: it fails, is told, and does not hold up the others.
func TestUnreadableFile(t *testing.T) {
	if !unprivileged(t) {
		return
	}
	client, root := connect(t, ftpx.SFTP)
	local := t.TempDir()
	put(t, filepath.Join(local, "shut"), "1")
	must(t, os.Chmod(filepath.Join(local, "shut"), 0))
	put(t, filepath.Join(local, "good"), "2")
	o := quick(20 * time.Millisecond)
	o.Attempts = 1
	r := begin(t, true, client, local, o)
	r.copied(1)
	r.until("the error", func(items []folder.Item) bool {
		for _, i := range items {
			if i.Path == "shut" && errors.Is(i.Err, fs.ErrPermission) {
				return true
			}
		}
		return false
	})
	r.stop()
	holds(t, filepath.Join(root, "in"), map[string]string{"good": "2"})
}
