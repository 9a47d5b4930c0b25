package ftpx

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/upload"
)

// on runs an operation on one remote path.
func (c *client) on(ctx context.Context, op, p string, f func(context.Context, *lease, string) error) (err error) {
	ctx, o := c.begin(ctx, OperationInfo{Op: op, Remote: p})
	err = ErrNoReturn
	defer o.end(&err)
	name, rerr := c.resolve(p)
	if rerr != nil {
		return &Error{Op: op, Remote: p, Outcome: NotDone, Err: rerr}
	}
	return c.runIn(ctx, task{Op: op, Remote: p, Small: true}, func(ctx context.Context, l *lease) error { return f(ctx, l, name) })
}

// Stat implements [Files].
func (c *client) Stat(ctx context.Context, remotePath string) (Entry, error) {
	var e Entry
	err := c.on(ctx, "stat", orBase(remotePath), func(ctx context.Context, l *lease, name string) (err error) {
		e, err = l.Stat(ctx, name)
		return err
	})
	return e, err
}

// Remove implements [Files].
func (c *client) Remove(ctx context.Context, remotePath string) error {
	return c.on(ctx, "remove", remotePath, func(ctx context.Context, l *lease, name string) error {
		err := l.Remove(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			if l.Acted {
				return nil // the request whose reply was lost did it
			}
			if st, serr := l.Stat(ctx, name); serr != nil || !st.IsDir() {
				return err
			}
		} else if err == nil || !l.Usable() {
			return err
		}
		// DELE and SSH_FXP_REMOVE refuse folders, each server in words of its own.
		if l.Rmdir(ctx, name) == nil {
			return nil
		}
		return err
	})
}

// Rename implements [Files].
func (c *client) Rename(ctx context.Context, oldPath, newPath string) (err error) {
	ctx, op := c.begin(ctx, OperationInfo{Op: "rename", Remote: oldPath})
	err = ErrNoReturn
	defer op.end(&err)
	return c.rename(ctx, oldPath, newPath)
}

func (c *client) rename(ctx context.Context, oldPath, newPath string) error {
	to, err := c.resolve(newPath)
	if err != nil {
		return &Error{Op: "rename", Remote: newPath, Outcome: NotDone, Err: err}
	}
	from, err := c.resolve(oldPath)
	if err != nil {
		return &Error{Op: "rename", Remote: oldPath, Outcome: NotDone, Err: err}
	}
	t := task{Op: "rename", Remote: oldPath, Small: true}
	if err = upload.Rename(ctx, c.sess, t, from, to); err == nil {
		c.doubts.renamed(from, to)
		return nil
	}
	e := failed(t, 0, err).(*Error)
	if e.Outcome == NotDone {
		e.Outcome = outcomeOf(err)
	}
	return e
}

// MkdirAll implements [Files].
func (c *client) MkdirAll(ctx context.Context, remotePath string) error {
	return c.on(ctx, "mkdir", orBase(remotePath), func(ctx context.Context, l *lease, name string) error {
		return upload.MkdirAll(ctx, l, name)
	})
}

// Chtimes implements [Files].
func (c *client) Chtimes(ctx context.Context, remotePath string, mtime time.Time) error {
	return c.on(ctx, "chtimes", remotePath, func(ctx context.Context, l *lease, name string) error {
		return l.Chtimes(ctx, name, mtime)
	})
}
