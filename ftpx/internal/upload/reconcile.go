package upload

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// maxLooks is how often the destination must differ from what was sent to be believed to.
const maxLooks = 2

// reconcile implements [witness]. If the partial is still there the rename did not happen.
// If it is gone and the destination is the source, it did. If neither, nobody can tell.
func (u *upload) reconcile(ctx context.Context, l *session.Lease) (done bool, err error) {
	_, err = l.Stat(ctx, u.part.name)
	if err == nil {
		u.commit.begun = u.commit.backedUp
		return false, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	st, err := l.Stat(ctx, u.spec.Dest)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	// A second look, for what is read back can be garbled on its way here.
	for err == nil && st.Size == u.part.confirmed && u.commit.looks < maxLooks {
		u.commit.looks++
		u.part.acked = 0 // what was acknowledged was another name
		at, by, err := u.prove(ctx, l, u.spec.Dest, st.Size)
		if err != nil {
			u.commit.looks--
			return false, err
		}
		if at == st.Size {
			u.commit.begun = false
			if by == "tail" {
				u.res.Verified.ReadBack += min(at, tailLength)
			}
			return true, nil
		}
		if !l.Usable() && u.commit.looks < maxLooks { // stopping the read-back has cost the connection
			return false, &transport.Error{Op: "rename", Path: u.spec.Dest, Kind: transport.KindTruncated, MayHaveActed: true, Err: transfer.ErrMismatch}
		}
	}
	return false, retry.Stop(&transport.Error{Op: "rename", Path: u.spec.Dest, Kind: transport.KindLost, MayHaveActed: true,
		Err: fmt.Errorf("the reply to the rename was lost; %w", errGone)})
}

// explain implements [witness]: what is gone may only not show yet, or was taken.
func (u *upload) explain(ctx context.Context, l *session.Lease, cause, look error) error {
	if errors.Is(look, errGone) {
		if _, err := u.awaitName(ctx, l); err != nil {
			cause = err
		}
	}
	if !l.Usable() {
		return cause
	}
	return u.vanished(cause)
}

// givesWay implements [witness]. The error of the look stands where it cost the connection:
// the refusal by itself would pass for the last word.
func (u *upload) givesWay(ctx context.Context, l *session.Lease, refused error) (bool, error) {
	if !mayBeOccupied(refused) {
		return false, nil
	}
	st, err := l.Stat(ctx, u.spec.Dest)
	switch {
	case err != nil && !l.Usable():
		return false, err
	case err != nil:
		return false, nil
	case st.Type != transport.TypeFile:
		u.commit.begun = false
		return false, retry.Stop(noPlace(u.spec.Dest, st))
	case u.spec.NoReplace:
		return false, u.appeared(refused)
	}
	return true, nil
}

// appeared is the error for a file that has come to the destination meanwhile.
func (u *upload) appeared(cause error) error {
	err := errors.New("a file of that name has appeared meanwhile and NoReplace is set")
	if cause != nil {
		err = fmt.Errorf("%w (%w)", err, cause)
	}
	return retry.Stop(&transport.Error{Op: "upload", Path: u.spec.Dest, Kind: transport.KindExist, Err: err})
}

// noPlace is the error of a name that something has that no file may take the place of: a
// folder, or what may be one.
func noPlace(name string, st transport.Entry) error {
	what := errors.New("there is a folder of that name: add the file's name to the remote path")
	if !st.IsDir() {
		what = errors.New("what has that name is no file, as far as the server tells, and is not replaced: remove it, or choose another name")
	}
	return &transport.Error{Op: "upload", Path: name, Kind: transport.KindExist, Err: what}
}
