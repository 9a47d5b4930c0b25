package upload

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// There are servers that acknowledge a rename and do nothing. So the new name is looked at,
// in the turn of the rename: over SFTP always, over FTP until the host was seen to mean what
// it says, since the rename of one file leaves there with the first commands of the next.
// What has the partial's size and time under the new name is the partial. Else the old name
// tells: what is there no more was renamed, and if it is not under its new name, who waits for
// it has taken it.

// errNotMoved is what is found where a rename was acknowledged and not carried out.
var errNotMoved = errors.New("the server has acknowledged the rename, and the file is not there: it has still its old name")

// looksAtName reports whether the new name is looked at after a rename.
func (u *upload) looksAtName(l *session.Lease) bool {
	return !l.Proto.IsFTP() || !l.Host.Moves(l.Proto).Load()
}

// seen judges a rename that was acknowledged, by how the partial was before it, and the look
// at the new name that came with it, if one did.
func (u *upload) seen(ctx context.Context, l *session.Lease, was transport.Entry, name *transport.Stat) error {
	moves := l.Host.Moves(l.Proto)
	switch {
	case name == nil:
		return nil
	case name.Err == nil && name.Entry.Size == was.Size && name.Entry.ModTime.Equal(was.ModTime) && !was.ModTime.IsZero():
		moves.Store(true)
		return nil
	case !l.Usable() && moves.Load():
		return nil // it has meant all others
	case !l.Usable() && name.Err != nil:
		return u.unseenRename(l, name.Err)
	}
	return u.renamed(ctx, l)
}

// unseenRename is for a session that was lost between the answer to the rename and the look.
func (u *upload) unseenRename(l *session.Lease, cause error) error {
	return &transport.Error{Op: "rename", Path: u.spec.Dest, Kind: transport.KindLost, Protocol: l.Proto, Addr: l.Info().Addr, MayHaveActed: true, Err: cause}
}

// renamed implements [witness], by the old name. Stores that are not of one mind, and servers
// that answer out of turn, may show that for a while.
func (u *upload) renamed(ctx context.Context, l *session.Lease) error {
	moves := l.Host.Moves(l.Proto)
	there, err := keepsName(ctx, l, u.part.name, cmp.Or(u.env.NameWait, takenLast))
	switch {
	case err != nil && l.Usable():
		return err // the upload was canceled
	case err != nil:
		return u.unseenRename(l, err)
	}
	st, err := l.Stat(ctx, u.spec.Dest)
	switch {
	case err != nil && !l.Usable():
		return u.unseenRename(l, err)
	case there == nameGone:
		if err == nil && st.Size == u.part.confirmed {
			moves.Store(true)
		}
		return nil
	case there == nameHidden && (err != nil || st.Size == u.part.confirmed):
		return nil // its word is all there is
	}
	moves.Store(false)
	if err == nil && st.Size == u.part.confirmed {
		// It may have been copied.
		at, _, err := u.prove(ctx, l, u.spec.Dest, st.Size)
		if err != nil && !l.Usable() {
			return u.unseenRename(l, err)
		}
		if err == nil && at == st.Size {
			return removeOld(ctx, l, u.part.name)
		}
	}
	u.commit.begun = u.commit.backedUp
	return notMoved(l, u.spec.Dest)
}

// notMoved is the error of a rename that was acknowledged and not carried out.
func notMoved(l *session.Lease, name string) error {
	return retry.Stop(&transport.Error{Op: "rename", Path: name, Kind: transport.KindRefused, Protocol: l.Proto, Addr: l.Info().Addr, Err: errNotMoved})
}

// nameState is what a look at an old name tells.
type nameState uint8

const (
	nameGone   nameState = iota
	nameThere            // it has stayed
	nameHidden           // the server does not tell
)

// keepsName looks whether a name that something was renamed from is still there after a
// while, of pauses up to longest. The error is one that has cost the connection.
func keepsName(ctx context.Context, l *session.Lease, name string, longest time.Duration) (nameState, error) {
	for wait := takenFirst; ; wait *= 2 {
		switch _, err := l.Stat(ctx, name); {
		case errors.Is(err, fs.ErrNotExist):
			return nameGone, nil
		case err != nil && !l.Usable():
			return nameHidden, err
		case err != nil:
			return nameHidden, nil
		case wait > longest:
			return nameThere, nil
		}
		if err := session.Sleep(ctx, wait); err != nil {
			return nameThere, err
		}
	}
}
