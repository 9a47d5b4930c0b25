package ftpx

import (
	"context"
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
}

func newPool(closed context.Context, size int) *pool {
	return &pool{gate: newGate(size), loans: map[*pooled]struct{}{}, ctx: closed}
}

// enter waits for a slot, in order of arrival.
func (p *pool) enter(ctx context.Context) error {
	if p.ctx.Err() != nil {
		return ErrClosed
	}
	return p.gate.enter(ctx, p.ctx)
}

// take returns an idle connection of one protocol, the one used last, or nil.
// Those of other protocols are closed: a choice has changed.
func (p *pool) take(proto Protocol) *pooled {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		pc := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		pc.expire.Stop()
		if pc.proto == proto && pc.Usable() {
			p.loans[pc] = struct{}{}
			return pc
		}
		_ = pc.Close()
	}
	return nil
}

// adopt registers a new connection as out on loan.
func (p *pool) adopt(conn transport.Conn, proto Protocol) (*pooled, error) {
	pc := &pooled{Conn: conn, proto: proto}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = conn.Close()
		return nil, ErrClosed
	}
	p.loans[pc] = struct{}{}
	p.gate.proven(len(p.loans) + len(p.idle))
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
	p.mu.Unlock()
	_ = pc.Close()
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
		_ = pc.Close()
		return
	}
	pc.idleFrom = time.Now()
	pc.expire = time.AfterFunc(idleLimit, func() { p.drop(pc) })
	p.idle = append(p.idle, pc)
}

func (p *pool) drop(pc *pooled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, x := range p.idle {
		if x == pc {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			_ = pc.Close()
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
