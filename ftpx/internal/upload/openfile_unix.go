//go:build unix

package upload

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// OpenToRead opens a file without ever waiting for another process, as opening
// a pipe does that nobody writes to. Where another process holds a lease on a
// regular file, the system asks for it back and says "try again" meanwhile.
func OpenToRead(name string) (f *os.File, err error) {
	for range 20 {
		f, err = os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return f, err
}
