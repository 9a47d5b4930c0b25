package ftpx

import (
	"context"
	"errors"
	"io/fs"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A session that was lost may have the partial open for a while. On a server that writes
// at offsets, what it still writes are the same bytes at the same place. Others store a
// whole object when a file is closed: with what that session had received, under
// whatever name the file has by then ("rclone serve sftp" follows a rename). So until a
// host has shown that it writes at offsets, a partial that such a session may have open
// is gone on with, which shows whether it does, and never begun anew: that is done under
// another name. Where it was complete already and has been renamed, the destination is
// looked at again, and once more at the end, see doubts.go; so is each upload that has lost
// a session to a host which is known to store whole objects.

// attempt is once, and what its end means for the partial.
func (u *upload) attempt(ctx context.Context, l *lease) error {
	u.opened = false
	err := u.once(ctx, l)
	if u.opened && !l.Usable() {
		u.orphan, u.bereft = true, true
	}
	if errors.Is(err, transport.ErrHandleReused) && !u.stored {
		// Another file's bytes may be in it, and the server may write more of them.
		u.leave()
	}
	if err == nil && u.stands && u.doubtful() {
		err = u.lookAgain(ctx, l)
	}
	return err
}

// doubtful reports whether what is at the destination may be replaced by a session that
// was lost.
func (u *upload) doubtful() bool {
	o := u.site.quirks.offsets(u.res.Protocol)
	return !o.taken.Load() && (u.orphan || u.replaced || u.bereft && o.refused.Load())
}

// lookAgain looks at what has been put at the destination. Who polls for it may have
// taken it away already.
func (u *upload) lookAgain(ctx context.Context, l *lease) error {
	st, err := l.Stat(ctx, u.dest)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || l.Usable() {
			return nil
		}
		return err
	}
	at := int64(-1)
	if st.Size == u.confirmed {
		u.acked = 0 // what was acknowledged was another name
		at, _, err = u.prove(ctx, l, u.dest, st.Size)
		if transport.KindOf(err) == transport.KindLocal {
			return nil // the source is no longer what was sent, or cannot be read again
		}
		if err != nil || at == st.Size {
			return err
		}
	}
	err = &transport.Error{Op: u.t.op, Path: u.dest, Kind: transport.KindTruncated, Protocol: l.proto, Addr: l.Info().Addr, Err: ErrReplaced}
	u.stands, u.stored, u.replaced, u.furthest = false, false, true, 0
	u.leave()
	if u.restarts++; u.restarts >= maxRestarts {
		return retry.Stop(err)
	}
	return err
}
