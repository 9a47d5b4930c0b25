package ftpx

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// pingAfter is how long a connection may have been idle before it is asked
	// whether it still lives. Firewalls forget flows after minutes.
	pingAfter = 20 * time.Second
	// idleLimit ends idle connections before servers do, most of which give
	// 300 s or more.
	idleLimit = 2 * time.Minute
)

// pool keeps connections between operations. A connection out on loan holds one
// of the gate's slots; an idle one was put back with its slot free, and is taken
// before a new one is opened, so that no more connections than slots are open.
type pool struct {
	*gate

	mu     sync.Mutex // guards what follows
	idle   []*pooled  // last used last
	loans  map[*pooled]struct{}
	closed bool
	ctx    context.Context // ends with the client
}

type pooled struct {
	transport.Conn
	proto    Protocol
	idleFrom time.Time
	expire   *time.Timer
	seats    int // how many may ride on it, see ride.go
	riders   int // how many do
	alone    bool
}

func newPool(closed context.Context, size int) *pool {
	return &pool{gate: newGate(size), loans: map[*pooled]struct{}{}, ctx: closed}
}

// enter waits for a slot, or for a seat if it may ride, in order of arrival.
func (p *pool) enter(ctx context.Context, rides bool) (seated bool, err error) {
	if p.ctx.Err() != nil {
		return false, ErrClosed
	}
	return p.gate.wait(ctx, p.ctx, rides)
}

// take returns an idle connection of one protocol, the one used last, or nil.
// Those of other protocols are closed: a choice has changed.
func (p *pool) take(proto Protocol) *pooled {
	p.mu.Lock()
	defer p.mu.Unlock()
	// One that nobody rides on, if there is any.
	for i := len(p.idle) - 1; i >= 0; i-- {
		if pc := p.idle[i]; pc.riders == 0 && pc.proto == proto {
			p.idle = append(slices.Delete(p.idle, i, i+1), pc)
			break
		}
	}
	for len(p.idle) > 0 {
		pc := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		pc.expire.Stop()
		if pc.proto == proto && pc.Usable() {
			p.loans[pc] = struct{}{}
			return pc
		}
		p.end(pc)
	}
	return nil
}

// adopt registers a new connection as out on loan.
func (p *pool) adopt(conn transport.Conn, proto Protocol) (*pooled, error) {
	pc := &pooled{Conn: conn, proto: proto, seats: max(conn.Info().Caps.Overlap-1, 0)}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = conn.Close()
		return nil, ErrClosed
	}
	p.loans[pc] = struct{}{}
	p.gate.proven(len(p.loans) + len(p.idle))
	p.gate.seat(pc.seats)
	return pc, nil
}

// refused takes note that the server took no further connection, and reports
// whether to wait for one of those that are open.
func (p *pool) refused() bool {
	p.mu.Lock()
	open := len(p.loans) + len(p.idle)
	p.mu.Unlock()
	return p.gate.refused(open)
}

// discard ends a loan and its connection.
func (p *pool) discard(pc *pooled) {
	p.mu.Lock()
	delete(p.loans, pc)
	p.end(pc)
	p.mu.Unlock()
}

// end closes a connection that is no longer in the pool.
func (p *pool) end(pc *pooled) {
	_ = pc.Close()
	p.gate.seat(-pc.seats)
	pc.seats = 0
}

// put ends a loan and keeps the connection. One that is not in a known state is
// never kept.
func (p *pool) put(pc *pooled) {
	if !pc.Usable() {
		p.discard(pc)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.loans, pc)
	if p.closed {
		p.end(pc)
		return
	}
	pc.alone = false
	pc.idleFrom = time.Now()
	pc.expire = time.AfterFunc(idleLimit, func() { p.drop(pc) })
	p.idle = append(p.idle, pc)
}

// reclaim takes a connection back out if it lies idle.
func (p *pool) reclaim(pc *pooled) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.idle, pc)
	if i < 0 || p.closed {
		return false
	}
	p.idle = slices.Delete(p.idle, i, i+1)
	pc.expire.Stop()
	p.loans[pc] = struct{}{}
	return true
}

func (p *pool) drop(pc *pooled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, x := range p.idle {
		if x == pc {
			if pc.riders > 0 {
				pc.expire.Reset(idleLimit)
				return
			}
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			p.end(pc)
			return
		}
	}
}

func (p *pool) counts() (open, idle int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle) + len(p.loans), len(p.idle)
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, pc := range p.idle {
		pc.expire.Stop()
		_ = pc.Close()
	}
	p.idle = nil
	for pc := range p.loans {
		_ = pc.Close() // frees the call that has it
	}
}
