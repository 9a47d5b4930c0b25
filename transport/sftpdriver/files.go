package sftpdriver

import (
	"context"
	"fmt"
	"math"
	"path"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Rename moves a file or folder. With replace it uses posix-rename@openssh.com
// where the server offers it, which takes the place of an existing file in one
// step. The plain request fails on OpenSSH when there is one (trap 15), with
// SSH_FX_FAILURE, hence [transport.KindTemporary].
func (c *Conn) Rename(ctx context.Context, from, to string, replace bool) error {
	posix := replace && c.posixRename.Load()
	name := "RENAME"
	if posix {
		name = "EXTENDED posix-rename@openssh.com"
	}
	if path.Clean(from) == path.Clean(to) {
		// OpenSSH on Windows deletes a file that is renamed to itself.
		_, err := c.Stat(ctx, from)
		return err
	}
	k, err := c.begin(ctx, name, true, from, to)
	if err != nil {
		return err
	}
	if posix {
		err = c.sftp.PosixRename(from, to)
		if s := statusOf(err); s != nil && s.code == fxOpUnsupported {
			c.posixRename.Store(false) // offered and not meant
		}
	} else {
		err = c.sftp.Rename(from, to)
	}
	return k.end(err)
}

// Remove deletes a file, with SSH_FXP_REMOVE alone: pkg/sftp's Remove would
// try SSH_FXP_RMDIR next, and delete an empty folder.
func (c *Conn) Remove(ctx context.Context, p string) error {
	k, err := c.begin(ctx, "REMOVE", true, p)
	if err != nil {
		return err
	}
	return k.end(c.pipe.send(fxpRemove, putString(nil, p)).parse(fxpStatus, nil))
}

// Mkdir creates a folder. OpenSSH answers SSH_FX_FAILURE where there is one
// already, hence [transport.KindTemporary].
func (c *Conn) Mkdir(ctx context.Context, p string) error {
	k, err := c.begin(ctx, "MKDIR", true, p)
	if err != nil {
		return err
	}
	return k.end(c.sftp.Mkdir(p))
}

// Rmdir deletes an empty folder.
func (c *Conn) Rmdir(ctx context.Context, p string) error {
	k, err := c.begin(ctx, "RMDIR", true, p)
	if err != nil {
		return err
	}
	return k.end(c.sftp.RemoveDirectory(p))
}

// Chtimes sets the modification time and, because the protocol cannot set one
// alone, the access time to the same. SFTP version 3 holds unsigned seconds
// since 1970 in 32 bits.
func (c *Conn) Chtimes(ctx context.Context, p string, mtime time.Time) error {
	if s := mtime.Unix(); s < 0 || s > math.MaxUint32 {
		return c.ep.Fail("SSH_FXP_SETSTAT", p, transport.KindUnsupported,
			fmt.Errorf("SFTP version 3 cannot express the time %v", mtime.UTC()))
	}
	k, err := c.begin(ctx, "SETSTAT", true, p)
	if err != nil {
		return err
	}
	return k.end(c.sftp.Chtimes(p, mtime, mtime))
}

// Truncate cuts a file to size bytes.
func (c *Conn) Truncate(ctx context.Context, p string, size int64) error {
	if size < 0 {
		return c.ep.Fail("SSH_FXP_SETSTAT", p, transport.KindInvalid, fmt.Errorf("size %d is negative", size))
	}
	k, err := c.begin(ctx, "SETSTAT", true, p)
	if err != nil {
		return err
	}
	return k.end(c.sftp.Truncate(p, size))
}

// Ping asks for the login folder's path.
func (c *Conn) Ping(ctx context.Context) error {
	k, err := c.begin(ctx, "REALPATH", false, ".")
	if err != nil {
		return err
	}
	_, err = c.sftp.RealPath(".")
	return k.end(err)
}
