package charset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Conn is a connection whose names are in UTF-8 here and in another character set
// on the server.
type Conn struct {
	// Conn is the connection that speaks to the server. What has no path is
	// passed on to it.
	transport.Conn
	set encoding.Encoding
}

var _ transport.Conn = (*Conn)(nil)

// New puts a character set, which must have passed [Check], before a connection.
func New(conn transport.Conn, set encoding.Encoding) *Conn { return &Conn{Conn: conn, set: set} }

// Text decodes, for people, what a server said. It is for concurrent use, and
// meant for [transport.Trace].
func Text(set encoding.Encoding) func(string) string {
	return func(s string) string { return newNames(set).text(s) }
}

// path encodes a path, or says why not.
func (c *Conn) path(n *names, p string) (string, error) {
	raw, err := n.encode(p)
	if err == nil {
		return raw, nil
	}
	info := c.Info()
	return "", &transport.Error{Op: "encode name", Path: p, Addr: info.Addr, Protocol: info.Protocol, Kind: transport.KindName,
		Err: fmt.Errorf("the server's names are in %s: %w; rename the file, or use the character set that the server has (Options.Charset)", nameOf(c.set), err)}
}

// with does what has one path.
func (c *Conn) with(p string, do func(raw string, n *names) error) error {
	n := newNames(c.set)
	raw, err := c.path(n, p)
	if err != nil {
		return err
	}
	return n.failure(do(raw, n))
}

// failure makes an error speak of the paths that were given.
func (n *names) failure(err error) error {
	te, ok := err.(*transport.Error)
	if !ok {
		return err
	}
	e := *te
	e.Path = n.decode(te.Path)
	if e.Err != nil {
		e.Err = n.readable(e.Err)
	}
	return &e
}

// readable decodes an error's text. That of a reply is quoted, byte by byte.
func (n *names) readable(err error) error {
	text := err.Error()
	var reply *textproto.Error
	if errors.As(err, &reply) && !utf8.ValidString(reply.Msg) {
		decoded := &textproto.Error{Code: reply.Code, Msg: n.text(reply.Msg)}
		text = strings.Replace(text, reply.Error(), decoded.Error(), 1)
	}
	if text = n.text(text); text == err.Error() {
		return err
	}
	return &readable{err, text}
}

// readable is an error whose text has been decoded.
type readable struct {
	err  error
	text string
}

func (r *readable) Error() string { return r.text }
func (r *readable) Unwrap() error { return r.err }

// Stat describes a file or folder.
func (c *Conn) Stat(ctx context.Context, p string) (transport.Entry, error) {
	return c.describe(ctx, p, c.Conn.Stat)
}

// Lstat describes a link itself, where the connection can.
func (c *Conn) Lstat(ctx context.Context, p string) (transport.Entry, error) {
	if l, ok := c.Conn.(transport.Lstater); ok {
		return c.describe(ctx, p, l.Lstat)
	}
	return c.Stat(ctx, p)
}

func (c *Conn) describe(ctx context.Context, p string, ask func(context.Context, string) (transport.Entry, error)) (e transport.Entry, err error) {
	err = c.with(p, func(raw string, n *names) (err error) {
		if e, err = ask(ctx, raw); err == nil {
			e.Name, e.Target = path.Base(p), n.decode(e.Target)
		}
		return err
	})
	return e, err
}

// List decodes each entry's name.
func (c *Conn) List(ctx context.Context, p string, yield func(transport.Entry) bool) error {
	return c.with(p, func(raw string, n *names) error {
		return c.Conn.List(ctx, raw, func(e transport.Entry) bool {
			e.Name, e.Target = n.decode(e.Name), n.decode(e.Target)
			return yield(e)
		})
	})
}

// Store writes a file.
func (c *Conn) Store(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (sent int64, err error) {
	err = c.with(p, func(raw string, n *names) error {
		sent, err = c.Conn.Store(ctx, raw, offset, src, opt)
		if f := opt.Finishing(); f != nil && f.Entry != nil {
			f.Entry.Name, f.Entry.Target = path.Base(p), n.decode(f.Entry.Target)
		}
		return err
	})
	return sent, err
}

// Retrieve reads a file.
func (c *Conn) Retrieve(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (got int64, err error) {
	err = c.with(p, func(raw string, _ *names) error {
		got, err = c.Conn.Retrieve(ctx, raw, offset, dst, opt)
		return err
	})
	return got, err
}

// Rename moves a file or folder.
func (c *Conn) Rename(ctx context.Context, from, to string, replace bool) error {
	target, err := c.path(newNames(c.set), to)
	if err != nil {
		return err
	}
	return c.with(from, func(raw string, _ *names) error { return c.Conn.Rename(ctx, raw, target, replace) })
}

// Remove deletes a file.
func (c *Conn) Remove(ctx context.Context, p string) error {
	return c.with(p, func(raw string, _ *names) error { return c.Conn.Remove(ctx, raw) })
}

// Mkdir creates a folder.
func (c *Conn) Mkdir(ctx context.Context, p string) error {
	return c.with(p, func(raw string, _ *names) error { return c.Conn.Mkdir(ctx, raw) })
}

// Rmdir deletes an empty folder.
func (c *Conn) Rmdir(ctx context.Context, p string) error {
	return c.with(p, func(raw string, _ *names) error { return c.Conn.Rmdir(ctx, raw) })
}

// Chtimes sets the modification time.
func (c *Conn) Chtimes(ctx context.Context, p string, mtime time.Time) error {
	return c.with(p, func(raw string, _ *names) error { return c.Conn.Chtimes(ctx, raw, mtime) })
}

// Truncate cuts a file.
func (c *Conn) Truncate(ctx context.Context, p string, size int64) error {
	return c.with(p, func(raw string, _ *names) error { return c.Conn.Truncate(ctx, raw, size) })
}

// Hash returns the server's digest of a file.
func (c *Conn) Hash(ctx context.Context, p, algo string, offset, size int64) (sum []byte, err error) {
	err = c.with(p, func(raw string, _ *names) error {
		sum, err = c.Conn.Hash(ctx, raw, algo, offset, size)
		return err
	})
	return sum, err
}
