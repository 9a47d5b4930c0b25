package ftpdriver

import (
	"errors"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// IO are the options of one Store or Retrieve. A nil *IO is the
// zero value.
type IO struct {
	// Size is how many bytes are expected from offset on, or 0 when unknown.
	// It is a hint for buffers and parallel requests, never a promise.
	Size int64
	// Limit, if positive, ends a Retrieve after so many bytes: reaching it is
	// success, and the rest of the file is not asked for where the protocol
	// allows, else cut off. Store ignores it.
	Limit int64
	// Finish, if not nil, has a Store that succeeds do what follows a whole
	// file, in round trips that it makes anyway. Retrieve ignores it.
	Finish *Finish
	// Part, if not nil, tells more of a Retrieve with a Limit. Store ignores it.
	Part *Part
	// Progress is called with the number of payload bytes that moved since the
	// last call: handed to the connection on Store, so it may run ahead of what
	// the server has; accepted by dst on Retrieve. Calls do not overlap.
	Progress func(n int64)
}

// Finish is what Store does at the end of a file besides storing it. What
// it could not do, for whatever reason, is left undone without an error: whoever
// needs it asks again by the method for it.
type Finish struct {
	// ModTime is set as by SetTime unless it is zero.
	ModTime time.Time
	// Hash is the algorithm of a digest of the whole file that is wanted, as for
	// Hash; "" for none.
	Hash string
	// Digest is that digest, nil if it was not asked for or not given.
	Digest []byte
	// More says that another file is about to follow on this connection.
	More bool
	// TimeSet says that it was.
	TimeSet bool
	// Entry is what Stat would have said after all this; nil if it was
	// not asked. Its size is at least as old as the end of the file: where it is
	// not what it should be, Stat has the last word.
	Entry *transport.Entry
}

// Part is what more there is to know of a part of a file that Retrieve reads back
// to prove what was being written: an older session may still hold the file, so that a
// server that does not begin for some seconds is taken to say so ([KindLocked]).
type Part struct {
	// More says that another transfer is about to follow on this connection.
	More bool
	// Last says that the file is expected to end where the part does.
	Last bool
	// Beyond is set where it does not: more came. Only FTP finds out, and only
	// with Last.
	Beyond bool
}

// Report calls Progress if there is one and something moved.
func (o *IO) Report(n int64) {
	if o != nil && o.Progress != nil && n > 0 {
		o.Progress(n)
	}
}

// LimitOr returns Limit if it is positive, else other.
func (o *IO) LimitOr(other int64) int64 {
	if o == nil || o.Limit <= 0 {
		return other
	}
	return o.Limit
}

// Finishing returns Finish, or nil on a nil *IO.
func (o *IO) Finishing() *Finish {
	if o == nil {
		return nil
	}
	return o.Finish
}

// Parting returns Part, or one that says nothing.
func (o *IO) Parting() *Part {
	if o == nil || o.Part == nil {
		return &Part{}
	}
	return o.Part
}

// SizeHint returns Size, or 0 on a nil *IO.
func (o *IO) SizeHint() int64 {
	if o == nil {
		return 0
	}
	return o.Size
}

// Looked is what Stat said of one name.
type Looked struct {
	Entry transport.Entry
	Err   error
}

// ErrNoLook says that a file has to be looked at before it is asked for.
var ErrNoLook = errors.New("the server does not tell enough of the file in one round trip")
