//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package download

import "os"

// OpenPart opens a part for writing, creating it if need be. Here no lock is
// taken: two processes must not fetch to the same local path at once.
func OpenPart(name string, _ func()) (*os.File, error) {
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
}
