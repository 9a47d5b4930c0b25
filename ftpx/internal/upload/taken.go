package upload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Some folders do not keep what is put into them: a receiver takes each file away as it
// is closed, whatever its name. The server has said then that it has all of it, and the
// partial is gone. To send it again would deliver it twice, and so would every further
// attempt; to call it done would be to believe a server's word. It is "unknown".

// ErrTaken says that the server acknowledged all of a file, and that the name under which
// it was sent is gone: a receiver may have taken it, by that name. [Failure].Acknowledged is
// set with it.
var ErrTaken = errors.New("the server has acknowledged all of it, and its name is gone since")

// errGone is what is found when neither the partial nor what was sent is there.
var errGone = errors.New("the partial is gone and the destination is not what was sent")

// takenFirst and takenLast are the pauses between looks for a name that does not show at
// once: stores behind a server are not always of one mind. They are some three seconds in
// all.
const (
	takenFirst = 50 * time.Millisecond
	takenLast  = 1600 * time.Millisecond
)

// stillThere looks, before a file is sent again of which the server has said that it has
// all, whether the partial is there.
func (u *upload) stillThere(ctx context.Context, l *session.Lease) error {
	if !u.part.acknowledged || u.checked {
		return nil
	}
	_, err := l.Stat(ctx, u.part.name)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = u.awaitName(ctx, l)
	}
	if err != nil && l.Usable() && (u.takenDirect(l, err) || final(err)) {
		return u.unseen(ctx, l, u.part.acked, err)
	}
	return err
}

// placedBy looks, when a partial is gone, whether another has put it in its place: a second
// upload of the same file uses the same one. Else it returns cause.
func (u *upload) placedBy(ctx context.Context, l *session.Lease, cause error) (done bool, err error) {
	if !errors.Is(cause, ErrTaken) || !l.Usable() || u.spec.Delivery != Atomic {
		return false, cause
	}
	if done, _ := u.reconcile(ctx, l); !done {
		return false, cause
	}
	u.commit.taken, u.res.Verified.Size = false, true
	return true, u.cleanUp(ctx, l)
}

// awaitName is for a partial that was acknowledged and does not show. It waits for the
// name, has the folder listed in case that knows more, and then gives up.
func (u *upload) awaitName(ctx context.Context, l *session.Lease) (transport.Entry, error) {
	for wait := takenFirst; wait <= cmp.Or(u.env.NameWait, takenLast); wait *= 2 {
		if err := session.Sleep(ctx, wait); err != nil {
			return transport.Entry{}, err
		}
		st, err := l.Stat(ctx, u.part.name)
		if !errors.Is(err, fs.ErrNotExist) {
			return st, err
		}
	}
	dir, base := path.Dir(u.part.name), path.Base(u.part.name)
	var found transport.Entry
	if err := l.List(ctx, dir, func(e transport.Entry) bool {
		if e.Name == base {
			found = e
		}
		return found.Name == ""
	}); err != nil && !l.Usable() {
		return transport.Entry{}, err
	}
	if found.Name != "" && !found.IsDir() {
		return found, nil
	}
	u.commit.taken, u.part.confirmed = true, u.part.acked
	return transport.Entry{}, retry.Stop(&Refusal{What: "keep", Err: &transport.Error{Op: u.task.Op, Path: u.part.name, Kind: transport.KindLost,
		Protocol: l.Proto, Addr: l.Info().Addr, MayHaveActed: true,
		Err: fmt.Errorf("%w: whoever takes files from that folder may have it, under that name; look there before it is sent again", ErrTaken)}})
}

// takenDirect reports whether a file that was sent under its own name was taken away. Over
// SFTP every byte of it was acknowledged, and its end; a 226 says less, see check.
func (u *upload) takenDirect(l *session.Lease, err error) bool {
	return u.spec.Delivery == Direct && !l.Proto.IsFTP() && errors.Is(err, ErrTaken)
}
