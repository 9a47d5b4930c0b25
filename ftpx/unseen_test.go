package ftpx_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestFetchWhatIsNotDescribed: some servers let their users open, read and write, and
// nothing else. What is fetched from them has the size that it has, and the result says
// that the end of the file is all that shows it. A loss in the middle is survived: the
// beginning is fetched again, and compared where it cannot be written again.
func TestFetchWhatIsNotDescribed(t *testing.T) {
	for _, refusal := range []transport.Kind{transport.KindPermission, transport.KindUnsupported} {
		for _, loses := range []bool{false, true} {
			inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
				data := content(300 << 10)
				s.Files().Write("f", data, time.Now())
				lost := !loses
				s.Inject(func(op memconn.OpInfo) memconn.Fault {
					switch {
					case op.Protocol != ftpx.SFTP: // over FTP the size is needed
					case op.Request == "SSH_FXP_STAT" && op.Step == memconn.StepReply:
						return memconn.Fault{Do: memconn.Refuse, Kind: refusal}
					case op.Step == memconn.StepData && op.Offset > 0 && !lost:
						lost = true
						return memconn.Fault{Do: memconn.LostAfter}
					}
					return memconn.Fault{}
				})
				check := func(what string, res ftpx.Result, err error, got []byte) {
					t.Helper()
					if res.Protocol == ftpx.SFTP && loses != (res.Attempts > 1) {
						t.Errorf("%s: %d attempts with a loss: %v", what, res.Attempts, loses)
					}
					if err != nil || res.Size != int64(len(data)) || !bytes.Equal(got, data) {
						t.Fatalf("%s: %d bytes, %+v, %v", what, len(got), res, err)
					}
					if seen := res.Protocol != ftpx.SFTP; res.Verified.Size != (seen || res.Verified.Hash != "") || res.Verified.Acknowledged == res.Verified.Size {
						t.Errorf("%s over %v: verified %v", what, res.Protocol, res.Verified)
					}
				}
				local := filepath.Join(t.TempDir(), "f")
				res, err := c.Download(t.Context(), "f", local, nil)
				got, _ := os.ReadFile(local)
				check("download", res, err, got)
				lost = !loses
				var w bytes.Buffer
				res, err = c.Get(t.Context(), "f", &w, nil)
				check("get", res, err, w.Bytes())
			})
		}
	}
}

// TestGetOfAnotherFileThatIsNotDescribed: nothing tells that it was exchanged but what has
// been written.
func TestGetOfAnotherFileThatIsNotDescribed(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		data := content(300 << 10)
		s.Files().Write("f", data, time.Now())
		lost := false
		s.Inject(func(op memconn.OpInfo) memconn.Fault {
			switch {
			case op.Protocol != ftpx.SFTP:
			case op.Request == "SSH_FXP_STAT" && op.Step == memconn.StepReply:
				return memconn.Fault{Do: memconn.Refuse, Kind: transport.KindPermission}
			case op.Step == memconn.StepData && op.Offset > 0 && !lost:
				lost = true
				s.Files().Write("f", bytes.Repeat([]byte{7}, len(data)), time.Now())
				return memconn.Fault{Do: memconn.LostAfter}
			}
			return memconn.Fault{}
		})
		var w bytes.Buffer
		res, err := c.Get(t.Context(), "f", &w, nil)
		if res.Protocol == ftpx.SFTP && (err == nil || !bytes.HasPrefix(data, w.Bytes())) {
			t.Errorf("%d bytes, %+v, %v", w.Len(), res, err)
		}
	})
}
