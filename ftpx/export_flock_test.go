//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package ftpx

// HookOpened has f called whenever a part has been opened and is about to be locked, until
// the returned function is called.
func HookOpened(f func()) (end func()) {
	testHookOpened = f
	return func() { testHookOpened = func() {} }
}
