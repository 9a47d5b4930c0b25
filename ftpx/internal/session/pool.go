package session

import (
	"container/list"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// pingAfter is how long a connection may have been idle before it is asked whether
	// it still lives. Firewalls forget flows after minutes.
	pingAfter = 20 * time.Second
	// idleLimit ends idle connections before servers do, most of which give 300 s or
	// more.
	idleLimit = 2 * time.Minute
)

// pool keeps a host's connections between operations, and hands out places: a slot, for
// a connection of one's own, or a share of a connection that others use (share.go).
//
// A connection in use holds a slot; an idle one does not, and is taken before another is
// opened, so that no more connections than slots are open. How many slots there are is
// found out, see slots.go.
type pool struct {
	host  *Host
	ctx   context.Context // ends with the client
	limit atomic.Int32    // that of the slots, to be looked at without the lock

	mu     sync.Mutex // guards what follows
	slots  slots
	conns  map[*pooled]struct{} // all that are open
	idle   []*pooled            // of those, without a slot; last used last
	queue  list.List            // of *waiter, in order of arrival
	alarm  *time.Timer          // calls grant; nil until it was needed
	ended  []Ended              // to be told, see unlock
	closed bool
}

// pooled is a connection of the pool. Its fields are guarded by the pool's lock.
type pooled struct {
	*Link
	usage
	most      int  // batches that may be on it at once
	inTurn    bool // which are then carried out one after the other
	owned     bool // a lease has it with a slot
	sharers   int  // leases that share it
	exclusive bool // nobody may share it
	expire    *time.Timer
}

// place is what a lease holds of a pool.
type place uint8

const (
	noPlace place = iota
	slot
	share
)

func newPool(h *Host, size int) *pool {
	p := &pool{host: h, ctx: h.s.ctx, slots: newSlots(size), conns: map[*pooled]struct{}{}}
	p.limit.Store(int32(size))
	return p
}

// take returns an idle connection of one protocol, or nil: of those that nobody shares
// the one used last, if there is any. Those of other protocols are closed: the choice
// has changed.
func (p *pool) take(proto transport.Protocol) *pooled {
	p.mu.Lock()
	defer p.unlock()
	p.idle = slices.DeleteFunc(p.idle, func(pc *pooled) bool {
		switch {
		case !pc.Usable():
			p.end(pc, "")
		case pc.Proto != proto:
			p.end(pc, CauseReplaced)
		default:
			return false
		}
		return true
	})
	if len(p.idle) == 0 {
		return nil
	}
	best := len(p.idle) - 1
	for i := best; i >= 0; i-- {
		if p.idle[i].sharers == 0 {
			best = i
			break
		}
	}
	pc := p.idle[best]
	p.reclaimed(pc)
	return pc
}

// reclaim gives the slot of its caller to a connection that is idle but for those who
// share it.
func (p *pool) reclaim(pc *pooled) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || !slices.Contains(p.idle, pc) {
		return false
	}
	p.reclaimed(pc)
	return true
}

func (p *pool) reclaimed(pc *pooled) {
	p.idle = slices.DeleteFunc(p.idle, func(x *pooled) bool { return x == pc })
	pc.expire.Stop()
	if pc.sharers == 0 {
		pc.begin()
	}
	pc.owned = true
}

// adopt registers a new connection, whose opener has a slot.
func (p *pool) adopt(l *Link) (*pooled, error) {
	caps := l.Info().Caps
	pc := &pooled{Link: l, most: max(caps.Overlap, 1), inTurn: caps.InTurn, owned: true}
	p.mu.Lock()
	defer p.unlock()
	p.conns[pc] = struct{}{}
	if p.closed {
		p.end(pc, CauseClosed)
		return nil, ErrClosed
	}
	p.slots.proven(len(p.conns))
	p.limit.Store(int32(p.slots.limit))
	p.grant()
	return pc, nil
}

// put ends the use of a connection by the lease that has its slot. It becomes idle if it
// is in a known state, and is closed otherwise.
func (p *pool) put(pc *pooled) {
	p.mu.Lock()
	defer p.unlock()
	pc.owned, pc.exclusive = false, false
	pc.quietFrom = time.Now()
	if !pc.Usable() {
		p.end(pc, "")
		return
	}
	if pc.uses > 1 {
		pc.survived = max(pc.survived, pc.pause)
	}
	if p.closed {
		p.end(pc, CauseClosed)
		return
	}
	pc.expire = time.AfterFunc(idleLimit, func() { p.drop(pc) })
	p.idle = append(p.idle, pc)
	p.grant() // who is small may share it
}

// drop ends a connection that has been idle for too long.
func (p *pool) drop(pc *pooled) {
	p.mu.Lock()
	defer p.unlock()
	i := slices.Index(p.idle, pc)
	switch {
	case i < 0:
	case pc.sharers > 0:
		pc.expire.Reset(idleLimit)
	default:
		p.idle = slices.Delete(p.idle, i, i+1)
		p.end(pc, CauseIdle)
	}
}

func (p *pool) counts() (open, idle int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns), len(p.idle)
}

// close ends all connections, which frees whoever uses them.
func (p *pool) close() {
	p.mu.Lock()
	defer p.unlock()
	p.closed = true
	for pc := range p.conns {
		p.end(pc, CauseClosed)
	}
	p.idle = nil
}
