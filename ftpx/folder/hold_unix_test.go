//go:build !windows

package folder_test

import (
	"os"
	"syscall"
	"testing"
)

// hold locks a file as another program would.
func hold(t *testing.T, name string) (release func()) {
	t.Helper()
	f, err := os.Open(name)
	must(t, err)
	must(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB))
	return func() { f.Close() }
}
