package faultproxy

import (
	"cmp"
	"context"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options configures [New]. The zero value is a proxy that does no harm.
type Options struct {
	// Seed feeds ConnInfo.Rand.
	Seed uint64
	// Plan is for routes that have none of their own.
	Plan Plan
	// Shape is for routes that have none of their own.
	Shape Shape
	// UpRate and DownRate bound the bytes per second of all connections
	// together, as one line would.
	UpRate, DownRate int64
}

func (o Options) rate(dir Dir) int64 {
	if dir == Up {
		return o.UpRate
	}
	return o.DownRate
}

// Proxy is a set of routes with common counters, one seed and one count of
// operations. Its methods are safe for concurrent use.
type Proxy struct {
	opts   Options
	ctx    context.Context // ends with the proxy; bounds dialling
	cancel context.CancelFunc
	wg     sync.WaitGroup // accept loops and connections

	counts [roles]counters
	rates  [2]limiter // of the common line, by index(dir)

	armed    atomic.Int64 // len(shots)
	watching atomic.Int64 // len(watches)

	shotMu sync.Mutex
	shots  []*Shot

	watchMu sync.Mutex // taken with mu held; never the other way round
	watches []*watch

	mu        sync.Mutex
	closed    bool
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
	history   []ConnStats // the last ones that ended
	seq       int64
	roleSeq   [roles]int64
}

// New returns a proxy without routes. Close it.
func New(opts Options) *Proxy {
	ctx, cancel := context.WithCancel(context.Background())
	return &Proxy{
		opts: opts, ctx: ctx, cancel: cancel,
		listeners: make(map[net.Listener]struct{}),
		conns:     make(map[*conn]struct{}),
	}
}

// Close closes the listeners and the connections and waits for what served
// them. It may be called more than once. Held and stalled connections end with
// FIN, or with RST where the kernel finds unread bytes.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	listeners := make([]net.Listener, 0, len(p.listeners))
	for l := range p.listeners {
		listeners = append(listeners, l)
	}
	p.mu.Unlock()
	p.cancel()
	for _, l := range listeners {
		_ = l.Close() // its only error is that it was closed before
	}
	for _, c := range p.living() {
		c.end(BothSides, false)
	}
	p.wg.Wait()
	return nil
}

// Cut inflicts a fault of the given kind (Reset, FIN, Stall) on every living
// connection of the given roles, of all roles if none is given, and returns how
// many there were.
func (p *Proxy) Cut(kind Kind, roles ...Role) int { return p.CutWith(Fault{Kind: kind}, roles...) }

// CutWith is [Proxy.Cut] for a fault with details. Fault.When is not used.
func (p *Proxy) CutWith(fault Fault, roles ...Role) int {
	n := 0
	for _, c := range p.living() {
		if len(roles) == 0 || slices.Contains(roles, c.info.Role) {
			c.inflict(&fault)
			n++
		}
	}
	return n
}

// Lift ends all stalls: what was held back goes on, and a connection of which
// one side was reset and the other held is closed. It does not change plans.
func (p *Proxy) Lift() {
	for _, c := range p.living() {
		c.lift()
	}
}

// living returns the connections in the order in which they were accepted.
func (p *Proxy) living() []*conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	conns := make([]*conn, 0, len(p.conns))
	for c := range p.conns {
		conns = append(conns, c)
	}
	slices.SortFunc(conns, func(a, b *conn) int { return cmp.Compare(a.info.Seq, b.info.Seq) })
	return conns
}

// listen opens a listener that Close closes.
func (p *Proxy) listen(addr string) (*net.TCPListener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = l.Close()
		return nil, net.ErrClosed
	}
	p.listeners[l] = struct{}{}
	return l.(*net.TCPListener), nil
}

// unlisten closes a listener for good.
func (p *Proxy) unlisten(l net.Listener) {
	p.mu.Lock()
	delete(p.listeners, l)
	p.mu.Unlock()
	_ = l.Close()
}

// run calls f in a goroutine that Close waits for, unless the proxy is closed.
func (p *Proxy) run(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.wg.Go(f)
	return true
}

// pause waits for d and reports false when the proxy is closed meanwhile.
func (p *Proxy) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.ctx.Done():
		return false
	}
}

// admit gives an accepted connection its number and its fault and serves it.
func (p *Proxy) admit(r *Route, client *net.TCPConn, target string) {
	p.mu.Lock()
	info := ConnInfo{
		Seq: p.seq, RoleSeq: p.roleSeq[r.role], Role: r.role,
		Client: client.RemoteAddr(), Target: target, Live: r.liveLocked() + 1,
	}
	p.seq++
	p.roleSeq[r.role]++
	p.mu.Unlock()

	// The role keeps control and data connections from changing each other's
	// numbers when they arrive in another order.
	info.Rand = rand.New(rand.NewPCG(p.opts.Seed, uint64(info.RoleSeq)<<8|uint64(info.Role)))
	c := newConn(p, r, client, info)

	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		_ = client.Close()
		return
	}
	p.conns[c] = struct{}{}
	c.watch = p.newWatch(c)
	p.wg.Go(c.run)
	p.mu.Unlock()
	p.counts[r.role].conns.Add(1)
	if c.watch != nil {
		p.interrupt()
	}
}
