//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package ftpx

import "github.com/seed01fc2e40/go-ftpx/ftpx/internal/download"

// HookOpened has f called whenever a part has been opened and is about to be locked, until
// the returned function is called.
func HookOpened(f func()) (end func()) {
	download.TestHookOpened = f
	return func() { download.TestHookOpened = func() {} }
}
