package ftpx_test

import (
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestRenameWhoseRepliesAreAllLost: the server has carried out RNFR and RNTO, which came
// in one write, and the connection is lost before it has answered either. The next attempt
// finds no file to rename and must not say so: it is where it was to go.
func TestRenameWhoseRepliesAreAllLost(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.FTP, ftpx.FTPS, ftpx.FTPSImplicit} {
		t.Run(p.String(), func(t *testing.T) {
			var armed, lost atomic.Bool
			var trio *testserver.Trio
			trio = startTrio(t, func(o *testserver.TrioOptions) {
				o.FTP = func(o *testserver.FTPOptions) {
					o.OnReply = func(verb, line string) string {
						switch {
						case !armed.Load():
							return line
						case verb == "RNTO" && lost.CompareAndSwap(false, true):
							armed.Store(false)
							go func() { trio.FTP.CutSessions(); trio.FTPS.CutSessions() }()
						}
						return ""
					}
				}
			})
			c := connect(t, trio, optionsFor(trio, p))
			data := content(1000)
			if _, err := c.Upload(t.Context(), localFile(t, data), "old", nil); err != nil {
				t.Fatal(err)
			}
			armed.Store(true)
			if err := c.Rename(t.Context(), "old", "new"); err != nil {
				t.Errorf("it was done: %v", err)
			}
			if !lost.Load() {
				t.Error("no reply was lost, so that nothing is shown")
			}
			wantNames(t, trio.Root, "new")
			wantFile(t, filepath.Join(trio.Root, "new"), data)
		})
	}
}
