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

// commit is how far something has got its name: the partial of an upload, or what a Rename
// moves. On servers that do not replace a file in one step both take three: the file at the
// new name goes to a backup, the old name is renamed, the backup is removed. At each moment
// each content lies under a name. What a lost reply leaves open is looked up.
type commit struct {
	begun    bool // what is at the new name is not known: a rename may have taken effect
	backedUp bool // the file that was there may lie under its backup name
	done     bool // it has its name; what is left is to clean up
	taken    bool // the partial was acknowledged and is gone, see taken.go
	looks    int  // how often the destination was compared and differed
	cleaned  int  // how often cleaning up was tried
	// said is a refusal of the rename that can not change, after which the session was lost.
	said error
}

// committing is a commit in one attempt.
type committing struct {
	*commit
	witness
	l                *session.Lease
	from, to, backup string
	replace          bool // the renames may replace what is at their new name
	leftover         bool // an earlier run may have left something under the backup's name
}

// witness tells what is under the names. An upload knows the content of its partial, and can
// compare; a Rename knows only which names are there.
type witness interface {
	// givesWay reports whether a rename was refused because of a file at the new name, and
	// that may be replaced.
	givesWay(ctx context.Context, l *session.Lease, refused error) (bool, error)
	// reconcile looks what became of renames that were refused, or whose replies were lost.
	// Not done, without an error: it is where it was before, or may be sent again.
	reconcile(ctx context.Context, l *session.Lease) (done bool, err error)
	// explain is the error of a commit that has failed with cause. look is that of
	// reconcile, which may know more.
	explain(ctx context.Context, l *session.Lease, cause, look error) error
	// renamed looks whether a rename that was acknowledged was carried out. An error says
	// that it was not, or is that of a look which has cost the connection.
	renamed(ctx context.Context, l *session.Lease) error
}

// rename is one step. From here on a lost reply leaves open whether it happened.
func (c *committing) rename(ctx context.Context, from, to string) error {
	c.begun = true
	err := c.l.Rename(ctx, from, to, c.replace)
	c.refused(err)
	return err
}

// refused takes note of the error of a rename.
func (c *commit) refused(err error) {
	var te *transport.Error
	if errors.As(err, &te) && !te.MayHaveActed && !c.backedUp {
		c.begun = false // it has definitely not happened
	}
}

// refusedLast takes note of a refusal that can not change, with which the session ended.
// What may have been refused because of a file at the new name can: that is moved away.
func (c *commit) refusedLast(err error) {
	if !c.begun && !c.backedUp && final(err) && !mayBeOccupied(err) {
		c.said = err
	}
}

// after goes on after a rename in one step that was refused: in three, where that may help.
func (c *committing) after(ctx context.Context, refused error) error {
	if may, err := c.givesWay(ctx, c.l, refused); err != nil {
		return err
	} else if !may {
		return c.restore(ctx, refused)
	}
	// The old file must be the old file: not the new one, with the refusal a lie.
	if done, err := c.reconcile(ctx, c.l); done {
		return nil
	} else if err != nil {
		return c.restore(ctx, refused)
	}
	if c.leftover {
		if err := removeOld(ctx, c.l, c.backup); err != nil {
			return err
		}
	}
	c.backedUp = true
	if err := c.rename(ctx, c.to, c.backup); err != nil {
		if moved, serr := c.movedAway(ctx, err); !moved {
			return serr
		}
	}
	err := c.rename(ctx, c.from, c.to)
	if err == nil {
		err = c.renamed(ctx, c.l)
	}
	if err != nil && c.l.Usable() {
		return c.restore(ctx, err)
	}
	return err
}

// movedAway looks, after the old file could not be moved to its backup, whether it has
// kept its name. If not, somebody moved it: the server, whatever it says. Else it returns
// cause, or why the look failed.
func (c *committing) movedAway(ctx context.Context, cause error) (bool, error) {
	if !c.l.Usable() {
		return false, cause
	}
	_, err := c.l.Stat(ctx, c.to)
	switch {
	case err == nil:
		c.backedUp, c.begun = false, false
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case !c.l.Usable():
		return false, err
	}
	return false, cause
}

// restore is for a rename to the new name that was definitely refused. The old file gets
// its name back, if it may be without. What the server says is not taken for what it did:
// what is in its place after all is a success.
func (c *committing) restore(ctx context.Context, cause error) error {
	if !c.l.Usable() {
		return cause
	}
	done, look := c.reconcile(ctx, c.l)
	switch {
	case done:
		return nil
	case look != nil && !c.l.Usable():
		return look
	}
	if cause = c.explain(ctx, c.l, cause, look); !c.l.Usable() {
		return cause
	}
	if !c.backedUp {
		c.begun = false
		return cause
	}
	return c.putBack(ctx, cause)
}

// putBack gives the old file its name back, unless another has come there, and returns what
// stood in the way of the new one.
func (c *committing) putBack(ctx context.Context, cause error) error {
	_, err := c.l.Stat(ctx, c.to)
	came := err == nil
	if errors.Is(err, fs.ErrNotExist) {
		err = c.l.Rename(ctx, c.backup, c.to, false)
	}
	if came || err != nil && c.l.Usable() && !errors.Is(err, fs.ErrNotExist) {
		if _, serr := c.l.Stat(ctx, c.backup); errors.Is(serr, fs.ErrNotExist) || !c.l.Usable() {
			came, err = false, serr
		}
	}
	switch {
	case came:
		return retry.Stop(fmt.Errorf("%w (another file has come to the new name meanwhile)", cause))
	case err == nil, errors.Is(err, fs.ErrNotExist): // it has never lost it
		c.backedUp, c.begun = false, false
		return cause
	case !c.l.Usable():
		return err
	}
	return retry.Stop(errors.Join(cause, err)) // the failure names the backup
}

// maxCleanUps bounds how often cleaning up is tried.
const maxCleanUps = 3

// cleanUp takes note that the name is the new file's, and removes what lies beside it: the
// backup, and what others names, if it is not nil. That is worth another connection and is no
// condition of success.
func (c *committing) cleanUp(ctx context.Context, others func() ([]string, error)) error {
	c.begun, c.done = false, true
	c.cleaned++
	err := c.removeTemporary(ctx, others)
	if c.cleaned >= maxCleanUps {
		return nil
	}
	return err
}

// removeTemporary fails only where the connection did.
func (c *committing) removeTemporary(ctx context.Context, others func() ([]string, error)) error {
	var names []string
	if c.backedUp {
		names = append(names, c.backup)
	}
	if others != nil {
		more, err := others()
		if err != nil {
			return err
		}
		names = append(names, more...)
	}
	for _, name := range names {
		if err := removeOld(ctx, c.l, name); err != nil {
			return err
		}
	}
	return nil
}

// removeOld fails only where the connection did.
func removeOld(ctx context.Context, l *session.Lease, name string) error {
	if err := l.Remove(ctx, name); err != nil && !l.Usable() {
		return err
	}
	return nil
}

// mayBeOccupied reports whether a rename may have been refused because something is at the
// new name. Servers without posix-rename say no more than "failure".
func mayBeOccupied(refused error) bool {
	switch transport.KindOf(refused) {
	case transport.KindExist, transport.KindTemporary, transport.KindRefused, transport.KindName, transport.KindPermission:
		return true
	}
	return false
}
