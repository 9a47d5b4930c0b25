package ftpx

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// on runs an operation on one remote path.
func (c *client) on(ctx context.Context, op, p string, f func(context.Context, *lease, string) error) error {
	name, err := c.resolve(p)
	if err != nil {
		return &Error{Op: op, Remote: p, Err: err}
	}
	return c.run(ctx, task{op: op, remote: p, rides: true}, func(ctx context.Context, l *lease) error { return f(ctx, l, name) })
}

// Stat implements [Files].
func (c *client) Stat(ctx context.Context, remotePath string) (Entry, error) {
	var e Entry
	err := c.on(ctx, "stat", remotePath, func(ctx context.Context, l *lease, name string) (err error) {
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
			if l.acted {
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
func (c *client) Rename(ctx context.Context, oldPath, newPath string) error {
	to, err := c.resolve(newPath)
	if err != nil {
		return &Error{Op: "rename", Remote: newPath, Err: err}
	}
	m := &move{to: to}
	err = c.on(ctx, "rename", oldPath, func(ctx context.Context, l *lease, from string) error {
		m.from = from
		return m.once(ctx, l)
	})
	if err = m.failure(err); err == nil {
		c.doubts.renamed(m.from, to)
	}
	return err
}

// MkdirAll implements [Files].
func (c *client) MkdirAll(ctx context.Context, remotePath string) error {
	return c.on(ctx, "mkdir", remotePath, func(ctx context.Context, l *lease, name string) error {
		return mkdirAll(ctx, l, name)
	})
}

// mkdirAll tries the folder itself first, so that the usual case, a missing leaf
// or nothing missing, costs one or two round trips. Servers say "exists" in so
// many ways that a look decides.
func mkdirAll(ctx context.Context, conn transport.Conn, name string) error {
	if name == "." || name == "/" {
		return nil
	}
	err := conn.Mkdir(ctx, name)
	if err == nil || !conn.Usable() {
		return err
	}
	if st, serr := conn.Stat(ctx, name); serr == nil {
		if st.IsDir() {
			return nil
		}
		return retry.Stop(&transport.Error{Op: "mkdir", Path: name, Kind: transport.KindExist, Err: errors.New("it is a file")})
	} else if !conn.Usable() {
		return serr
	}
	parent, _ := splitPath(name)
	if parent == "." || parent == "/" {
		return err
	}
	if perr := mkdirAll(ctx, conn, parent); perr != nil {
		return perr
	}
	err = conn.Mkdir(ctx, name)
	if err != nil && conn.Usable() {
		// Somebody else may have been quicker.
		if st, serr := conn.Stat(ctx, name); serr == nil && st.IsDir() {
			return nil
		}
	}
	return err
}

// Chtimes implements [Files].
func (c *client) Chtimes(ctx context.Context, remotePath string, mtime time.Time) error {
	return c.on(ctx, "chtimes", remotePath, func(ctx context.Context, l *lease, name string) error {
		return l.Chtimes(ctx, name, mtime)
	})
}
