package folder

import (
	"os"

	"golang.org/x/sys/windows"
)

// renameExclusive moves a file unless there is one at the new name.
func renameExclusive(from, to string) error {
	f, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	t, err := windows.UTF16PtrFromString(to)
	if err == nil {
		err = windows.MoveFileEx(f, t, 0) // neither replacing nor copying
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}
