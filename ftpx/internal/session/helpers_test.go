package session

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// stub is a connection of which every request goes through a function, one after the
// other in each batch.
type stub struct {
	proto   transport.Protocol
	caps    transport.Caps
	one     func(context.Context, transport.Request) error // nil answers at once
	onClose func()
	gone    atomic.Bool
	closed  atomic.Bool
	busy    atomic.Int32 // batches under way
	most    atomic.Int32 // at once
}

func (c *stub) Info() transport.Info {
	return transport.Info{Protocol: c.proto, Addr: "h:1", Caps: c.caps}
}
func (c *stub) Usable() bool { return !c.gone.Load() && !c.closed.Load() }
func (c *stub) Close() error {
	if c.closed.CompareAndSwap(false, true) && c.onClose != nil {
		c.onClose()
	}
	return nil
}
func (c *stub) Do(ctx context.Context, b *transport.Batch) error {
	n := c.busy.Add(1)
	defer c.busy.Add(-1)
	for {
		most := c.most.Load()
		if n <= most || c.most.CompareAndSwap(most, n) {
			break
		}
	}
	return transport.InTurn(ctx, b, c.Usable, func(ctx context.Context, r transport.Request) error {
		if c.one == nil {
			return nil
		}
		return c.one(ctx, r)
	})
}

// lost is what the loss of a connection brings up.
func lost() error {
	return &transport.Error{Op: "stub", Kind: transport.KindLost, Err: errors.New("reset")}
}

// tally counts what a session tells.
type tally struct {
	mu                     sync.Mutex // guards what follows
	attempts, lost, shared int
	fresh                  int
}

// newSession makes a session with the rest of its options filled in.
func newSession(t *testing.T, o Options) (*Session, *tally) {
	t.Helper()
	var n tally
	if o.Hosts == nil {
		o.Hosts = []string{"h"}
	}
	if o.Protocols == nil {
		o.Protocols = []transport.Protocol{transport.SFTP}
	}
	o.Events = Events{
		Attempt: func(ctx context.Context, _ Task, _ int) (context.Context, func(AttemptEnd)) {
			return ctx, func(e AttemptEnd) {
				n.mu.Lock()
				defer n.mu.Unlock()
				if l := e.Lease; l != nil {
					n.attempts++
					if l.WasShared() {
						n.shared++
					}
					if l.Fresh {
						n.fresh++
					}
				}
			}
		},
		Lost:       func() { n.mu.Lock(); n.lost++; n.mu.Unlock() },
		NoProtocol: func(r Race) error { return &transport.Error{Op: "connect", Kind: r.Kind, Err: errors.Join(r.Errs...)} },
		NoHost:     func(_ []string, errs []error) error { return errors.Join(errs...) },
	}
	s := New(o)
	t.Cleanup(s.Close)
	return s, &n
}

// ping is an operation of one round trip.
func ping(ctx context.Context, l *Lease) error { return l.Ping(ctx) }

// pool is that of the first host.
func (s *Session) pool0() *pool { return s.hosts.list[0].pool }

// wantIdle fails the test unless nothing is in use.
func wantIdle(t *testing.T, p *pool) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slots.held != 0 || p.queue.Len() != 0 || len(p.idle) != len(p.conns) {
		t.Errorf("%d slots held, %d waiting, %d connections idle of %d", p.slots.held, p.queue.Len(), len(p.idle), len(p.conns))
	}
	for pc := range p.conns {
		if pc.owned || pc.exclusive || pc.sharers != 0 {
			t.Errorf("a connection is owned: %v, exclusive: %v, shared by %d", pc.owned, pc.exclusive, pc.sharers)
		}
	}
}

// A bench is a pool whose places the test takes and gives back by itself.
type bench struct {
	t *testing.T
	s *Session
	h *Host
	p *pool
}

func newBench(t *testing.T, caps transport.Caps, conns int) *bench {
	t.Helper()
	s, _ := newSession(t, Options{MaxConns: conns, Dial: func(context.Context, Target, *Link, func()) (transport.Conn, error) {
		return &stub{proto: transport.SFTP, caps: caps}, nil
	}})
	h := s.hosts.list[0]
	return &bench{t, s, h, h.pool}
}

// open is a lease of a connection of its own.
func (b *bench) open() *Lease {
	b.t.Helper()
	at, _, err := b.p.acquire(b.t.Context(), false, transport.SFTP)
	if err != nil || at != slot {
		b.t.Fatalf("place %d, %v", at, err)
	}
	pc, _, err := b.s.open(b.t.Context(), b.h, false, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.h.lease(b.t.Context(), pc, slot, &job{attempt: &retry.Attempt{}})
}

// small asks for a place for small work, which has to be had at once.
func (b *bench) small() *Lease {
	b.t.Helper()
	if l := b.ask(true); l != nil {
		return l
	}
	b.t.Fatal("small work has to wait")
	return nil
}

// ask is nil where work has to wait, which it then does not.
func (b *bench) ask(small bool) *Lease {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Millisecond)
	defer cancel()
	at, pc, err := b.p.acquire(ctx, small, transport.SFTP)
	if err != nil {
		return nil
	}
	if at == slot {
		if pc, _, err = b.s.open(b.t.Context(), b.h, false, 0); err != nil {
			b.t.Fatal(err)
		}
	}
	return b.h.lease(b.t.Context(), pc, at, &job{attempt: &retry.Attempt{}})
}

func (b *bench) want(held, open, idle int) {
	b.t.Helper()
	if o, i := b.s.Counts(); b.p.slots.held != held || o != open || i != idle {
		b.t.Errorf("%d slots held, %d connections, %d idle; want %d, %d, %d", b.p.slots.held, o, i, held, open, idle)
	}
}
