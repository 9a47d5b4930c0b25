package watch

import (
	"context"
	"fmt"
	"path"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// yield is what a stream hands its events to; false ends the stream.
type yield func(Event, error) bool

// stream is what both kinds of folders have in common.
type stream struct {
	o   Options
	sel *folder.Selection
	dir string
	t   *table
	reg *register // nil for a job, whose Single asks the ledger

	wake chan struct{} // a token: there is something to do

	mu   sync.Mutex
	back []failure // files that are to be yielded once more
}

// failure is what became of a file that was yielded and not copied.
type failure struct {
	event   Event
	own     bool // for a reason of its own
	again   bool // as the consumer has said
	unready bool // it has changed
}

func newStream(o Options, sel *folder.Selection, dir string) stream {
	return stream{o: o, sel: sel, dir: dir, t: newTable(), wake: make(chan struct{}, 1)}
}

// giveBack has a file yielded once more, later. It may be called from anywhere.
func (s *stream) giveBack(f failure) {
	s.mu.Lock()
	s.back = append(s.back, f)
	s.mu.Unlock()
	s.poke()
}

func (s *stream) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// takeBack puts the files into the queue that were given back, unless they are others
// by now.
func (s *stream) takeBack(now time.Time) {
	s.mu.Lock()
	back := s.back
	s.back = nil
	s.mu.Unlock()
	for _, b := range back {
		f := s.t.files[b.event.Path]
		if f == nil || !f.taken || f.size != b.event.Size || !f.mtime.Equal(b.event.ModTime) {
			continue
		}
		pause := s.o.RetryAfter
		switch {
		case b.unready:
			f.since = now
			pause = max(s.settle(), time.Second)
		case b.own:
			if f.tries++; f.tries >= s.o.Attempts {
				continue // until it changes
			}
			fallthrough
		default:
			f.pause = min(max(f.pause*2, pause), maxPause)
			pause = f.pause
		}
		f.taken = false
		s.t.schedule(f, now.Add(pause))
	}
}

func (s *stream) settle() time.Duration { return s.o.Folder.Ready.Stable }

// offer yields a file that is due and as it was, unless it has to wait for its age or
// its marker.
func (s *stream) offer(f *file, marker *ftpx.Entry, now time.Time, yield yield) bool {
	e := ftpx.Entry{Name: path.Base(f.path), Type: ftpx.TypeFile, Size: f.size, ModTime: f.mtime, TimeExact: f.exact}
	if why := s.sel.Waits(e, marker, now); why != "" {
		// For its age, a moment is known; for all else, it waits until it is seen again.
		if age := s.o.Folder.OlderThan; age > 0 && !f.mtime.IsZero() && f.mtime.Add(age).After(now) {
			s.t.schedule(f, f.mtime.Add(age))
		}
		return true
	}
	settled, err := s.reg.settled(f)
	if err != nil {
		s.t.schedule(f, now.Add(s.o.RetryAfter))
		return yield(Event{Path: f.path}, fmt.Errorf("watch: the ledger: %w", err))
	}
	f.taken = true
	if settled {
		return true
	}
	f.yielded++
	return yield(Event{Path: f.path, Size: f.size, ModTime: f.mtime, TimeExact: f.exact, Attempt: f.yielded,
		last: f.tries+1 >= s.o.Attempts, by: s.reg, giveBack: s.giveBack}, nil)
}

// wait sleeps until a moment, or until there is something to do.
func (s *stream) wait(ctx context.Context, until time.Time) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.wake:
	case <-ctx.Done():
	}
}

func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}

// beneath reports whether a path lies in one of these folders, or below.
func beneath(p string, dirs map[string]bool) bool {
	if len(dirs) == 0 {
		return false
	}
	if dirs["."] {
		return true
	}
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		if dirs[dir] {
			return true
		}
	}
	return false
}
