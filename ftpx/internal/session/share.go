package session

import (
	"container/list"
	"context"
	"slices"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Small files cost round trips, not bandwidth. Where batches overlap on a connection
// (transport.Caps.Overlap), work that is small does not wait for a connection of its own
// when all slots are taken: it shares one. Where they are carried out in turn (FTP) the
// first commands of one leave with the last of the other, which saves a round trip; a
// large file lets nobody share its connection then.

// exclusiveFrom is the attempt from which on work has a connection to itself. Where
// connections are lost every few hundred kilobytes, what others move on a shared one can
// end it each time before a file has got any further.
const exclusiveFrom = 3

// waiter waits for a place.
type waiter struct {
	small   bool
	proto   transport.Protocol // of the connections that it may share
	since   time.Time
	granted chan struct{} // closed when place is set
	elem    *list.Element // nil when it is, and when it has left
	left    bool
	place   place
	conn    *pooled // with a share
}

func newWaiter(small bool, proto transport.Protocol) *waiter {
	return &waiter{small: small, proto: proto, granted: make(chan struct{}), since: time.Now()}
}

// queueUp gets in line for a place. Work that is small may get a share of a connection of
// its protocol. granted tells that there is nothing to wait for.
func (p *pool) queueUp(w *waiter) (granted bool, err error) {
	if p.ctx.Err() != nil {
		return false, ErrClosed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	w.elem = p.queue.PushBack(w)
	p.grant()
	return w.place != noPlace, nil
}

// await waits for the place in order of arrival, until ctx ends, or the client is closed,
// which is [ErrClosed].
func (p *pool) await(ctx context.Context, w *waiter) error {
	err := await(ctx, p.ctx, w.granted)
	if err != nil {
		p.leave(w)
	}
	return err
}

// leave gives up what a waiter has, or waits for. It may be called again.
func (p *pool) leave(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case w.left:
		return
	case w.elem != nil:
		p.queue.Remove(w.elem)
	case w.place == share: // granted, perhaps in the same moment: pass it on
		w.conn.sharers--
	case w.place == slot:
		p.slots.held--
	}
	w.left, w.elem = true, nil
	p.grant()
}

// grant serves as many as there is room for, and sets the alarm for when time makes more.
// It is called with mu held, whenever a place may have become free.
func (p *pool) grant() {
	p.serve()
	d, ok := p.roomIn()
	switch {
	case ok && p.alarm == nil:
		p.alarm = time.AfterFunc(d, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.grant()
		})
	case ok:
		p.alarm.Reset(d)
	case p.alarm != nil:
		p.alarm.Stop()
	}
}

// roomIn is how long it is until time by itself lets somebody who waits have a slot: what is
// small has then waited long enough for a share, or the server may be asked for more
// connections than it took.
func (p *pool) roomIn() (d time.Duration, ok bool) {
	first := p.queue.Front()
	switch {
	case first == nil || p.closed:
		return 0, false
	case p.slots.free(): // so that all who wait are small, and the first of them is due first
		return p.slots.due(first.Value.(*waiter)), true
	}
	d = p.slots.probeIn()
	return d, d > 0
}

// serve gives places in order of arrival. Work that is small shares where it can. Where
// batches overlap it gets a connection of its own only if it has waited for as long as
// opening one is worth; where they are carried out in turn, sharing is for when there is no
// slot.
func (p *pool) serve() {
	for e := p.queue.Front(); e != nil; {
		w, next := e.Value.(*waiter), e.Next()
		var pc *pooled
		if w.small {
			pc = p.shareable(w.proto)
		}
		free := p.slots.free()
		switch {
		case pc != nil && !(pc.inTurn && free):
			if pc.sharers == 0 && !pc.owned { // it was idle until now
				pc.begin()
			}
			pc.sharers++
			w.place, w.conn = share, pc
		case free && (!w.small || !p.sharing(w.proto) || p.slots.waitedEnough(w)):
			p.slots.held++
			w.place = slot
		case !free && !p.anyShare():
			return
		default:
			e = next
			continue
		}
		w.elem = nil
		close(w.granted)
		p.queue.Remove(e)
		e = next
	}
}

// shareable is the connection of a protocol that has room for another batch, the one
// with the fewest.
func (p *pool) shareable(proto transport.Protocol) *pooled {
	var best *pooled
	for pc := range p.conns {
		if pc.Proto == proto && pc.roomy() && (best == nil || pc.sharers < best.sharers) {
			best = pc
		}
	}
	return best
}

// roomy reports whether another lease may share the connection: there is always room for
// the one with the slot. On one where batches take turns there is nothing to share while
// nobody has it.
func (pc *pooled) roomy() bool {
	return !pc.exclusive && pc.sharers+1 < pc.most && (pc.owned || !pc.inTurn) && pc.Usable() && pc.overlaps()
}

// overlaps reports whether batches may overlap on the connection still: it may have turned
// out since it was opened that they do not.
func (pc *pooled) overlaps() bool { return pc.most > 1 && pc.Info().Caps.Overlap > 1 }

// sharing reports whether there is a connection of a protocol whose batches overlap.
func (p *pool) sharing(proto transport.Protocol) bool {
	for pc := range p.conns {
		if pc.Proto == proto && !pc.inTurn && pc.Usable() && pc.overlaps() {
			return true
		}
	}
	return false
}

// anyShare reports whether any connection has room.
func (p *pool) anyShare() bool {
	for pc := range p.conns {
		if pc.roomy() {
			return true
		}
	}
	return false
}

// reserve lets nobody share a connection until it is put back.
func (p *pool) reserve(pc *pooled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pc.exclusive = true
}

// unshare ends a share. A connection that is no longer usable is ended by who has its
// slot, or here if nobody has.
func (p *pool) unshare(pc *pooled) {
	p.mu.Lock()
	defer p.unlock()
	if pc.sharers--; pc.sharers == 0 {
		pc.quietFrom = time.Now()
	}
	if pc.Usable() && !pc.owned { // it has outlived the pause
		pc.survived, pc.pause = max(pc.survived, pc.pause), 0
	}
	if i := slices.Index(p.idle, pc); i >= 0 && !pc.Usable() {
		p.idle = slices.Delete(p.idle, i, i+1)
		p.end(pc, "")
	}
	p.grant()
}

// crowded reports whether work waits for a place.
func (p *pool) crowded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.Len() > 0
}
