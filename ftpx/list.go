package ftpx

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// List implements [Files].
func (c *client) List(ctx context.Context, remotePath string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		l, err := c.listIn(ctx, remotePath, c.cfg.Limits.Listing)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for i, chunk := range l {
			for _, e := range chunk {
				if !yield(e, nil) {
					return
				}
			}
			l[i] = nil // the caller may keep them in a form of its own
		}
	}
}

// entryCost is what an entry takes besides its strings.
const entryCost = 128

func costOf(entries ...Entry) (n int64) {
	for i := range entries {
		n += entryCost + int64(len(entries[i].Name)+len(entries[i].Target))
	}
	return n
}

// listing is the entries of a folder, in chunks: a slice that grows is held twice, and
// there may be a million of them.
type listing [][]Entry

// The lengths of the first chunk and the longest; each is twice the one before.
const (
	firstChunk = 64
	lastChunk  = 4096
)

// add appends an entry. Its strings are copied: a driver's may be parts of a longer line.
func (l *listing) add(e Entry) {
	n := len(*l)
	if n == 0 || len((*l)[n-1]) == cap((*l)[n-1]) {
		size := firstChunk
		if n > 0 {
			size = min(2*len((*l)[n-1]), lastChunk)
		}
		*l = append(*l, make([]Entry, 0, size))
		n++
	}
	e.Name, e.Target = strings.Clone(e.Name), strings.Clone(e.Target)
	(*l)[n-1] = append((*l)[n-1], e)
}

func (c *client) list(ctx context.Context, remotePath string) ([]Entry, error) {
	l, err := c.listIn(ctx, remotePath, c.cfg.Limits.Listing)
	return slices.Concat(l...), err
}

// listIn lists a folder into so much memory.
func (c *client) listIn(ctx context.Context, remotePath string, room int64) (listing, error) {
	var entries listing
	err := c.on(ctx, "list", orBase(remotePath), func(ctx context.Context, l *lease, name string) error {
		entries = nil
		left := room
		err := l.List(ctx, name, func(e Entry) bool {
			left -= costOf(e)
			entries.add(e)
			return left >= 0
		})
		if left < 0 {
			entries = nil
			return &transport.Error{Op: "list", Path: name, Addr: l.Info().Addr, Protocol: l.Proto, Kind: transport.KindRefused,
				Err: fmt.Errorf("%w: its entries take more than %d MiB, with those of the folders above it: raise Options.Limits.Listing", transport.ErrListingTooLong, c.cfg.Limits.Listing>>20)}
		}
		for _, chunk := range entries {
			if err == nil {
				err = findTypes(ctx, l, name, chunk)
			}
		}
		return err
	})
	return entries, err
}

// findTypes asks for each entry of which the listing told no type what it is. One that
// the server tells nothing of stays [transport.TypeUnknown]; an error is one of the
// connection.
func findTypes(ctx context.Context, l *lease, dir string, entries []Entry) error {
	batch := &transport.Batch{}
	var asked []int
	for i, e := range entries {
		if e.Type == transport.TypeUnknown && !badName(e.Name) {
			asked = append(asked, i)
			batch.Requests = append(batch.Requests, &transport.Stat{Path: path.Join(dir, e.Name), NoFollow: true})
		}
	}
	if len(asked) == 0 {
		return nil
	}
	err := l.Do(ctx, batch)
	for n, i := range asked {
		if found := batch.Requests[n].(*transport.Stat); found.Err == nil {
			found.Entry.Name = entries[i].Name
			entries[i] = found.Entry
		}
	}
	return err
}

// WalkFunc is called by [Files].Walk. p is the entry's path, beginning with the
// root that was given. If err is not nil the entry could not be read, or has a
// name that would lead elsewhere; a returned error other than fs.SkipDir and
// fs.SkipAll ends the walk.
type WalkFunc func(p string, e Entry, err error) error

// Walk implements [Files].
func (c *client) Walk(ctx context.Context, root string, fn WalkFunc) (err error) {
	ctx, op := c.begin(ctx, OperationInfo{Op: "walk", Remote: root})
	err = ErrNoReturn
	defer op.end(&err)
	return c.walkFrom(ctx, root, fn)
}

func (c *client) walkFrom(ctx context.Context, root string, fn WalkFunc) error {
	e, err := c.Stat(ctx, root)
	if err == nil {
		err = c.walk(ctx, root, e, c.cfg.Limits.Listing, fn)
	} else {
		err = fn(root, Entry{}, err)
	}
	if errors.Is(err, fs.SkipDir) || errors.Is(err, fs.SkipAll) {
		return nil
	}
	return err
}

func (c *client) walk(ctx context.Context, p string, e Entry, room int64, fn WalkFunc) error {
	if err := fn(p, e, nil); err != nil || !e.IsDir() {
		if e.IsDir() && errors.Is(err, fs.SkipDir) {
			err = nil
		}
		return err
	}
	l, err := c.listIn(ctx, p, room)
	if err != nil {
		if err = fn(p, e, err); errors.Is(err, fs.SkipDir) {
			err = nil
		}
		return err
	}
	entries := slices.Concat(l...)
	room -= costOf(entries...)
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	for _, child := range entries {
		if badName(child.Name) {
			err = fn(p, child, asInvalid(fmt.Errorf("the server lists a name that leads elsewhere: %q", transport.Printable(child.Name))))
		} else {
			err = c.walk(ctx, path.Join(p, child.Name), child, room, fn)
		}
		if errors.Is(err, fs.SkipDir) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// RemoveAll implements [Files].
func (c *client) RemoveAll(ctx context.Context, remotePath string) (err error) {
	ctx, op := c.begin(ctx, OperationInfo{Op: "removeall", Remote: remotePath})
	err = ErrNoReturn
	defer op.end(&err)
	return c.removeAll(ctx, remotePath)
}

func (c *client) removeAll(ctx context.Context, remotePath string) error {
	name, err := c.resolve(remotePath)
	if err != nil {
		return &Error{Op: "remove", Remote: remotePath, Outcome: NotDone, Err: err}
	}
	if name == "/" || name == "." || name == c.cfg.Base {
		return &Error{Op: "remove", Remote: remotePath, Outcome: NotDone, Err: asInvalid(errors.New("that is the base folder itself: name what is to be removed in it"))}
	}
	e, err := c.Stat(ctx, remotePath)
	if errors.Is(err, fs.ErrNotExist) {
		// A link that leads nowhere is not there for Stat, and can be removed.
		if err := c.Remove(ctx, remotePath); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err != nil {
		return err
	}
	if e.IsDir() {
		// It may be a link to a folder: then removing it as a file works, and
		// what it leads to is left alone.
		if err := c.Remove(ctx, remotePath); err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return c.removeTree(ctx, remotePath, c.cfg.Limits.Listing)
	}
	return ignoreMissing(c.Remove(ctx, remotePath))
}

func (c *client) removeTree(ctx context.Context, dir string, room int64) error {
	l, err := c.listIn(ctx, dir, room)
	if err != nil {
		return ignoreMissing(err)
	}
	entries := slices.Concat(l...)
	room -= costOf(entries...)
	for _, e := range entries {
		if badName(e.Name) {
			return &Error{Op: "remove", Remote: dir, Outcome: NotDone, Err: asInvalid(fmt.Errorf("the server lists a name that leads elsewhere: %q", transport.Printable(e.Name)))}
		}
		p := path.Join(dir, e.Name)
		if e.IsDir() {
			err = c.removeTree(ctx, p, room)
		} else {
			err = ignoreMissing(c.Remove(ctx, p))
		}
		if err != nil {
			return err
		}
	}
	return ignoreMissing(c.Remove(ctx, dir))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
