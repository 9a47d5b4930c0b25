package ftpx

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/upload"
)

// Rechecker is what the clients of this package are besides a [Client], for jobs that can
// send a file again. See [Client].Close for what it is about.
type Rechecker interface {
	// Doubtful reports whether a file that was uploaded is to be looked at again, by
	// Recheck or by Close. It asks nothing of the server.
	Doubtful(remotePath string) bool
	// Recheck looks at such a file; of any other it knows nothing and returns nil. The
	// error is an [*Error]: around [ErrReplaced] if the file is not what was uploaded,
	// and otherwise one of the look itself, after which the file is as doubtful as
	// before, so that the call may be repeated.
	Recheck(ctx context.Context, remotePath string) error
}

var _ Rechecker = (*client)(nil)

// closeTimeout bounds the looks that Close takes, of which so many are under way at once.
const (
	closeTimeout = 5 * time.Second
	closeLooks   = 8
)

// doubts are those of a client, by their remote paths as resolved.
type doubts struct {
	mu    sync.Mutex // guards files
	files map[string]*upload.Doubt
}

// note takes note of an upload that is done, with the doubt about it, nil for none.
func (d *doubts) note(name string, doubt *upload.Doubt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.files, name) // what was there before is gone
	if doubt == nil {
		return
	}
	if d.files == nil {
		d.files = make(map[string]*upload.Doubt)
	}
	d.files[name] = doubt
}

// renamed follows a file, or what is in a folder. What was at the new name is gone.
func (d *doubts) renamed(from, to string) {
	if from == to {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for name := range d.files { // what was there is gone
		if rest, ok := strings.CutPrefix(name, to); ok && (rest == "" || rest[0] == '/') {
			delete(d.files, name)
		}
	}
	for name, was := range d.files {
		if rest, ok := strings.CutPrefix(name, from); ok && (rest == "" || rest[0] == '/') {
			delete(d.files, name)
			d.files[to+rest] = was
		}
	}
}

// take returns what is known of a file and forgets it, so that no two look at once. A host
// that has since shown that it writes at offsets is beyond doubt: ok is false then.
func (d *doubts) take(name string) (*upload.Doubt, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	was, ok := d.files[name]
	delete(d.files, name)
	return was, ok && was.Open()
}

// putBack takes note again of a file that could not be looked at, unless another has been
// uploaded there meanwhile.
func (d *doubts) putBack(name string, was *upload.Doubt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.files[name]; !ok {
		d.files[name] = was
	}
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
		return &Error{Op: "recheck", Remote: remotePath, Outcome: NotDone, Err: err}
	}
	return c.recheck(ctx, "recheck", name)
}

func (c *client) recheck(ctx context.Context, op, name string) error {
	was, ok := c.doubts.take(name)
	if !ok {
		return nil
	}
	err := c.run(ctx, task{Op: op, Remote: name, Small: was.Small()}, func(ctx context.Context, l *lease) error { return was.Look(ctx, l, name) })
	if err != nil && !errors.Is(err, ErrReplaced) {
		c.doubts.putBack(name, was)
	}
	return err
}

// lastLook rechecks all that there is doubt about. A file that could not be looked at in
// time is as it was when it was uploaded, as far as is known.
func (c *client) lastLook() error {
	names := c.doubts.names()
	if len(names) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	todo := make(chan string, len(names))
	for _, name := range names {
		todo <- name
	}
	close(todo)
	errs := make([][]error, min(len(names), closeLooks))
	var all sync.WaitGroup
	panicked := make(chan any, len(errs)) // it is the caller's goroutine that is to panic
	for i := range errs {
		all.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					panicked <- p
				}
			}()
			for name := range todo {
				if err := c.recheck(ctx, "close", name); errors.Is(err, ErrReplaced) {
					errs[i] = append(errs[i], err)
				}
			}
		})
	}
	all.Wait()
	select {
	case p := <-panicked:
		panic(p)
	default:
	}
	return errors.Join(slices.Concat(errs...)...)
}
