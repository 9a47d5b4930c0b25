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
		io   IO
		kind transport.Kind
	}{
		{IO{Limit: 5, Part: &Part{}}, transport.KindLocked},
		{IO{Limit: 5}, transport.KindStalled},
		{IO{}, transport.KindStalled},
	} {
		c := dial(t, ep)
		_, err := c.Retrieve(t.Context(), "f", 0, io.Discard, &tt.io)
		wantKind(t, err, tt.kind, 0)
		wantBroken(t, c, f)
	}
}
