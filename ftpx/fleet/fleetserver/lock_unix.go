//go:build unix

package fleetserver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lock keeps a second server away from a store: two that write one would destroy it. The
// system gives it back when the process ends, however that ends.
func lock(store string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(store, "ftpx.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("Options.Store: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		f.Close()
		return nil, fmt.Errorf("Options.Store: %s is in use by another server: stop it, or name another folder", store)
	}
	if err != nil { // a file system without locks
		f.Close()
		return nil, nil
	}
	return f, nil
}
