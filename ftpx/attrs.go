package ftpx

import (
	"context"
	"errors"
	"io/fs"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Space is the room on a volume of the server, in bytes; -1 is what the server does not
// tell.
type Space struct {
	// Free is what this login may use.
	Free int64
	// Total is the size of the volume.
	Total int64
}

// Reply is what an FTP server said to a command.
type Reply struct {
	// Code is that of the final reply.
	Code int
	// Text is the reply without its code, its lines joined by "\n". It is the server's:
	// show it quoted.
	Text string
}

// unixMode are the bits of chmod(2) in a mode of package fs.
func unixMode(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	for flag, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&flag != 0 {
			bits |= bit
		}
	}
	return bits
}

// Chmod implements [Files].
func (c *client) Chmod(ctx context.Context, remotePath string, mode fs.FileMode) error {
	return c.on(ctx, "chmod", remotePath, func(ctx context.Context, l *lease, name string) error {
		return l.SetMode(ctx, name, unixMode(mode))
	})
}

// Symlink implements [Files].
func (c *client) Symlink(ctx context.Context, target, remotePath string) error {
	return c.on(ctx, "symlink", remotePath, func(ctx context.Context, l *lease, name string) error {
		err := l.Symlink(ctx, target, name)
		if err == nil || !l.Acted || !l.Usable() {
			return err
		}
		// The request whose reply was lost may have made it.
		if now, lerr := l.ReadLink(ctx, name); lerr == nil && now == target {
			return nil
		}
		return err
	})
}

// ReadLink implements [Files].
func (c *client) ReadLink(ctx context.Context, remotePath string) (target string, err error) {
	err = c.on(ctx, "readlink", remotePath, func(ctx context.Context, l *lease, name string) (err error) {
		target, err = l.ReadLink(ctx, name)
		return err
	})
	return target, err
}

// Space implements [Files].
func (c *client) Space(ctx context.Context, remotePath string) (Space, error) {
	s := Space{Free: -1, Total: -1}
	err := c.on(ctx, "space", orBase(remotePath), func(ctx context.Context, l *lease, name string) (err error) {
		s.Free, s.Total, err = l.Space(ctx, name)
		return err
	})
	return s, err
}

// Raw implements [Files].
func (c *client) Raw(ctx context.Context, line string) (Reply, error) {
	var r Reply
	err := c.run(ctx, task{Op: "raw"}, func(ctx context.Context, l *lease) (err error) {
		r.Code, r.Text, err = l.Raw(ctx, line)
		var te *transport.Error
		if errors.As(err, &te) && te.MayHaveActed {
			return retry.Stop(err) // nobody but the caller knows whether it may be repeated
		}
		return err
	})
	return r, err
}
