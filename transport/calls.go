package transport

import (
	"context"
	"io"
	"time"
)

// Calls are the requests of a connection as methods, one in a batch each: for whoever
// has nothing to say that could go out together.
type Calls struct{ Conn }

// IO are the options of [Calls.Store] and [Calls.Retrieve]; nil is the zero value.
type IO struct {
	// Size is as in [Store] and [Retrieve].
	Size int64
	// Limit is as in [Retrieve].
	Limit int64
	// Progress is as in [Store] and [Retrieve].
	Progress func(n int64)
}

// one carries out a single request.
func (c Calls) one(ctx context.Context, r Request) error {
	err := c.Conn.Do(ctx, NewBatch(r))
	if h := r.Common(); h.Err != nil && h.Err != ErrUnsent {
		return h.Err
	}
	return err
}

// Stat carries out a [Stat].
func (c Calls) Stat(ctx context.Context, path string) (Entry, error) {
	r := &Stat{Path: path}
	err := c.one(ctx, r)
	return r.Entry, err
}

// List carries out a [List].
func (c Calls) List(ctx context.Context, path string, yield func(Entry) bool) error {
	return c.one(ctx, &List{Path: path, Yield: yield})
}

// Store carries out a [Store] and returns Stored.
func (c Calls) Store(ctx context.Context, path string, offset int64, src io.Reader, opt *IO) (int64, error) {
	r := &Store{Path: path, Offset: offset, Src: src}
	if opt != nil {
		r.Size, r.Progress = opt.Size, opt.Progress
	}
	err := c.one(ctx, r)
	return r.Stored, err
}

// Retrieve carries out a [Retrieve] and returns Received.
func (c Calls) Retrieve(ctx context.Context, path string, offset int64, dst io.Writer, opt *IO) (int64, error) {
	r := &Retrieve{Path: path, Offset: offset, Dst: dst}
	if opt != nil {
		r.Size, r.Limit, r.Progress = opt.Size, opt.Limit, opt.Progress
	}
	err := c.one(ctx, r)
	return r.Received, err
}

// Rename carries out a [Rename].
func (c Calls) Rename(ctx context.Context, from, to string, replace bool) error {
	return c.one(ctx, &Rename{From: from, To: to, Replace: replace})
}

// Remove carries out a [Remove].
func (c Calls) Remove(ctx context.Context, path string) error {
	return c.one(ctx, &Remove{Path: path})
}

// Mkdir carries out a [Mkdir].
func (c Calls) Mkdir(ctx context.Context, path string) error { return c.one(ctx, &Mkdir{Path: path}) }

// Rmdir carries out a [Rmdir].
func (c Calls) Rmdir(ctx context.Context, path string) error { return c.one(ctx, &Rmdir{Path: path}) }

// Chtimes carries out a [SetTime].
func (c Calls) Chtimes(ctx context.Context, path string, mtime time.Time) error {
	return c.one(ctx, &SetTime{Path: path, Time: mtime})
}

// Truncate carries out a [Truncate].
func (c Calls) Truncate(ctx context.Context, path string, size int64) error {
	return c.one(ctx, &Truncate{Path: path, Size: size})
}

// Hash carries out a [Hash].
func (c Calls) Hash(ctx context.Context, path, algo string, offset, n int64) ([]byte, error) {
	r := &Hash{Path: path, Algo: algo, Offset: offset, Size: n}
	err := c.one(ctx, r)
	return r.Sum, err
}

// SetMode carries out a [SetMode].
func (c Calls) SetMode(ctx context.Context, path string, mode uint32) error {
	return c.one(ctx, &SetMode{Path: path, Mode: mode})
}

// Symlink carries out a [Link] that makes one.
func (c Calls) Symlink(ctx context.Context, target, path string) error {
	return c.one(ctx, &Link{Path: path, Make: true, Target: target})
}

// ReadLink carries out a [Link] that reads one.
func (c Calls) ReadLink(ctx context.Context, path string) (string, error) {
	r := &Link{Path: path}
	err := c.one(ctx, r)
	return r.Target, err
}

// Space carries out a [Space].
func (c Calls) Space(ctx context.Context, path string) (free, total int64, err error) {
	r := &Space{Path: path, Free: -1, Total: -1}
	err = c.one(ctx, r)
	return r.Free, r.Total, err
}

// Raw carries out a [Raw].
func (c Calls) Raw(ctx context.Context, line string) (code int, text string, err error) {
	r := &Raw{Line: line}
	err = c.one(ctx, r)
	return r.Code, r.Text, err
}

// Ping carries out a [Ping].
func (c Calls) Ping(ctx context.Context) error { return c.one(ctx, &Ping{}) }
