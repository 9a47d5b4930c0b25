package ftpx_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A download has gone on, and its seam was right; then the file on the server is written
// anew, in the same size. That its time is another shows in the end, and the file is
// fetched as it is now: no mixture gets the name.
func TestFileThatIsWrittenAnewBehindTheResumePoint(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		when := time.Date(2025, 11, 3, 4, 5, 6, 0, time.UTC)
		data := content(300<<10 + 1)[1:]
		s.Files().Write("f", content(300<<10), when)
		broken, written := false, false
		s.Inject(func(op memconn.OpInfo) memconn.Fault {
			switch {
			case op.Step != memconn.StepData:
			case !broken && op.Offset >= 100<<10:
				broken = true
				return memconn.Fault{Do: memconn.Refuse, Kind: transport.KindPermission}
			case broken && !written && op.Offset >= 200<<10:
				written = true
				s.Files().Write("f", data, when.Add(time.Hour))
			}
			return memconn.Fault{}
		})
		local := filepath.Join(t.TempDir(), "f")
		if _, err := c.Download(t.Context(), "f", local, nil); err == nil {
			t.Fatal("it was not refused")
		}
		res, err := c.Download(t.Context(), "f", local, nil)
		if err != nil || !written || res.Attempts != 2 {
			t.Errorf("%+v, %v", res, err)
		}
		wantFile(t, local, data)
	})
}
