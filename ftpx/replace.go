package ftpx

import (
	"context"
	"errors"
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
	// From here on a lost reply leaves open whether it happened.
	err := u.replace(ctx, l)
	if err != nil {
		return err
	}
	u.placing = false
	u.tidy(ctx, l)
	return nil
}

// tidy removes what lies beside a file that stands: litter, whose removal is no
// condition of success.
func (u *upload) tidy(ctx context.Context, l *lease) {
	if u.backedUp && l.Usable() {
		_ = l.Remove(ctx, backupName(u.dest, u.identity))
	}
	for g := range u.generation {
		if l.Usable() {
			_ = l.Remove(ctx, partialName(u.dest, u.identity, g))
		}
	}
	if u.removeStale <= 0 || !l.Usable() {
		return
	}
	dir, base := splitPath(u.dest)
	var stale []string
	_ = l.List(ctx, dir, func(e Entry) bool {
		if isPartialOf(e.Name, base) && !e.ModTime.IsZero() && time.Since(e.ModTime) > u.removeStale {
			stale = append(stale, path.Join(dir, e.Name))
		}
		return true
	})
	for _, name := range stale {
		if l.Usable() {
			_ = l.Remove(ctx, name)
		}
	}
}

// replace renames the partial onto the destination, in one step where the
// server can, else by way of a backup of what is there.
func (u *upload) replace(ctx context.Context, l *lease) error {
	oneStep := l.Info().Caps.ReplaceOnRename && !u.c.quirks.noReplace.Load()
	err := u.rename(ctx, l, u.partial, u.dest)
	if err == nil || !l.Usable() || !u.refusedReplace(ctx, l, err) {
		return err
	}
	if oneStep && l.proto.IsFTP() {
		u.c.quirks.noReplace.Store(true)
	}
	backup := backupName(u.dest, u.identity)
	if err := u.removeOld(ctx, l, backup); err != nil {
		return err
	}
	u.backedUp = true
	if err := u.rename(ctx, l, u.dest, backup); err != nil {
		return err
	}
	err = u.rename(ctx, l, u.partial, u.dest)
	if err != nil && l.Usable() {
		// Refused for good: the old file gets its name back.
		if rerr := l.Rename(ctx, backup, u.dest, false); rerr != nil {
			return retry.Stop(errors.Join(err, rerr, errors.New("the file that was at the destination is kept as "+backup)))
		}
		u.backedUp, u.placing = false, false
	}
	return err
}

func (u *upload) removeOld(ctx context.Context, l *lease, name string) error {
	if err := l.Remove(ctx, name); err != nil && !l.Usable() {
		return err
	}
	return nil
}

func (u *upload) rename(ctx context.Context, l *lease, from, to string) error {
	u.placing = true
	err := l.Rename(ctx, from, to, true)
	var te *transport.Error
	if err != nil && errors.As(err, &te) && !te.MayHaveActed && !u.backedUp {
		u.placing = false // a definite refusal
	}
	return err
}

// refusedReplace reports whether a rename failed because something is at the
// destination. Servers without posix-rename say no more than "failure".
func (u *upload) refusedReplace(ctx context.Context, l *lease, err error) bool {
	switch transport.KindOf(err) {
	case transport.KindExist, transport.KindTemporary, transport.KindRefused, transport.KindName, transport.KindPermission:
	default:
		return false
	}
	st, serr := l.Stat(ctx, u.dest)
	return serr == nil && !st.IsDir()
}

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
	if err == nil && st.Size == u.confirmed {
		u.acked = 0 // what was acknowledged was another name
		at, proof, err := u.prove(ctx, l, u.dest, st.Size)
		if err != nil {
			return false, err
		}
		if at == st.Size {
			u.placing = false
			if proof == "tail" {
				u.res.Verified.ReadBack += min(at, tailLength)
			}
			u.tidy(ctx, l)
			return true, nil
		}
	}
	return false, retry.Stop(&transport.Error{Op: "rename", Path: u.dest, Kind: transport.KindLost, MayHaveActed: true,
		Err: errors.New("the reply to the rename was lost; the partial is gone and the destination is not what was sent")})
}
