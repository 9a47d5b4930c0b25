//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package download

import (
	"errors"
	"os"
	"syscall"
)

// OpenPart opens a part for writing, creating it if need be, and locks it
// against every other process and every other open of this one. errPartHeld if
// another has it; opened, if it is not nil, is told before that is asked. The lock goes with the file: closing it, or the end of the
// process, gives it up, so that none can be left behind. O_NONBLOCK is for a
// pipe that has come into its place, which must not hold us up.
//
// A file system without locks, as some network ones are, is worked on without.
func OpenPart(name string, opened func()) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NONBLOCK, 0o666)
	if err != nil {
		return nil, err
	}
	if opened != nil {
		opened()
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			f.Close()
			return nil, errPartHeld
		}
		return f, nil
	}
}
