package ftpx

import "sync/atomic"

// quirks are what a client has learned about its server the hard way.
type quirks struct {
	// noRestart: REST is answered 350 and the STOR after it refused, as ProFTPD
	// does with AllowStoreRestart off.
	noRestart atomic.Bool
	// noReplace: RNTO onto an existing file is refused.
	noReplace atomic.Bool
}
