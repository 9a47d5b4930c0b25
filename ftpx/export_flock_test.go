//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package ftpx

// HookOpened has f called whenever a client has opened a part and is about to lock it, until
// the returned function is called.
func HookOpened(c Client, f func()) (end func()) {
	ended := false
	c.(*client).env.PartOpened = func() {
		if !ended {
			f()
		}
	}
	return func() { ended = true }
}
