package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// holder has a slot of a target, and with it the right to one connection. It does one job
// after the other, but for small ones, which share the connection.
type holder struct {
	w      *Worker
	t      *Target
	slot   *lease
	client ftpx.Client
	turn   int // counts jobs, for whose turn it is

	busy sync.WaitGroup // small jobs that are being done
	room chan struct{}  // for so many of them
	over atomic.Bool    // the connection is not to be used any more
}

const (
	// atOnce is how many small jobs share a connection: what they wait for is the engine's
	// disk, and over SFTP the round trip.
	atOnce = 8
	// small is up to how many bytes a file is one of them. Larger ones are begun when it is
	// their turn, so that none waits in a worker's hand while another worker is idle.
	small = 4 << 20
)

// run takes a slot, works, and gives it back.
func (h *holder) run() {
	if h.slot = h.w.takeSlot(h.w.begin, h.t.Name, 0); h.slot == nil {
		if h.slot = h.ask(); h.slot == nil {
			return
		}
	}
	h.room = make(chan struct{}, atOnce)
	defer h.release()
	defer h.busy.Wait()
	for h.w.begin.Err() == nil && h.slot.holds() && !h.over.Load() && !h.yield() {
		h.lend()
		nudged := h.w.listenFor(h.t.Name)
		msg, class, asked := h.next()
		if msg == nil {
			h.busy.Wait()
			if h.client == nil || !h.linger(nudged) {
				return
			}
			continue
		}
		h.turn++
		job := h.w.f.hold(msg, asked)
		if meta, err := msg.Metadata(); err == nil && meta.NumPending > 0 {
			h.w.consider(h.t.Name) // there is more: another connection, too
		}
		t := &try{w: h.w, lease: job, class: class, target: h.t.Name}
		// Before connecting: a login for a job that is done or has to wait is one too many.
		if !t.claim() {
			continue
		}
		if !h.connected(t) {
			return
		}
		h.do(t)
	}
}

// do does a job, or begins it if it is a small one.
func (h *holder) do(t *try) {
	one := func() {
		if !t.do(h) {
			h.over.Store(true)
		}
	}
	if j := &t.r.Job; j.Op != Delete && (j.Op != Upload || j.Size == 0 || j.Size > small) {
		one()
		return
	}
	h.room <- struct{}{}
	h.busy.Go(func() {
		one()
		<-h.room
	})
}

// takeSlot is nil if there is none within a time.
func (w *Worker) takeSlot(ctx context.Context, target string, within time.Duration) *lease {
	c, err := w.consumer(w.f.slots, slotConsumerName(target))
	if err != nil {
		return nil
	}
	engine := w.f.nc.ConnectedServerId()
	msg, asked := fetch(ctx, c, within)
	if msg == nil {
		return nil
	}
	l := w.f.hold(msg, asked)
	if w.f.noted(ctx, l, engine) {
		return l
	}
	l.end() // somebody else may have been given it: nothing is said about it
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
	return l.extend(ctx) && f.nc.ConnectedServerId() == engine
}

// fetch asks for one message; nil if there is none within a time. asked is when, as the
// engine counts the time from when it hands the message out.
func fetch(ctx context.Context, c jetstream.Consumer, within time.Duration) (msg jetstream.Msg, asked time.Time) {
	asked = time.Now()
	var batch jetstream.MessageBatch
	var err error
	if within > 0 {
		batch, err = c.Fetch(1, jetstream.FetchMaxWait(within))
	} else {
		batch, err = c.FetchNoWait(1)
	}
	if err != nil {
		return nil, asked
	}
	for {
		select {
		case m, ok := <-batch.Messages():
			if !ok {
				return msg, asked
			}
			msg = m
		case <-ctx.Done():
			// What still comes is redelivered when nobody speaks for it.
			return msg, asked
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
	_ = w.f.nc.Publish(wantPrefix+h.t.Name, fmt.Appendf(nil, "%s %d", w.o.Name, others-1))
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

// next is the next job of the target, nil for none.
func (h *holder) next() (msg jetstream.Msg, class Class, asked time.Time) {
	_, st := h.w.f.jobsOf(h.t.Name)
	for _, class := range order(h.turn) {
		c, err := h.w.consumer(st, jobConsumer(class, h.t.Name))
		if err != nil {
			continue
		}
		if msg, asked = fetch(h.w.begin, c, 0); msg != nil {
			return msg, class, asked
		}
	}
	return nil, "", asked
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

// listenFor returns what is closed when the target may have work.
func (w *Worker) listenFor(target string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.nudges[target]
	if c == nil {
		c = make(chan struct{})
		w.nudges[target] = c
	}
	return c
}

// linger waits for work with the connection open, a moment. It returns false when there was
// none.
func (h *holder) linger(nudged <-chan struct{}) bool {
	select {
	case <-nudged:
		return true
	case <-time.After(h.w.f.time.linger):
	case <-h.slot.lost:
	case <-h.w.begin.Done():
	}
	return false
}

// yield reports whether another worker has asked for a slot of the target, and takes it on
// this holder to give its own.
func (h *holder) yield() bool {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	asked := h.w.asked[h.t.Name]
	delete(h.w.asked, h.t.Name)
	return asked && h.turn > 0
}

// release closes the connection and gives the slot back. It comes back to the engine a moment
// later, for the server counts a session until it has noticed its end.
func (h *holder) release() {
	w := h.w
	after := time.Duration(0)
	if h.client != nil {
		w.shareLearned(h.t.Name, h.client)
		_ = h.client.Close()
		after = w.f.time.settle
	}
	h.slot.giveBack(after)
}

// connected opens a connection if there is none. If that fails the job is given back, and
// what was learned is shared.
func (h *holder) connected(t *try) bool {
	if h.client != nil {
		return true
	}
	ctx, cancel := leased(h.w.work, h.slot, t.lease)
	defer cancel()
	client, err := h.w.connect(ctx, h.t)
	if err == nil {
		h.client = client
		return true
	}
	if !errors.Is(err, errElsewhere) {
		h.w.event(Event{What: "login", Target: h.t.Name, Err: err})
	}
	t.back(err)
	return false
}

// leased is a context that ends when one of the leases is lost.
func leased(ctx context.Context, leases ...*lease) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	for _, l := range leases {
		go func() {
			select {
			case <-l.lost:
				cancel(errLost)
			case <-ctx.Done():
			}
		}()
	}
	return ctx, func() { cancel(nil) }
}
