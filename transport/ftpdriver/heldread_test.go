package ftpdriver

import (
	"io"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Trap 16: vsftpd does not answer a RETR either while an older session is writing
// the file. Of a part that is read back, that is a lock; of a file that is
// fetched, a server that takes its time.
func TestLockedReadBack(t *testing.T) {
	t.Parallel()
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.files["f"] = []byte("hello world")
		f.on["RETR"] = always("")
	})
	ep.Stall = 500 * time.Millisecond
	for _, tt := range []struct {
		get  transport.Retrieve
		kind transport.Kind
	}{
		{transport.Retrieve{Limit: 5, Written: true}, transport.KindLocked},
		{transport.Retrieve{Limit: 5}, transport.KindStalled},
		{transport.Retrieve{}, transport.KindStalled},
	} {
		c := dial(t, ep)
		tt.get.Path, tt.get.Dst = "f", io.Discard
		err := c.do(t.Context(), &tt.get)
		wantKind(t, err, tt.kind, 0)
		wantBroken(t, c, f)
	}
}
