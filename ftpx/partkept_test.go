package ftpx_test

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A part of a file whose time was told is not continued where none is told now: it may be
// another file of the same size, whose end is the same.
func TestPartWhoseFileHasLostItsTime(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		data := content(600 << 10)
		other := bytes.Clone(data)
		other[1000] ^= 1
		s.Files().Write("f", data, time.Now())
		local := filepath.Join(t.TempDir(), "f")
		s.Inject(func(op memconn.OpInfo) memconn.Fault {
			if op.Step == memconn.StepData && op.Offset >= 400<<10 {
				return memconn.Fault{Do: memconn.Refuse, Kind: transport.KindPermission}
			}
			return memconn.Fault{}
		})
		if _, err := c.Download(t.Context(), "f", local, nil); err == nil {
			t.Fatal("it was not refused")
		}
		s.Inject(nil)
		s.Files().Write("f", other, time.Time{})
		res, err := c.Download(t.Context(), "f", local, nil)
		if err != nil || res.Kept != 0 {
			t.Errorf("%+v %v", res, err)
		}
		wantFile(t, local, other)
	})
}
