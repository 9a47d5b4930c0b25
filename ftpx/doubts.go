package ftpx

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Rechecker is what the clients of this package are besides a [Client], for jobs that can
// send a file again. See [Client].Close for what it is about.
type Rechecker interface {
	// Doubtful reports whether a file that was uploaded has to be looked at again.
	Doubtful(remotePath string) bool
	// Recheck looks at such a file, after which it is doubtful no longer. The error is
	// [ErrReplaced] if it is not what was uploaded.
	Recheck(ctx context.Context, remotePath string) error
}

var _ Rechecker = (*client)(nil)

// closePatience bounds the looks that Close takes, of which so many are under way at once.
const (
	closePatience = 5 * time.Second
	closeLooks    = 8
)

// doubt is a file that the server may yet replace, see orphan.go.
type doubt struct {
	site  *site
	proto Protocol
	size  int64
	// left are the partials before the last one, which the server may make again.
	left []string
	tail []byte // digest of its last tailLength bytes, nil where the source could not be read again
}

// doubts are those of a client, by their remote paths as resolved.
type doubts struct {
	mu    sync.Mutex // guards files
	files map[string]doubt
}

// note takes note of an upload that is done, if there is any doubt about it.
func (d *doubts) note(u *upload) {
	doubtful := u.doubtful()
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.files, u.dest) // what was there before is gone
	if !doubtful {
		return
	}
	if d.files == nil {
		d.files = make(map[string]doubt)
	}
	size := u.confirmed
	was := doubt{site: u.site, proto: u.res.Protocol, size: size, left: u.partialsLeft()}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(u.src, tailFrom(size), size-tailFrom(size))); err == nil && u.src.check() == nil {
		was.tail = h.Sum(nil)
	}
	d.files[u.dest] = was
}

// tailFrom is where the last tailLength bytes of a file begin.
func tailFrom(size int64) int64 { return max(size-tailLength, 0) }

// renamed follows a file, or what is in a folder.
func (d *doubts) renamed(from, to string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, was := range d.files {
		if rest, ok := strings.CutPrefix(name, from); ok && (rest == "" || rest[0] == '/') {
			delete(d.files, name)
			d.files[to+rest] = was
		}
	}
}

// take returns what is known of a file and forgets it. A host that has since shown that it
// writes at offsets is beyond doubt.
func (d *doubts) take(name string) (doubt, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	was, ok := d.files[name]
	delete(d.files, name)
	return was, ok && !was.site.quirks.offsets(was.proto).taken.Load()
}

// names are the files that there is doubt about.
func (d *doubts) names() (names []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name := range d.files {
		names = append(names, name)
	}
	return names
}

// Doubtful implements [Rechecker].
func (c *client) Doubtful(remotePath string) bool {
	name, err := c.resolve(remotePath)
	if err != nil {
		return false
	}
	c.doubts.mu.Lock()
	defer c.doubts.mu.Unlock()
	_, ok := c.doubts.files[name]
	return ok
}

// Recheck implements [Rechecker].
func (c *client) Recheck(ctx context.Context, remotePath string) error {
	name, err := c.resolve(remotePath)
	if err != nil {
		return &Error{Op: "recheck", Remote: remotePath, Err: err}
	}
	return c.recheck(ctx, "recheck", name)
}

func (c *client) recheck(ctx context.Context, op, name string) error {
	was, ok := c.doubts.take(name)
	if !ok {
		return nil
	}
	return c.run(ctx, task{op: op, remote: name, rides: was.size <= rideMost}, func(ctx context.Context, l *lease) error {
		if l.site != was.site {
			return nil // that host has failed, and what it holds is nobody's concern now
		}
		return was.look(ctx, l, name)
	})
}

// look removes what the server has made again, and compares the file with what was
// uploaded: its size, and its end.
func (was *doubt) look(ctx context.Context, l *lease, name string) error {
	replaced := &transport.Error{Op: "stat", Path: name, Kind: transport.KindExist, Protocol: l.proto, Addr: l.Info().Addr, Err: ErrReplaced}
	for _, left := range was.left {
		if err := l.Remove(ctx, left); err != nil && !l.Usable() {
			return err
		}
	}
	st, err := l.Stat(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // its receiver has taken it
	case err != nil:
		return err
	case st.Size >= 0 && st.Size != was.size:
		return replaced
	case was.size == 0 || was.tail == nil:
		return nil
	}
	h, from := sha256.New(), tailFrom(was.size)
	if _, err := l.Retrieve(ctx, name, from, h, &transport.IO{Size: was.size - from, Limit: was.size - from}); err != nil {
		return err
	}
	if !bytes.Equal(h.Sum(nil), was.tail) {
		return replaced
	}
	return nil
}

// lastLook rechecks all that there is doubt about. A file that could not be looked at in
// time is as it was when it was uploaded, as far as is known.
func (c *client) lastLook() error {
	names := c.doubts.names()
	if len(names) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, closePatience)
	defer cancel()
	todo := make(chan string, len(names))
	for _, name := range names {
		todo <- name
	}
	close(todo)
	errs := make([][]error, min(len(names), closeLooks))
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			for name := range todo {
				if err := c.recheck(ctx, "close", name); errors.Is(err, ErrReplaced) {
					errs[i] = append(errs[i], err)
				}
			}
		})
	}
	all.Wait()
	return errors.Join(slices.Concat(errs...)...)
}
