package folder_test

import (
	"os"
	"testing"
)

// hold has a file open for writing, as another program would.
func hold(t *testing.T, name string) (release func()) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	must(t, err)
	return func() { f.Close() }
}
