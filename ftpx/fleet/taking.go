package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// inHand is a job that this worker was given.
type inHand struct {
	lease *lease
	class Class
}

// next is the next job of the target.
func (h *holder) next() (job inHand, ok bool) {
	if len(h.hand) == 0 {
		h.take()
	}
	if len(h.hand) == 0 {
		return job, false
	}
	job, h.hand = h.hand[0], h.hand[1:]
	return job, true
}

// take asks for jobs: for as many as there is room for, if the last was a small one, and never
// beyond the turn of the lowest class.
func (h *holder) take() {
	n := 1
	if left := lowest - 1 - h.turn%lowest; h.little && left > 0 {
		if h.more {
			h.makeRoom(atOnce / 2) // a few together cost little more than one
		}
		n = max(1, min(left, atOnce-len(h.room)))
	}
	_, st := h.w.f.jobsOf(h.t.Name)
	h.more = false
	for _, class := range order(h.turn) {
		c, err := h.w.consumer(st, jobConsumer(class, h.t.Name))
		if err != nil {
			continue
		}
		msgs, asked := fetch(h.w.begin, c, n, 0)
		for _, m := range msgs {
			h.hand = append(h.hand, inHand{h.w.f.hold(m, asked), class})
			if meta, err := m.Metadata(); err == nil {
				h.more = meta.NumPending > 0
			}
		}
		if len(msgs) > 0 {
			return
		}
	}
}

// makeRoom waits until so many small jobs more can be begun.
func (h *holder) makeRoom(n int) {
	for range n {
		h.room <- struct{}{}
	}
	for range n {
		<-h.room
	}
}

// putBack gives others the jobs that are not begun yet.
func (h *holder) putBack() {
	for _, job := range h.hand {
		job.lease.giveBack(0)
	}
	h.hand = nil
}

// takeSlot is nil if there is none within a time.
func (w *Worker) takeSlot(ctx context.Context, target string, within time.Duration) *lease {
	c, err := w.consumer(w.f.slots, slotConsumerName(target))
	if err != nil {
		return nil
	}
	engine := w.f.nc.ConnectedServerId()
	msgs, asked := fetch(ctx, c, 1, within)
	if msgs == nil {
		return nil
	}
	l := w.f.hold(msgs[0], asked)
	if w.f.noted(ctx, l, engine) {
		return l
	}
	if w.f.nc.ConnectedServerId() == engine {
		l.giveBack(0)
	} else {
		l.end() // somebody else may have been given it: nothing is said about it
	}
	return nil
}

// noted waits until the engine has the slot on disk as this worker's. It writes what it has
// handed out a tenth of a second later, and an engine that was killed before would hand the
// same slot to another worker; so a slot is used when the very engine that has handed it out
// answers a while after.
func (f *Fleet) noted(ctx context.Context, l *lease, engine string) bool {
	select {
	case <-time.After(f.time.noted):
	case <-l.lost:
		return false
	case <-ctx.Done():
		return false
	}
	// A busy engine may be late with its answer: the slot stays this worker's meanwhile, and
	// who let it go unsaid would keep it from everybody until it has expired.
	for l.holds() && ctx.Err() == nil {
		if l.extend(ctx) {
			return f.nc.ConnectedServerId() == engine
		}
		select {
		case <-time.After(f.time.noted / 10): // an engine that is away answers at once
		case <-l.lost:
		case <-ctx.Done():
		}
	}
	return false
}

// fetch asks for up to n messages; nil if there is none within a time. asked is when, as the
// engine counts the time from when it hands a message out.
func fetch(ctx context.Context, c jetstream.Consumer, n int, within time.Duration) (msgs []jetstream.Msg, asked time.Time) {
	asked = time.Now()
	var batch jetstream.MessageBatch
	var err error
	if within > 0 {
		batch, err = c.Fetch(n, jetstream.FetchMaxWait(within))
	} else {
		batch, err = c.FetchNoWait(n)
	}
	if err != nil {
		return nil, asked
	}
	for {
		select {
		case m, ok := <-batch.Messages():
			if !ok {
				return msgs, asked
			}
			msgs = append(msgs, m)
		case <-ctx.Done():
			// What still comes is redelivered when nobody speaks for it.
			return msgs, asked
		}
	}
}

// ask tells workers that have more connections that this one has none for a target that has
// work, and waits a moment for a slot.
func (h *holder) ask() *lease {
	w := h.w
	w.mu.Lock()
	mine, others := w.slots[h.t.Name], w.held
	w.mu.Unlock()
	if mine > 1 || !w.f.hasWork(w.begin, h.t.Name) {
		return nil
	}
	// Without the slot that is being asked for.
	_ = w.f.nc.Publish(wantPrefix+h.t.Name, fmt.Appendf(nil, "%s %d", w.instance, others-1))
	return w.takeSlot(w.begin, h.t.Name, w.f.time.settle*2)
}

// hasWork reports whether jobs of a target wait that no worker has.
func (f *Fleet) hasWork(ctx context.Context, target string) bool {
	_, st := f.jobsOf(target)
	for _, c := range classes() {
		con, err := st.Consumer(ctx, jobConsumer(c, target)) // which asks the engine
		if err == nil && con.CachedInfo().NumPending > 0 {
			return true
		}
	}
	return false
}

// consumer finds a consumer once; after that the engine is not asked again.
func (w *Worker) consumer(st jetstream.Stream, name string) (jetstream.Consumer, error) {
	key := st.CachedInfo().Config.Name + " " + name
	w.mu.Lock()
	c := w.handles[key]
	w.mu.Unlock()
	if c != nil {
		return c, nil
	}
	ctx, cancel := context.WithTimeout(w.begin, 5*time.Second)
	defer cancel()
	c, err := st.Consumer(ctx, name)
	if err == nil {
		w.mu.Lock()
		w.handles[key] = c
		w.mu.Unlock()
	}
	return c, err
}
