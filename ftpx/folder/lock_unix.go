//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package folder

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// lockSource locks a file of the source against every other program that asks, until
// the file is closed. errLocked if another has it. O_NONBLOCK is for a pipe that has
// come into its place.
func lockSource(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func lockFile(f *os.File) error {
	// Locks of fcntl are others on Linux. They are only looked for: one that this process
	// took would end with the first of its files that is closed. Before flock, whose
	// lock is one of these elsewhere.
	lock := syscall.Flock_t{Type: syscall.F_RDLCK, Whence: io.SeekStart}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock); err == nil && lock.Type != syscall.F_UNLCK {
		return errLocked
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errLocked
		case err != nil:
			return fmt.Errorf("%w: %w", errNoLocks, err)
		}
		return nil
	}
}
