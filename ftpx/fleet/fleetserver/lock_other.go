//go:build !unix

package fleetserver

import (
	"fmt"
	"os"
	"path/filepath"
)

// lock keeps a second server away from a store: where a file that is open cannot be removed,
// the one that another server has open is still there.
func lock(store string) (*os.File, error) {
	name := filepath.Join(store, "ftpx.lock")
	if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("Options.Store: %s is in use by another server: stop it, or name another folder", store)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("Options.Store: %w", err)
	}
	return f, nil
}
