package ftpx

import (
	"sync/atomic"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// quirks are what a client has learned about one host the hard way. They stand
// for the client's life, whatever becomes of the connections that learned them.
type quirks struct {
	// learned is what the drivers have: commands that are announced and refused.
	learned transport.Learned

	// ftp and sftp are what it does with writes that go on from an offset.
	ftp, sftp offsets
	// noReplace: RNTO onto an existing file is refused.
	noReplace atomic.Bool
}

// offsets is what a host was seen to do with a file that is to be gone on with. Until
// it has shown that it writes at offsets, what an older session does with a file that it
// has open may not be the same bytes at the same place, see orphan.go.
type offsets struct {
	// refused: as rclone does, which stores whole objects, and ProFTPD with
	// AllowStoreRestart off: REST is answered 350 and the STOR after it refused.
	refused atomic.Bool
	// taken: it went on with one.
	taken atomic.Bool
}

func (q *quirks) offsets(p Protocol) *offsets {
	if p.IsFTP() {
		return &q.ftp
	}
	return &q.sftp
}
