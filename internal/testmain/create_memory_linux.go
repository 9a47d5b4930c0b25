package testmain

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	root     = "/dev/shm"
	prefix   = "go-ftpx-test-"
	making   = "new-"  // before prefix until the folder is locked
	lockName = ".lock" // held by the process whose folder it is
	leastKiB = 1 << 20
)

// create makes a folder in root, and removes those whose processes are gone. It returns ""
// where root is no place for tests.
func create(root string) (dir string, remove func(), err error) {
	var fs unix.Statfs_t
	if unix.Statfs(root, &fs) != nil || fs.Type != unix.TMPFS_MAGIC || fs.Flags&unix.ST_NOEXEC != 0 ||
		int64(fs.Bavail)*fs.Bsize>>10 < leastKiB || unix.Access(root, unix.W_OK) != nil {
		return "", nil, nil
	}
	if err := clean(root); err != nil {
		return "", nil, err
	}
	fresh, err := os.MkdirTemp(root, making+prefix)
	if err != nil {
		return "", nil, err
	}
	dir = filepath.Join(root, strings.TrimPrefix(filepath.Base(fresh), making))
	lock, err := hold(filepath.Join(fresh, lockName), os.O_CREATE)
	if err == nil {
		// Servers that change to the user who logs in pass through it.
		err = errors.Join(os.Chmod(fresh, 0o711), os.Rename(fresh, dir))
	}
	if err != nil {
		_ = os.RemoveAll(fresh) // the first error is the one to tell
		return "", nil, err
	}
	return dir, func() {
		_ = os.RemoveAll(dir) // what stays, the next process removes
		lock.Close()
	}, nil
}

// hold opens and locks a file. The lock ends with the process, however that ends: the
// kernel closes its files, and programs that it started do not have them.
func hold(name string, flag int) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|flag, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// clean removes the folders of processes that are gone.
func clean(root string) error {
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		dir := filepath.Join(root, e.Name())
		lock, err := hold(filepath.Join(dir, lockName), 0)
		if err != nil {
			continue // its process lives, or is removing it, or it is somebody else's
		}
		_ = os.RemoveAll(dir) // what cannot be removed does no harm to these tests
		lock.Close()
	}
	return nil
}
