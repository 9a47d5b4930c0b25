package ftpx

import (
	"context"
	"errors"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// arrive takes note of the host of an attempt. What was learned of another
// host's files is not true here, unless the hosts share their storage, which
// only a look can tell: so everything is looked for again. A rename that may
// have taken effect there is looked for here too, since with shared storage it
// would show; if it does not, this host gets the file from the beginning.
func (u *upload) arrive(ctx context.Context, l *lease) error {
	u.moved = u.moved || u.site != nil && u.site != l.site
	u.site = l.site
	if !u.moved {
		return nil
	}
	if u.placing {
		done, err := u.reconcile(ctx, l)
		if done {
			u.moved = false
			return nil // once finds the same and finishes
		}
		if err != nil && (!l.Usable() || transport.KindOf(err) != transport.KindLost) {
			return err
		}
		if err == nil { // the partial is here: the storage is shared
			u.moved = false
			return nil
		}
	}
	u.acknowledged = false
	u.moved, u.placing, u.backedUp, u.stored, u.looked = false, false, false, false, false
	u.confirmed, u.acked, u.window, u.looks, u.blocked = 0, 0, 0, 0, 0
	u.furthest = 0 // to get as far here is progress
	u.seen = seen{}
	u.arrived, u.closed = true, false
	return nil
}

// heldPatience is how long a partial may take to be read on a host that an
// upload has just moved to. Where hosts share their storage, vsftpd keeps it
// locked for the session on the host that died, and does not answer: to wait
// for the stall time once more would cost more than to begin again.
//
// heldTrips is for EPSV, the data connection, TLS on it and RETR on a long line.
const (
	heldPatience = time.Second
	heldTrips    = 8
)

var errHeld = errors.New("the session on the host that failed still holds it")

// unheld bounds the wait for the first byte of a partial on a new host. begun is
// to be called with each that comes, end with the outcome.
func (u *upload) unheld(ctx context.Context, l *lease) (rctx context.Context, begun func(), end func(error) error) {
	if !u.arrived || !l.proto.IsFTP() {
		return ctx, func() {}, func(err error) error { return err }
	}
	rctx, cancel := context.WithCancelCause(ctx)
	patience := heldPatience + heldTrips*l.Info().RoundTrip
	timer := time.AfterFunc(patience, func() { cancel(errHeld) })
	return rctx, func() { timer.Stop() }, func(err error) error {
		timer.Stop()
		held := err != nil && context.Cause(rctx) == errHeld
		cancel(nil)
		if held {
			return &transport.Error{Op: "read back", Path: u.partial, Kind: transport.KindLocked, Err: errHeld}
		}
		return err
	}
}
