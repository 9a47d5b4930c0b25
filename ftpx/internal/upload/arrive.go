package upload

import (
	"context"
	"errors"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// where is the host of the last attempt.
type where struct {
	host    *session.Host
	moved   bool // it is another than that of the attempt before
	arrived bool // the partial has not been looked at on this host
	// notClosed is what it said as it refused to close the partial, see close.go.
	notClosed string
	late      bool // all of the file had left it when the session was lost, see late.go
}

// arrive takes note of the host of an attempt. What was learned of another host's files
// is not true here, unless the hosts share their storage, which only a look can tell: so
// everything is looked for again. A rename that may have taken effect there is looked for
// here too, since with shared storage it would show; if it does not, whatever partial is
// here is looked at as any other: it may be an older run's.
func (u *upload) arrive(ctx context.Context, l *session.Lease) error {
	u.where.moved = u.where.moved || u.where.host != nil && u.where.host != l.Host
	u.where.host = l.Host
	if !u.where.moved {
		return nil
	}
	if u.commit.begun {
		done, err := u.reconcile(ctx, l)
		if done {
			u.where.moved, u.commit.done = false, true
			return nil
		}
		if err != nil && (!l.Usable() || transport.KindOf(err) != transport.KindLost) {
			return err
		}
	}
	u.where = where{host: l.Host, arrived: true}
	u.commit, u.checked = commit{}, false
	joins := u.part.joins // with shared storage they are still to be checked
	u.part = u.newPartial(u.part.generation)
	u.part.joins = joins
	u.most = most{} // to get as far here is progress
	return nil
}

// heldTimeout is how long a partial may take to be read on a host that an upload has
// just moved to. Where hosts share their storage, vsftpd keeps it locked for the session
// on the host that died, and does not answer: to wait for the stall time once more would
// cost more than to begin again.
//
// heldTrips is for EPSV, the data connection, TLS on it and RETR on a long line.
const (
	heldTimeout = time.Second
	heldTrips   = 8
)

var errHeld = errors.New("the session on the host that failed still holds it")

// boundFirstByte bounds the wait for the first byte of a partial on a new host. end is to
// be called with the outcome.
func (u *upload) boundFirstByte(ctx context.Context, l *session.Lease, b *readBack) (bctx context.Context, end func(error) error) {
	if !u.where.arrived || !l.Proto.IsFTP() || b.cmp == nil {
		return ctx, func(err error) error { return err }
	}
	bctx, begun, done := session.Unheard(ctx, heldTimeout+heldTrips*l.Info().RoundTrip, errHeld)
	b.cmp.Begun = begun
	return bctx, func(err error) error {
		if done(err) {
			return &transport.Error{Op: "read back", Path: u.part.name, Kind: transport.KindLocked, Err: errHeld}
		}
		return err
	}
}
