package upload

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// maxLooks is how often the destination must differ from what was sent to be believed to.
const maxLooks = 2

// reconcile looks, on a new connection, what became of a rename whose reply was lost. If
// the partial is still there it did not happen. If it is gone and the destination is the
// source, it did. If neither, nobody can tell.
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

// maxCleanUps bounds how often cleaning up is tried.
const maxCleanUps = 3

// cleanUp removes what lies beside the file, which has its name: temporary files, whose
// removal is worth another connection and is no condition of success.
func (u *upload) cleanUp(ctx context.Context, l *session.Lease) error {
	u.commit.begun, u.commit.done = false, true
	u.commit.cleaned++
	err := u.removeTemporary(ctx, l)
	if u.commit.cleaned >= maxCleanUps {
		return nil
	}
	return err
}

// removeTemporary fails only where the connection did.
func (u *upload) removeTemporary(ctx context.Context, l *session.Lease) error {
	var names []string
	if u.commit.backedUp {
		names = append(names, backupName(u.spec.Dest, u.identity))
	}
	names = append(names, u.partialsLeft()...)
	if u.spec.RemoveStale > 0 && u.spec.Delivery != Drop {
		dir, base := path.Dir(u.spec.Dest), path.Base(u.spec.Dest)
		err := l.List(ctx, dir, func(e transport.Entry) bool {
			if isPartialOf(e.Name, base) && !e.ModTime.IsZero() && time.Since(e.ModTime) > u.spec.RemoveStale {
				names = append(names, path.Join(dir, e.Name))
			}
			return true
		})
		if err != nil && !l.Usable() {
			return err
		}
	}
	for _, name := range names {
		if err := u.removeOld(ctx, l, name); err != nil {
			return err
		}
	}
	return nil
}

// partialsLeft are the partials that were left for another.
func (u *upload) partialsLeft() (names []string) {
	if u.spec.Delivery != Atomic {
		return nil
	}
	for g := range u.part.generation {
		names = append(names, u.partialName(g))
	}
	return names
}

func (u *upload) removeOld(ctx context.Context, l *session.Lease, name string) error {
	if err := l.Remove(ctx, name); err != nil && !l.Usable() {
		return err
	}
	return nil
}
