package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// remoteStream watches a folder on a server by listing it again and again.
type remoteStream struct {
	stream
	c       ftpx.Client
	markers map[string]ftpx.Entry // what the last look saw that may be a marker, by path
	gone    bool
	said    map[string]bool // the names that were complained about
}

func newRemote(o Options, c ftpx.Client, dir string) (*remoteStream, error) {
	if o.Folder.Ready.Lock {
		return nil, errors.New("Options.Folder.Ready.Lock: no server lends its locks, use Stable or Marker")
	}
	sel, err := folder.SelectRemote(dir, &o.Folder)
	if err != nil {
		return nil, err
	}
	return &remoteStream{stream: newStream(o, sel, path.Clean(dir)), c: c}, nil
}

// run yields until ctx ends.
func (s *remoteStream) run(ctx context.Context, yield yield) {
	interval := s.o.Interval
	for ctx.Err() == nil {
		changed, ok := s.look(ctx, yield)
		if !ok || ctx.Err() != nil {
			return
		}
		if interval = min(interval*2, s.o.MaxInterval); changed {
			interval = s.o.Interval
		}
		at := time.Now()
		fresh, ok := s.offerDue(at, yield)
		if !ok {
			return
		}
		if fresh && !s.sleep(ctx, at, interval) {
			return
		}
	}
}

// sleep waits for the next look. While a file waits, that is not put off further than
// its moment.
func (s *remoteStream) sleep(ctx context.Context, at time.Time, interval time.Duration) bool {
	for {
		s.takeBack(time.Now())
		until := at.Add(interval)
		if due, ok := s.t.next(); ok {
			if due = later(due, at.Add(s.o.Interval)); due.Before(until) {
				until = due
			}
		}
		if !time.Now().Before(until) {
			return ctx.Err() == nil
		}
		if s.wait(ctx, until); ctx.Err() != nil {
			return false
		}
	}
}

// offerDue yields what is due. It stops when what the look saw is old by now, because
// the consumer took its time.
func (s *remoteStream) offerDue(at time.Time, yield yield) (fresh, ok bool) {
	for f := s.t.pop(at); f != nil; f = s.t.pop(at) {
		if time.Since(at) > s.o.Interval {
			s.t.schedule(f, f.due)
			return false, true
		}
		if !s.offer(f, s.marker(f.path), at, yield) {
			return false, false
		}
	}
	return true, true
}

func (s *remoteStream) marker(p string) *ftpx.Entry {
	name := s.sel.Marker(path.Base(p))
	if name == "" {
		return nil
	}
	e, ok := s.markers[join(path.Dir(p), name)]
	if !ok {
		return nil
	}
	return &e
}

// look lists the folder and those in it. changed says that something is new or gone; ok
// is false if the consumer wants no more.
func (s *remoteStream) look(ctx context.Context, yield yield) (changed, ok bool) {
	s.t.scan++
	s.takeBack(time.Now())
	before := s.t.changes
	s.markers = map[string]ftpx.Entry{}
	unread := map[string]bool{}
	stack := []string{"."}
	for len(stack) > 0 && ctx.Err() == nil {
		dir := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		folders, err := s.list(ctx, dir, yield)
		switch {
		case errors.Is(err, errStopped):
			return false, false
		case ctx.Err() != nil:
			return false, true
		case err == nil:
			stack = append(stack, folders...)
			if dir == "." {
				s.gone = false
			}
		case dir != "." && errors.Is(err, fs.ErrNotExist):
			// Gone since its parent was listed.
		default:
			unread[dir] = true
			if !s.tell(dir, err, yield) {
				return false, false
			}
		}
	}
	s.t.sweep(func(p string) bool { return beneath(p, unread) })
	return s.t.changes != before, true
}

// tell yields what prevents a folder from being listed.
func (s *remoteStream) tell(dir string, err error, yield yield) bool {
	if dir != "." {
		return yield(Event{Path: dir}, fmt.Errorf("watch: the folder %q cannot be read: %w", transport.Printable(dir), err))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return yield(Event{}, fmt.Errorf("watch: the folder cannot be read: %w", err))
	}
	if s.gone {
		return true
	}
	s.gone = true
	return yield(Event{}, fmt.Errorf("%w: %w", ErrGone, err))
}

// list notes the files of a folder and returns the folders in it.
func (s *remoteStream) list(ctx context.Context, dir string, yield yield) (folders []string, err error) {
	var entries []ftpx.Entry
	for e, err := range s.c.List(ctx, path.Join(s.dir, dir)) {
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	now := time.Now() // when they had been seen, not before
	for _, e := range entries {
		if err := s.sel.Check(e.Name); err != nil {
			if !s.complain(dir, err, yield) {
				return nil, errStopped
			}
			continue
		}
		rel := join(dir, e.Name)
		if e.Type == transport.TypeLink {
			if e, err = s.follow(ctx, rel, e); err != nil {
				return nil, err
			}
		}
		switch {
		case e.Type == transport.TypeDir:
			if !s.o.Flat && s.sel.Enters(rel) {
				folders = append(folders, rel)
			}
		case e.Type == transport.TypeUnknown:
			if !s.complain(dir, fmt.Errorf("%q: %w", transport.Printable(e.Name), folder.ErrUnknownType), yield) {
				return nil, errStopped
			}
		case e.Type != transport.TypeFile:
		case s.sel.Takes(rel):
			s.t.observe(rel, e, now, s.settle())
		case s.sel.Marker("x") != "":
			s.markers[rel] = e
		}
	}
	return folders, nil
}

// complain tells once of a name that cannot be used.
func (s *remoteStream) complain(dir string, err error, yield yield) bool {
	what := dir + " " + err.Error()
	if s.said[what] || len(s.said) >= maxSaid {
		return true
	}
	if s.said == nil {
		s.said = map[string]bool{}
	}
	s.said[what] = true
	return yield(Event{Path: dir}, fmt.Errorf("watch: in the folder %q: %w", transport.Printable(dir), err))
}

// maxSaid is how many names are complained about.
const maxSaid = 1000

// follow turns a link into the file that it leads to, if links are followed; those to
// folders are left out.
func (s *remoteStream) follow(ctx context.Context, rel string, link ftpx.Entry) (ftpx.Entry, error) {
	if s.o.Folder.Links != folder.LinkFollow || !s.sel.Takes(rel) {
		return link, nil
	}
	to, err := s.c.Stat(ctx, path.Join(s.dir, rel))
	switch {
	case ctx.Err() != nil:
		return link, err
	case err != nil || to.Type != transport.TypeFile:
		return link, nil
	}
	to.Name = link.Name
	return to, nil
}
