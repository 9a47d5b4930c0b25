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

	// noRestart: REST is answered 350 and the STOR after it refused, as ProFTPD
	// does with AllowStoreRestart off.
	noRestart atomic.Bool
	// noReplace: RNTO onto an existing file is refused.
	noReplace atomic.Bool
}
