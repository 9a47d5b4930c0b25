package ftpx_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

// TestPutSkipsTheSame: a file that was given to Put and is there already is not sent
// again, as with Upload; without SkipSame it is.
func TestPutSkipsTheSame(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, bytes.Repeat([]byte("0123456789abcdef"), 128<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	c := ftpxtest.NewClient()
	defer c.Close()
	for _, tt := range []struct {
		skip, unchanged bool
	}{{true, false}, {true, true}, {false, false}} {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.Put(t.Context(), "f", f, &ftpx.PutOptions{ModTime: info.ModTime(), SkipSame: tt.skip})
		f.Close()
		if err != nil || res.Unchanged != tt.unchanged {
			t.Errorf("SkipSame %v: unchanged is %v, want %v; error %v", tt.skip, res.Unchanged, tt.unchanged, err)
		}
	}
}
