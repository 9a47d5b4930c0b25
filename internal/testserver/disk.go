package testserver

import (
	"fmt"
	"sync"
	"syscall"

	ftpserver "github.com/fclairamb/ftpserverlib"
)

// Disk is an amount of space that servers share. Every byte written is taken
// from it, overwritten ones too, and none comes back: the point is to run out at
// a known byte, not to keep books. Safe for concurrent use.
type Disk struct {
	full error

	mu   sync.Mutex
	free int64
}

// NewDisk returns a disk with room for free bytes that fails with ENOSPC when
// full: FTP clients see the library's 550, SFTP clients SSH_FX_FAILURE.
func NewDisk(free int64) *Disk { return &Disk{free: free, full: syscall.ENOSPC} }

// NewQuota is [NewDisk] with a quota's error: FTP clients see 552, SFTP clients
// SSH_FX_FAILURE as with OpenSSH.
func NewQuota(free int64) *Disk {
	return &Disk{free: free, full: fmt.Errorf("disk quota exceeded: %w", ftpserver.ErrStorageExceeded)}
}

// SetFree sets the room left, in bytes: making space heals a full disk.
func (d *Disk) SetFree(free int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.free = free
}

// Free returns the room left, in bytes.
func (d *Disk) Free() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.free
}

// take claims room for n bytes and returns how many of them fit, with the error
// to report when not all do. A nil disk has no end.
func (d *Disk) take(n int) (int, error) {
	if d == nil {
		return n, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if int64(n) <= d.free {
		d.free -= int64(n)
		return n, nil
	}
	fits := int(max(d.free, 0))
	d.free -= int64(fits)
	return fits, d.full
}
