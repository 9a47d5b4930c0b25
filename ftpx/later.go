package ftpx

import (
	"context"
	"errors"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// The last thing that a small upload does on FTP is a rename, a round trip in which
// its connection does nothing else. Where other work waits for a connection, this one
// is given to it before the rename, which goes out with the first commands of that
// work; the upload is done when the reply to the rename is there.

// errNotLater says that the rename has to be done by the upload itself after all, on
// a connection that it has to itself. Nothing has happened.
var errNotLater = errors.New("the rename did not go out with the next upload's commands")

// flushEvery is how often an upload looks whether the connection with its rename lies
// idle, for the case that whoever the connection was for has not used it.
const flushEvery = 20 * time.Millisecond

// placeLater gives the connection back before the rename. It returns false if that
// cannot be, or is of no use.
func (u *upload) placeLater(ctx context.Context, l *lease) (bool, error) {
	if u.later || u.noReplace || u.placing || u.backedUp || u.generation > 0 || u.doubtful() || u.removeStale > 0 || l.rides ||
		!l.Info().Caps.ReplaceOnRename || l.site.quirks.noReplace.Load() || !l.site.pool.crowded() {
		return false, nil
	}
	conn, ok := l.pooled.Conn.(transport.LateRenamer)
	if !ok {
		return false, nil
	}
	late, ok := conn.RenameLater(u.partial, u.dest)
	if !ok {
		return false, nil
	}
	u.later, u.placing = true, true
	l.given = true
	l.site.pool.put(l.pooled)
	l.site.pool.leave()
	err := awaitLate(ctx, l, conn, late)
	if err == nil {
		u.placing, u.stands = false, true
		return true, nil
	}
	var te *transport.Error
	if errors.As(err, &te) && !te.MayHaveActed {
		u.placing = false
		if ctx.Err() == nil {
			u.res.Attempts-- // it goes on at once
			err = errNotLater
		}
	}
	return true, err
}

// awaitLate waits for the reply to a rename, and sends it itself if nobody else does.
func awaitLate(ctx context.Context, l *lease, conn transport.LateRenamer, late *transport.Late) error {
	look := time.NewTicker(flushEvery)
	defer look.Stop()
	for {
		select {
		case <-late.Done():
			return late.Err()
		case <-ctx.Done():
			select {
			case <-late.Done():
				return late.Err()
			default:
			}
			info := l.Info()
			return &transport.Error{Op: "RNTO", Kind: transport.KindCanceled, Protocol: l.proto, Addr: info.Addr,
				MayHaveActed: !late.Withdraw(), Err: context.Cause(ctx)}
		case <-look.C:
			if l.site.pool.reclaim(l.pooled) {
				l.site.pool.hold()
				_ = conn.Flush(ctx) // late tells
				l.site.pool.put(l.pooled)
				l.site.pool.leave()
			}
		}
	}
}
