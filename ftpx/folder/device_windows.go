package folder

import (
	"errors"

	"golang.org/x/sys/windows"
)

// otherDevice reports whether a rename failed because it would have to copy.
func otherDevice(err error) bool { return errors.Is(err, windows.ERROR_NOT_SAME_DEVICE) }
