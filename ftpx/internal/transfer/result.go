package transfer

import (
	"errors"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// The errors that a transfer finds by itself.
var (
	// ErrSourceChanged: the source was truncated, grew or was rewritten while it was
	// being transferred.
	ErrSourceChanged = errors.New("the source changed during the transfer")
	// ErrMismatch: what arrived is not what was sent.
	ErrMismatch = errors.New("the file that arrived differs from the source")
	// ErrNotRewindable: a transfer failed and could not be tried again, because its source
	// cannot be read twice.
	ErrNotRewindable = errors.New("the source cannot be read again, so the transfer had one attempt")
)

// MaxRestarts bounds how often a transfer begins again because its source changed or
// what arrived was wrong.
const MaxRestarts = 3

// Result is what a transfer has done, also as far as it came.
type Result struct {
	Protocol          transport.Protocol
	Addr              string
	Size              int64
	Moved             int64 // payload over the line, what was sent twice included
	Kept              int64 // what was there already and was proven
	Attempts, Resumes int
	Unchanged         bool
	TimeKept          bool
	ModeSet           bool
	Verified          Verified
}

// Verified tells how a transfer was checked.
type Verified struct {
	Size     bool
	Hash     string // the algorithm, "" for none
	ReadBack int64  // bytes read back and compared
	// Acknowledged: nothing was compared, and the server has said that it has it.
	Acknowledged bool
}

// Verify is how much a transfer is checked.
type Verify uint8

// The ways to check.
const (
	// VerifyAuto compares the size, a hash where the server has one, and reads back
	// around the offsets where a transfer was resumed.
	VerifyAuto Verify = iota
	// VerifySize compares the size only.
	VerifySize
	// VerifyFull also compares every byte.
	VerifyFull
)

// Env is what a transfer needs of its client.
type Env struct {
	Session *session.Session
	// Sent and Received count payload.
	Sent, Received func(n int64)
	// Resumed is told of a transfer that resumes; proof is how what is there was proven.
	Resumed func(l *session.Lease, t session.Task, at Position, proof string)
	// Progress is told how far a transfer is. It may be called by several goroutines, one
	// at a time for each transfer.
	Progress func(l *session.Lease, t session.Task, at Position)
	// Verified is told what was compared; v is of no use where err is not nil.
	Verified func(l *session.Lease, t session.Task, c Check)
	// NameWait is the longest pause between two looks for a name that was acknowledged and
	// does not show; 0 for the usual one.
	NameWait time.Duration
	// PartOpened is told that the part of a download is open and about to be locked, where
	// these are two steps; nil for nobody.
	PartOpened func()
}

// Position is how far a transfer is into a file of a size, -1 where that is not known.
type Position struct{ Offset, Size int64 }

// Check is what was compared of a transfer.
type Check struct {
	Took     time.Duration
	Verified Verified
	Err      error
}

// Report tells own and the client's hook how far a transfer is.
func (e *Env) Report(l *session.Lease, t session.Task, own func(*session.Lease, Position), at Position) {
	if own != nil {
		own(l, at)
	}
	e.Progress(l, t, at)
}
