//go:build linux && realserver

package ftpdriver

import (
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRealBatchesEqualTheirSequences: on two servers of a kind, one of which is sent one
// command at a time.
func TestRealBatchesEqualTheirSequences(t *testing.T) {
	eachReal(t, func(t *testing.T, srv *realserver.Server, ep *transport.Endpoint) {
		for _, folder := range []string{"engine", "serial"} {
			if err := dial(t, ep).Mkdir(t.Context(), folder); err != nil {
				t.Fatal(err)
			}
		}
		equalBatches(t, 100, [2]string{"engine/", "serial/"}, func(serial bool) (*tconn, string) {
			own, folder := *ep, "engine"
			own.Learned = new(transport.Learned)
			if serial {
				own.Learned.Note(own.Addr(), lacksPipelining, true)
				folder = "serial"
			}
			return dial(t, &own), srv.Root + "/" + folder
		})
	})
}
