//go:build !windows

package folder

import (
	"errors"
	"syscall"
)

// otherDevice reports whether a rename failed because it would have to copy.
func otherDevice(err error) bool { return errors.Is(err, syscall.EXDEV) }
