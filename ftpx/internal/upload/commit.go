package upload

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// commit is how far the partial has got its name.
type commit struct {
	begun    bool // what is at the destination is not known: a rename may have taken effect
	backedUp bool // the old file may lie under its backup name
	done     bool // the destination is the file, checked; what is left is to clean up
	taken    bool // the partial was acknowledged and is gone, see taken.go
	looks    int  // how often the destination was compared and differed
	cleaned  int  // how often cleaning up was tried
}

// refused takes note of the error of a rename to the destination.
func (c *commit) refused(err error) {
	var te *transport.Error
	if errors.As(err, &te) && !te.MayHaveActed && !c.backedUp {
		c.begun = false // it has definitely not happened
	}
}

// place gives the finished partial its final name.
func (u *upload) place(ctx context.Context, l *session.Lease) error {
	if u.spec.NoReplace && !u.commit.begun {
		if _, err := l.Stat(ctx, u.spec.Dest); err == nil {
			return u.appeared(nil)
		} else if !l.Usable() {
			return err
		}
	}
	// From here on a lost reply leaves open whether it happened.
	err := u.rename(ctx, l, u.part.name, u.spec.Dest)
	if err == nil {
		return u.committed(ctx, l)
	}
	if !l.Usable() {
		return err
	}
	return u.placeAfter(ctx, l, err)
}

// placeAfter goes on after a rename that was refused.
func (u *upload) placeAfter(ctx context.Context, l *session.Lease, refused error) error {
	if err := u.byBackup(ctx, l, refused); err != nil {
		return u.renameRefused(ctx, l, err)
	}
	return u.committed(ctx, l)
}

// committed takes note that the file has its name, and cleans up.
func (u *upload) committed(ctx context.Context, l *session.Lease) error {
	u.commit.begun, u.commit.done = false, true
	return u.cleanUp(ctx, l)
}

// appeared is the error for a file that has come to the destination meanwhile.
func (u *upload) appeared(cause error) error {
	err := errors.New("a file of that name has appeared meanwhile and NoReplace is set")
	if cause != nil {
		err = fmt.Errorf("%w (%w)", err, cause)
	}
	return retry.Stop(&transport.Error{Op: "upload", Path: u.spec.Dest, Kind: transport.KindExist, Err: err})
}

// byBackup replaces what is at the destination in three steps, where the server has
// refused to do it in one: the old file goes to a backup, the partial gets its name, the
// backup is removed. At each moment the old or the new content lies under the final name
// or the backup's.
func (u *upload) byBackup(ctx context.Context, l *session.Lease, refused error) error {
	if occupied, serr := u.refusedReplace(ctx, l, refused); serr != nil {
		return serr
	} else if !occupied {
		return u.restore(ctx, l, refused)
	}
	if u.spec.NoReplace {
		return u.appeared(refused)
	}
	// The old file must be the old file: not the new one, with the refusal a lie.
	if done, rerr := u.reconcile(ctx, l); done {
		return nil
	} else if rerr != nil {
		return u.restore(ctx, l, refused)
	}
	backup := backupName(u.spec.Dest, u.identity)
	if err := u.removeOld(ctx, l, backup); err != nil {
		return err
	}
	u.commit.backedUp = true
	if err := u.rename(ctx, l, u.spec.Dest, backup); err != nil {
		if moved, serr := u.movedAway(ctx, l, err); !moved {
			return serr
		}
	}
	err := u.rename(ctx, l, u.part.name, u.spec.Dest)
	if err != nil && l.Usable() {
		return u.restore(ctx, l, err)
	}
	return err
}

// movedAway looks, after the old file could not be moved to its backup, whether it has
// kept its name. If not, somebody moved it: the server, whatever it says. Else it returns
// cause, or why the look failed.
func (u *upload) movedAway(ctx context.Context, l *session.Lease, cause error) (bool, error) {
	if !l.Usable() {
		return false, cause
	}
	_, err := l.Stat(ctx, u.spec.Dest)
	switch {
	case err == nil:
		u.commit.backedUp, u.commit.begun = false, false
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case !l.Usable():
		return false, err
	}
	return false, cause
}

// restore is for a rename to the destination that was definitely refused. The old file
// gets its name back, if it may be without. What the server says is not taken for what it
// did: a file that is in its place after all is a success.
func (u *upload) restore(ctx context.Context, l *session.Lease, cause error) error {
	if !l.Usable() {
		return cause
	}
	if done, err := u.reconcile(ctx, l); done {
		return nil
	} else if err != nil && !l.Usable() {
		return err
	} else if errors.Is(err, errGone) {
		if _, err := u.awaitName(ctx, l); err != nil && !l.Usable() {
			return err
		} else if err != nil {
			cause = err
		}
	}
	cause = u.vanished(cause)
	if !u.commit.backedUp {
		u.commit.begun = false
		return cause
	}
	backup := backupName(u.spec.Dest, u.identity)
	err := l.Rename(ctx, backup, u.spec.Dest, false)
	if err != nil && l.Usable() && !errors.Is(err, fs.ErrNotExist) {
		if _, serr := l.Stat(ctx, backup); errors.Is(serr, fs.ErrNotExist) {
			err = serr
		}
	}
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist): // it has never lost it
		u.commit.backedUp, u.commit.begun = false, false
		return cause
	case !l.Usable():
		return err
	}
	return retry.Stop(errors.Join(cause, err)) // failure names the backup
}

func (u *upload) rename(ctx context.Context, l *session.Lease, from, to string) error {
	u.commit.begun = true
	err := l.Rename(ctx, from, to, !u.spec.NoReplace)
	if err != nil {
		u.commit.refused(err)
	}
	return err
}

// refusedReplace reports whether a rename failed because something is at the destination.
// Servers without posix-rename say no more than "failure". The error is that of the look,
// where it cost the connection: cause by itself would pass for the last word.
func (u *upload) refusedReplace(ctx context.Context, l *session.Lease, cause error) (bool, error) {
	switch transport.KindOf(cause) {
	case transport.KindExist, transport.KindTemporary, transport.KindRefused, transport.KindName, transport.KindPermission:
	default:
		return false, nil
	}
	st, err := l.Stat(ctx, u.spec.Dest)
	switch {
	case err != nil && !l.Usable():
		return false, err
	case err == nil && st.Type != transport.TypeFile:
		u.commit.begun = false
		return false, retry.Stop(noPlace(u.spec.Dest, st))
	}
	return err == nil, nil
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
