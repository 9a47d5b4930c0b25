package folder_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestWhatAllWouldMeetEndsTheJob: passive ports that are closed to us cost one retry
// budget, not one for each file.
func TestWhatAllWouldMeetEndsTheJob(t *testing.T) {
	t.Parallel()
	w := start(t, ftpx.FTP, func(o *testserver.TrioOptions, c *ftpx.Options) {
		c.Retry = retry.Policy{MaxElapsed: time.Second}
		o.FTP = func(f *testserver.FTPOptions) {
			f.OnReply = func(verb, line string) string {
				switch verb {
				case "EPSV":
					return "229 Entering Extended Passive Mode (|||1|)"
				case "PASV":
					return "227 Entering Passive Mode (127,0,0,1,0,1)"
				}
				return line
			}
		}
	})
	files := map[string]string{}
	for i := range 1000 {
		files[fmt.Sprint(i)] = "x"
	}
	local := t.TempDir()
	write(t, local, files)
	r, err := folder.Upload(t.Context(), w.client, local, ".", &folder.Options{Delivery: ftpx.DeliverDrop}) // which lists nothing
	if !errors.Is(err, folder.ErrIncomplete) || !errors.Is(err, transport.ErrNoDataConn) || !ftpx.EndsAll(err) {
		t.Error(err)
	}
	if r.Failed == 0 || r.Failed > folder.DefaultSmall {
		t.Errorf("%d files were tried", r.Failed)
	}
}
