package folder_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// fills makes the disk full for whoever has the file open.
func fills(t *testing.T, path string) {
	t.Helper()
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	must(t, err)
	defer full.Close()
	path, err = filepath.EvalSymlinks(path)
	must(t, err)
	fds, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	n := 0
	for _, e := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err != nil || to != path {
			continue
		}
		fd, err := strconv.Atoi(e.Name())
		must(t, err)
		must(t, syscall.Dup3(int(full.Fd()), fd, syscall.O_CLOEXEC))
		n++
	}
	if n != 1 {
		t.Fatalf("%d descriptors of %s", n, path)
	}
}

// TestFullDiskAtTheLastCommit: all files are copied, and the entries that have gathered
// cannot be written. The run does not end well: the next would copy them again.
func TestFullDiskAtTheLastCommit(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			files := map[string]string{"a": "1"}
			write(t, src, files)
			l, path := gathers(t)
			fills(t, path)
			s := way.run(t.Context(), w, local, &folder.Options{Ledger: l, Job: "j"})
			if !errors.Is(s.err, syscall.ENOSPC) || s.report.Copied != 1 || s.report.Failed != 0 {
				t.Errorf("%v, %+v", s.err, s.report)
			}
			holds(t, dst, files)
			if err := l.Close(); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("Close: %v", err)
			}
		})
	}
}
