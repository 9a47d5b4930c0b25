package download

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// OpenPart opens a part for writing, creating it if need be, and lets nobody
// else write to it meanwhile. errPartHeld if another has it. Reading is shared,
// and so is deleting, without which the part could not get its final name before
// it is closed, that is while it is still protected.
func OpenPart(name string, _ func()) (*os.File, error) {
	p, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	h, err := windows.CreateFile(p, windows.GENERIC_READ|windows.GENERIC_WRITE, windows.FILE_SHARE_READ|windows.FILE_SHARE_DELETE,
		nil, windows.OPEN_ALWAYS, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		return nil, errPartHeld
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(h), name), nil
}
