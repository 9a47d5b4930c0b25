package ftpx

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// place gives the finished partial its final name.
func (u *upload) place(ctx context.Context, l *lease) error {
	if u.noReplace && !u.placing {
		if _, err := l.Stat(ctx, u.dest); err == nil {
			return retry.Stop(&transport.Error{Op: "upload", Path: u.dest, Kind: transport.KindExist,
				Err: errors.New("a file of that name has appeared meanwhile and NoReplace is set")})
		} else if !l.Usable() {
			return err
		}
	}
	if later, err := u.placeLater(ctx, l); later {
		return err
	}
	// From here on a lost reply leaves open whether it happened.
	if err := u.replace(ctx, l); err != nil {
		return err
	}
	return u.tidy(ctx, l)
}

// maxTidies bounds how often tidying is tried.
const maxTidies = 3

// tidy removes what lies beside the file, which stands from here on: litter,
// whose removal is worth another connection and is no condition of success.
func (u *upload) tidy(ctx context.Context, l *lease) error {
	u.placing, u.stands = false, true
	u.tidies++
	err := u.removeLitter(ctx, l)
	if u.tidies >= maxTidies {
		return nil
	}
	return err
}

// removeLitter fails only where the connection did.
func (u *upload) removeLitter(ctx context.Context, l *lease) error {
	var litter []string
	if u.backedUp {
		litter = append(litter, backupName(u.dest, u.identity))
	}
	litter = append(litter, u.partialsLeft()...)
	if u.removeStale > 0 {
		dir, base := splitPath(u.dest)
		err := l.List(ctx, dir, func(e Entry) bool {
			if isPartialOf(e.Name, base) && !e.ModTime.IsZero() && time.Since(e.ModTime) > u.removeStale {
				litter = append(litter, path.Join(dir, e.Name))
			}
			return true
		})
		if err != nil && !l.Usable() {
			return err
		}
	}
	for _, name := range litter {
		if err := u.removeOld(ctx, l, name); err != nil {
			return err
		}
	}
	return nil
}

// partialsLeft are the partials that were left for another.
func (u *upload) partialsLeft() (names []string) {
	for g := range u.generation {
		names = append(names, partialName(u.dest, u.identity, g))
	}
	return names
}

// replace renames the partial onto the destination, in one step where the
// server can, else by way of a backup of what is there. At each moment the old
// or the new content lies under the final name or the backup's.
func (u *upload) replace(ctx context.Context, l *lease) error {
	oneStep := l.Info().Caps.ReplaceOnRename && !l.site.quirks.noReplace.Load()
	err := u.rename(ctx, l, u.partial, u.dest)
	if err == nil || !l.Usable() {
		return err
	}
	if occupied, serr := u.refusedReplace(ctx, l, err); serr != nil {
		return serr
	} else if !occupied {
		return u.restore(ctx, l, err)
	}
	if u.noReplace {
		return retry.Stop(&transport.Error{Op: "upload", Path: u.dest, Kind: transport.KindExist,
			Err: fmt.Errorf("a file of that name has appeared meanwhile and NoReplace is set (%w)", err)})
	}
	// The old file must be the old file: not the new one, with the refusal a lie.
	if done, rerr := u.reconcile(ctx, l); done {
		return nil
	} else if rerr != nil {
		return u.restore(ctx, l, err)
	}
	if oneStep && l.proto.IsFTP() {
		l.site.quirks.noReplace.Store(true)
	}
	backup := backupName(u.dest, u.identity)
	if err := u.removeOld(ctx, l, backup); err != nil {
		return err
	}
	u.backedUp = true
	if err := u.rename(ctx, l, u.dest, backup); err != nil {
		if moved, serr := u.movedAway(ctx, l, err); !moved {
			return serr
		}
	}
	err = u.rename(ctx, l, u.partial, u.dest)
	if err != nil && l.Usable() {
		return u.restore(ctx, l, err)
	}
	return err
}

// movedAway looks, after the old file could not be moved to its backup, whether
// it has kept its name. If not, somebody moved it: the server, whatever it says.
// Else it returns cause, or why the look failed.
func (u *upload) movedAway(ctx context.Context, l *lease, cause error) (bool, error) {
	if !l.Usable() {
		return false, cause
	}
	_, err := l.Stat(ctx, u.dest)
	switch {
	case err == nil:
		u.backedUp, u.placing = false, false
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case !l.Usable():
		return false, err
	}
	return false, cause
}

// restore is for a rename to the destination that was definitely refused. The
// old file gets its name back, if it may be without. What the server says is not
// taken for what it did: a file that is in its place after all is a success.
func (u *upload) restore(ctx context.Context, l *lease, cause error) error {
	if !l.Usable() {
		return cause
	}
	if done, err := u.reconcile(ctx, l); done {
		return nil
	} else if err != nil && !l.Usable() {
		return err
	}
	if !u.backedUp {
		u.placing = false
		return cause
	}
	backup := backupName(u.dest, u.identity)
	err := l.Rename(ctx, backup, u.dest, false)
	if err != nil && l.Usable() && !errors.Is(err, fs.ErrNotExist) {
		if _, serr := l.Stat(ctx, backup); errors.Is(serr, fs.ErrNotExist) {
			err = serr
		}
	}
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist): // it has never lost it
		u.backedUp, u.placing = false, false
		return cause
	case !l.Usable():
		return err
	}
	return retry.Stop(errors.Join(cause, err, errors.New("the file that was at the destination is kept as "+backup)))
}

func (u *upload) removeOld(ctx context.Context, l *lease, name string) error {
	if err := l.Remove(ctx, name); err != nil && !l.Usable() {
		return err
	}
	return nil
}

func (u *upload) rename(ctx context.Context, l *lease, from, to string) error {
	u.placing = true
	err := l.Rename(ctx, from, to, !u.noReplace)
	var te *transport.Error
	if err != nil && errors.As(err, &te) && !te.MayHaveActed && !u.backedUp {
		u.placing = false // a definite refusal
	}
	return err
}

// refusedReplace reports whether a rename failed because something is at the
// destination. Servers without posix-rename say no more than "failure". The
// error is that of the look, where it cost the connection: cause alone would
// pass for the last word.
func (u *upload) refusedReplace(ctx context.Context, l *lease, cause error) (bool, error) {
	switch transport.KindOf(cause) {
	case transport.KindExist, transport.KindTemporary, transport.KindRefused, transport.KindName, transport.KindPermission:
	default:
		return false, nil
	}
	st, err := l.Stat(ctx, u.dest)
	if err != nil && !l.Usable() {
		return false, err
	}
	return err == nil && !st.IsDir(), nil
}

// maxLooks is how often the destination must differ from what was sent to be
// believed to.
const maxLooks = 2

// reconcile looks, on a new connection, what became of a rename whose reply was
// lost. If the partial is still there it did not happen. If it is gone and the
// destination is the source, it did. If neither, nobody can tell.
func (u *upload) reconcile(ctx context.Context, l *lease) (done bool, err error) {
	_, err = l.Stat(ctx, u.partial)
	if err == nil {
		u.placing = u.backedUp
		return false, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	st, err := l.Stat(ctx, u.dest)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	// A second look, for what is read back can be garbled on its way here.
	for err == nil && st.Size == u.confirmed && u.looks < maxLooks {
		u.looks++
		u.acked = 0 // what was acknowledged was another name
		at, proof, err := u.prove(ctx, l, u.dest, st.Size)
		if err != nil {
			u.looks--
			return false, err
		}
		if at == st.Size {
			u.placing = false
			if proof == "tail" {
				u.res.Verified.ReadBack += min(at, tailLength)
			}
			return true, nil
		}
		if !l.Usable() && u.looks < maxLooks { // stopping the read-back has cost the connection
			return false, &transport.Error{Op: "rename", Path: u.dest, Kind: transport.KindTruncated, MayHaveActed: true, Err: ErrMismatch}
		}
	}
	return false, retry.Stop(&transport.Error{Op: "rename", Path: u.dest, Kind: transport.KindLost, MayHaveActed: true,
		Err: errors.New("the reply to the rename was lost; the partial is gone and the destination is not what was sent")})
}
