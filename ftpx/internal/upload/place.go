package upload

import (
	"context"
	"path"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// committing is the commit of the partial.
func (u *upload) committing(l *session.Lease) *committing {
	return &committing{commit: &u.commit, witness: u, l: l, from: u.part.name, to: u.spec.Dest,
		backup: backupName(u.spec.Dest, u.identity), replace: !u.spec.NoReplace, leftover: true}
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
	if said := u.commit.said; said != nil && !u.commit.begun {
		return u.cannot(ctx, l, "rename", said)
	}
	err := u.committing(l).rename(ctx, u.part.name, u.spec.Dest)
	switch {
	case err == nil:
		if u.looksAtName(l) {
			err = u.renamed(ctx, l)
		}
		if err != nil {
			return u.renameRefused(ctx, l, err)
		}
		return u.cleanUp(ctx, l)
	case !l.Usable():
		u.commit.refusedLast(err)
		return err
	}
	return u.placeAfter(ctx, l, err)
}

// placeAfter goes on after a rename that was refused.
func (u *upload) placeAfter(ctx context.Context, l *session.Lease, refused error) error {
	if err := u.committing(l).after(ctx, refused); err != nil {
		return u.renameRefused(ctx, l, err)
	}
	return u.cleanUp(ctx, l)
}

// cleanUp takes note that the file has its name, and removes what lies beside it: partials
// that were left for another, and stale ones.
func (u *upload) cleanUp(ctx context.Context, l *session.Lease) error {
	return u.committing(l).cleanUp(ctx, func() ([]string, error) {
		names := u.partialsLeft()
		if u.spec.RemoveStale <= 0 || u.spec.Delivery == Drop {
			return names, nil
		}
		dir, base := path.Dir(u.spec.Dest), path.Base(u.spec.Dest)
		err := l.List(ctx, dir, func(e transport.Entry) bool {
			if isPartialOf(e.Name, base) && !e.ModTime.IsZero() && time.Since(e.ModTime) > u.spec.RemoveStale {
				names = append(names, path.Join(dir, e.Name))
			}
			return true
		})
		if l.Usable() {
			err = nil // it is no condition of success
		}
		return names, err
	})
}

// partialsLeft are the partials that were left for another.
func (u *upload) partialsLeft() (names []string) {
	if u.spec.Delivery != Atomic {
		return nil
	}
	for g := range u.part.generation {
		names = append(names, u.partialName(g, u.part.reach.far))
	}
	if u.other != "" {
		names = append(names, u.other)
	}
	return names
}
