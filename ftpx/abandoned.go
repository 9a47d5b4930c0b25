package ftpx

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"
)

// abandonedFor is how long the removal of a partial is tried that nobody can resume.
const abandonedFor = 30 * time.Second

// streams are the Puts under way, and the removals of what those have left that failed and
// whose source cannot be read again.
type streams struct {
	mu     sync.Mutex // guards what follows
	closed bool
	abort  map[int]context.CancelCauseFunc
	next   int

	busy sync.WaitGroup // added to with mu held, before closed, or by who is in it

	ctx context.Context // of the removals
	end context.CancelFunc
}

func (s *streams) init() { s.ctx, s.end = context.WithCancel(context.Background()) }

// begin takes note of a Put. The context ends with the client.
func (s *streams) begin(ctx context.Context) (context.Context, func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ctx, nil, ErrClosed
	}
	if s.abort == nil {
		s.abort = map[int]context.CancelCauseFunc{}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	id := s.next
	s.next++
	s.abort[id] = cancel
	s.busy.Add(1)
	return ctx, func() {
		cancel(nil)
		s.mu.Lock()
		delete(s.abort, id)
		s.mu.Unlock()
		s.busy.Done()
	}, nil
}

// close aborts what is under way and waits, closeTimeout at most, until what it has left is
// removed.
func (s *streams) close() {
	s.mu.Lock()
	s.closed = true
	for _, abort := range s.abort {
		abort(ErrClosed)
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.busy.Wait()
		close(done)
	}()
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
	s.end()
}

// abandon removes partials in the background. It is called within a Put.
func (c *client) abandon(names []string) {
	c.streams.busy.Go(func() {
		ctx, cancel := context.WithTimeout(c.streams.ctx, abandonedFor)
		defer cancel()
		for _, name := range names {
			c.removeAbandoned(ctx, name)
		}
	})
}

// removeAbandoned removes a partial. The server may make or hold it for a moment after the
// session that wrote it was ended, so that a refusal is not its last word.
func (c *client) removeAbandoned(ctx context.Context, name string) {
	for pause := 100 * time.Millisecond; pause < 3*time.Second; pause *= 3 {
		err := c.run(ctx, task{Op: "remove", Remote: name, Small: true}, func(ctx context.Context, l *lease) error {
			err := l.Remove(ctx, name)
			if errors.Is(err, fs.ErrNotExist) && l.Acted {
				return nil
			}
			return err
		})
		if err == nil {
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}
