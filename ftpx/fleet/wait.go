package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Wait returns a job's record when it has ended. For many jobs use a [Waiter].
func (f *Fleet) Wait(ctx context.Context, id string) (*Record, error) {
	if r, err := f.Record(ctx, id); err != nil || r.State.Ended() {
		return r, err
	}
	w, err := f.recordsOf(id).Watch(ctx, id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.Stop() }()
	for first := true; ; first = false {
		select {
		case e, ok := <-w.Updates():
			switch {
			case !ok:
				return nil, ErrNoJob
			case e == nil:
				if first {
					return nil, ErrNoJob
				}
				continue
			case e.Operation() != jetstream.KeyValuePut:
				return nil, ErrNoJob
			}
			r, err := readRecord(e)
			if err != nil || r.State.Ended() {
				return r, err
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Waiter hears of the ends of jobs from when it was made, so that who submits many and then
// waits need not ask for each. Its methods are safe for concurrent use.
type Waiter struct {
	f    *Fleet
	subs []*nats.Subscription

	mu    sync.Mutex         // guards what follows
	ended map[string]*Record // nil for a job that is done
	news  chan struct{}      // closed at the next end
}

const (
	// lookAgain is how often records are asked for whose end was not heard: events are lost
	// while the engine is away.
	lookAgain = 10 * time.Second
	// looksAtOnce is how many records are asked for at once.
	looksAtOnce = 32
	// gatherFor is how long more ends are waited for after one, for each job that is left.
	gatherFor, mostGathered = 20 * time.Microsecond, 100 * time.Millisecond
)

// NewWaiter begins to listen. Make it before the jobs are submitted, and close it.
func (f *Fleet) NewWaiter() (*Waiter, error) {
	w := &Waiter{f: f, ended: map[string]*Record{}, news: make(chan struct{})}
	for _, state := range []State{Done, Dead, Cancelled} {
		sub, err := f.nc.Subscribe(eventPrefix+string(state)+".>", func(m *nats.Msg) { w.hear(state, m) })
		if err != nil {
			w.Close()
			return nil, err
		}
		w.subs = append(w.subs, sub)
	}
	return w, f.nc.Flush()
}

// Close ends the listening. Nobody may wait then.
func (w *Waiter) Close() {
	for _, s := range w.subs {
		_ = s.Unsubscribe()
	}
}

func (w *Waiter) hear(state State, m *nats.Msg) {
	id := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
	var r *Record
	if state != Done {
		if r = new(Record); json.Unmarshal(m.Data, r) != nil || r.State != state {
			return
		}
	}
	w.end(id, r)
}

func (w *Waiter) end(id string, r *Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended[id] = r
	close(w.news)
	w.news = make(chan struct{})
}

// Wait returns when all of these jobs have ended, with the records of those that are not done.
// They must have been accepted: for others it waits until ctx ends.
func (w *Waiter) Wait(ctx context.Context, ids []string) (notDone []*Record, err error) {
	left := ids
	for asked := (time.Time{}); ; {
		w.mu.Lock()
		news := w.news
		var still []string
		for _, id := range left {
			if r, ok := w.ended[id]; !ok {
				still = append(still, id)
			} else if r != nil {
				notDone = append(notDone, r)
			}
		}
		w.mu.Unlock()
		if left = still; len(left) == 0 {
			return notDone, nil
		}
		if time.Since(asked) >= lookAgain {
			if err := w.look(ctx, left); err != nil {
				return notDone, err
			}
			asked = time.Now()
			continue
		}
		// Thousands of ends are not looked at one by one.
		gather := min(time.Duration(len(left))*gatherFor, mostGathered)
		if err := pause(ctx, news, lookAgain-time.Since(asked), gather); err != nil {
			return notDone, err
		}
	}
}

// pause waits for news, and for more that come within a moment.
func pause(ctx context.Context, news <-chan struct{}, most, gather time.Duration) error {
	timer := time.NewTimer(max(most, 0))
	defer timer.Stop()
	select {
	case <-news:
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-time.After(gather):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// look asks for the records of jobs.
func (w *Waiter) look(ctx context.Context, ids []string) error {
	next := make(chan string)
	errs := make(chan error, looksAtOnce)
	var all sync.WaitGroup
	for range min(looksAtOnce, len(ids)) {
		all.Go(func() {
			for id := range next {
				switch r, err := w.f.Record(ctx, id); {
				case errors.Is(err, ErrNoJob): // accepted all the same: its worker writes one
				case err != nil:
					errs <- err
					return
				case r.State == Done:
					w.end(id, nil)
				case r.State.Ended():
					w.end(id, r)
				}
			}
		})
	}
	var err error
	for _, id := range ids {
		select {
		case next <- id:
			continue
		case err = <-errs:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		break
	}
	close(next)
	all.Wait()
	close(errs)
	for e := range errs {
		err = errors.Join(err, e)
	}
	if err != nil {
		return fmt.Errorf("looking for the ends of jobs: %w", err)
	}
	return nil
}
