package fleet

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

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

	hand   []inHand // jobs that were given together, and are not begun yet
	little bool     // the last job was a small one
	more   bool     // there are others that wait

	busy sync.WaitGroup // small jobs that are being done
	room chan struct{}  // for so many of them
	over atomic.Bool    // the connection is not to be used any more
}

const (
	// atOnce is how many small jobs share a connection: what they wait for is the engine's
	// disk, and over SFTP the round trip.
	atOnce = 16
	// small is up to how many bytes a file is one of them. Larger ones are begun when it is
	// their turn, so that none waits in a worker's hand while another worker is idle.
	small = 1 << 20
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
	defer h.putBack()
	for h.w.begin.Err() == nil && h.slot.holds() && !h.over.Load() && !h.yield() {
		h.lend()
		nudged := h.w.listenFor(h.t.Name)
		job, ok := h.next()
		if !ok {
			h.busy.Wait()
			if h.client == nil || !h.linger(nudged) {
				return
			}
			continue
		}
		h.turn++
		if h.more {
			h.w.consider(h.t.Name) // another connection, too
		}
		t := h.w.newTry(job, h.t.Name)
		if h.little = t.little(); !h.little {
			h.putBack() // others are not to wait for this one in this worker's hand
		}
		// Before connecting: a login for a job that is done or has to wait is one too many.
		if h.client == nil && !t.claim() {
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
		if t.r == nil && !t.claim() {
			return
		}
		if !t.do(h) {
			h.over.Store(true)
		}
	}
	if !h.little {
		one()
		return
	}
	h.room <- struct{}{}
	h.busy.Go(func() {
		one()
		<-h.room
	})
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
