package session

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// sharedHost takes several batches at once on a connection; a request lasts a while.
type sharedHost struct {
	caps    transport.Caps
	delay   time.Duration
	mu      sync.Mutex // guards what follows
	conns   []*stub
	fragile bool // a Stat loses its connection if that is used for anything else meanwhile
}

func (s *sharedHost) dial(_ context.Context, t Target, _ func()) (transport.Conn, error) {
	time.Sleep(s.delay)
	c := &stub{proto: t.Protocol, caps: s.caps}
	turn := make(chan struct{}, max(s.caps.Overlap, 1))
	if s.caps.InTurn {
		turn = make(chan struct{}, 1)
	}
	var calls atomic.Int32
	c.one = func(ctx context.Context, r transport.Request) error {
		turn <- struct{}{}
		defer func() { <-turn }()
		n := calls.Add(1)
		select {
		case <-time.After(s.delay):
		case <-ctx.Done():
			c.gone.Store(true)
			return &transport.Error{Op: "stub", Kind: transport.KindCanceled, Err: context.Cause(ctx)}
		}
		if _, ok := r.(*transport.Stat); ok && s.fragile && calls.Load() != n {
			c.gone.Store(true)
		}
		if c.gone.Load() {
			return lost()
		}
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = append(s.conns, c)
	return c, nil
}

func (s *sharedHost) session(t *testing.T, conns int) (*Session, *tally) {
	t.Helper()
	c, n := newSession(t, Options{MaxConns: conns, Dial: s.dial, Retry: retry.Policy{MaxAttempts: 3}})
	if err := c.Run(t.Context(), Task{}, ping); err != nil {
		t.Fatal(err)
	}
	return c, n
}

var (
	overlapping = transport.Caps{Overlap: 8}
	inTurn      = transport.Caps{Overlap: 2, InTurn: true}
)

// Small work shares connections, up to what they take and not beyond, and no more
// connections are opened than allowed.
func TestSmallWorkSharesConnections(t *testing.T) {
	for _, overlap := range []int{0, 8} {
		synctest.Test(t, func(t *testing.T) {
			s := &sharedHost{caps: transport.Caps{Overlap: overlap}, delay: 100 * time.Millisecond}
			c, _ := s.session(t, 2)
			begin := time.Now()
			var wg sync.WaitGroup
			for range 160 {
				wg.Go(func() {
					if err := c.Run(t.Context(), Task{Small: true}, ping); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			took, want := time.Since(begin), 81*s.delay
			if overlap > 0 {
				want = 14 * s.delay // the second connection is opened when there has been a wait
			}
			most := max(s.conns[0].most.Load(), s.conns[1].most.Load())
			if took > want || len(s.conns) != 2 || int(most) > max(overlap, 1) {
				t.Errorf("overlap %d: 160 operations took %v, want at most %v; %d connections, %d at once on one", overlap, took, want, len(s.conns), most)
			}
			wantIdle(t, c.pool0())
		})
	}
}

// What shares a connection shares its fate, and is done again on another.
func TestSharersSurviveTheirConnection(t *testing.T) {
	for _, caps := range []transport.Caps{overlapping, inTurn} {
		synctest.Test(t, func(t *testing.T) {
			s := &sharedHost{caps: caps, delay: 100 * time.Millisecond}
			c, n := s.session(t, 2)
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := c.Run(ctx, Task{Small: true}, ping); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
			for range 40 {
				wg.Go(func() {
					if err := c.Run(t.Context(), Task{Small: true}, ping); err != nil {
						t.Error(err)
					}
				})
			}
			time.Sleep(s.delay / 2)
			cancel()
			wg.Wait()
			if open, idle := c.Counts(); open != idle || open > 2 || n.shared == 0 {
				t.Errorf("%d open, %d idle, %d attempts shared", open, idle, n.shared)
			}
			wantIdle(t, c.pool0())
		})
	}
}

// What is lost with what it shares its connection with gets one to itself in the end.
func TestWorkIsNotLostWithOthersForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sharedHost{caps: overlapping, delay: 10 * time.Millisecond, fragile: true}
		c, _ := s.session(t, 2)
		ctx, cancel := context.WithCancel(t.Context())
		var others sync.WaitGroup
		for range 8 {
			others.Go(func() {
				for ctx.Err() == nil {
					_ = c.Run(ctx, Task{Small: true}, ping)
				}
			})
		}
		time.Sleep(time.Second)
		err := c.Run(ctx, Task{Small: true}, func(ctx context.Context, l *Lease) error {
			_, err := l.Stat(ctx, "f")
			return err
		})
		if err != nil {
			t.Error(err)
		}
		cancel()
		others.Wait()
	})
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
	s, _ := newSession(t, Options{MaxConns: conns, Dial: func(context.Context, Target, func()) (transport.Conn, error) {
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
	return b.h.leaseFor(pc, slot, &retry.Attempt{}, rates{})
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
	return b.h.leaseFor(pc, at, &retry.Attempt{}, rates{})
}

func (b *bench) want(held, open, idle int) {
	b.t.Helper()
	if o, i := b.s.Counts(); b.p.slots.held != held || o != open || i != idle {
		b.t.Errorf("%d slots held, %d connections, %d idle; want %d, %d, %d", b.p.slots.held, o, i, held, open, idle)
	}
}

// Where batches overlap small work shares, also an idle connection, and there is always
// room for the one with the slot.
func TestSharesThatOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, overlapping, 1)
		owner := b.open()
		var sharers []*Lease
		for range 7 {
			l := b.small()
			if !l.Shared() || l.conn != owner.conn {
				t.Fatalf("%+v is no share of the owner's connection", l)
			}
			sharers = append(sharers, l)
		}
		if l := b.ask(true); l != nil {
			t.Error("an eighth sharer: there are nine with the owner")
		}
		owner.Release()
		b.want(0, 1, 1)
		if l := b.ask(true); l == nil || l.Shared() {
			t.Error("a slot is free, and nothing to be shared")
		} else {
			l.Release()
		}
		sharers[0].Release()
		if l := b.small(); !l.Shared() || l.conn.owned {
			t.Error("an idle connection is not shared")
		} else {
			sharers[0] = l
		}
		if again := b.open(); again.conn != owner.conn {
			t.Error("there is room for the slot's owner")
		} else {
			again.Release()
		}
		for _, l := range sharers {
			l.Release()
		}
		wantIdle(t, b.p)
	})
}

// Small work shares the connection with the fewest, and leaves an idle one that nobody
// shares to who wants one of its own.
func TestSharesAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, overlapping, 2)
		first, second := b.open(), b.open()
		count := map[*pooled]int{}
		var sharers []*Lease
		for range 6 {
			l := b.small()
			count[l.conn]++
			sharers = append(sharers, l)
		}
		if count[first.conn] != 3 || count[second.conn] != 3 {
			t.Errorf("%d and %d share", count[first.conn], count[second.conn])
		}
		first.Release()
		second.Release()
		for _, l := range sharers {
			if l.conn == first.conn {
				l.Release()
			}
		}
		if l := b.open(); l.conn != first.conn {
			t.Error("the one that is shared was taken, though used last")
		} else {
			l.Release()
		}
		for _, l := range sharers {
			l.Release() // twice, of some
		}
		wantIdle(t, b.p)
	})
}

// Where batches go in turn, small work shares only when no slot is free, only with small
// work, and only one does.
func TestSharesInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, inTurn, 2)
		first := b.small()
		if first.Shared() {
			t.Error("there is nothing to be shared yet")
		}
		second := b.small()
		if second.Shared() {
			t.Error("a slot was free")
		}
		second.Carries(ShareMost + 1) // a large file
		for _, want := range []bool{true, false} {
			if l := b.ask(true); (l != nil) != want {
				t.Errorf("a share: %v, want %v", l != nil, want)
			} else if l != nil {
				if !l.Shared() || l.conn != first.conn {
					t.Error("it shares the connection that carries a large file")
				}
				if l.Carries(ShareMost + 1) {
					t.Error("a large file behind a small one has no connection to itself")
				}
				defer l.Release()
			}
		}
		second.Release()
		third := b.small()
		if third.Shared() || third.conn != second.conn || third.conn.exclusive {
			t.Errorf("the connection is not to be had again: %+v", third.conn)
		}
		if l := b.small(); !l.Shared() || l.conn != third.conn {
			t.Error("what the large file has left is not shared")
		} else {
			l.Release()
		}
		third.Release()
		first.Release()
		b.want(0, 2, 2)
	})
}

// On a connection where batches go in turn there is nothing to share while nobody has it.
func TestIdleInTurnIsNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, inTurn, 1)
		b.open().Release()
		if at, _, err := b.p.acquire(t.Context(), false, transport.SFTP); at != slot || err != nil {
			t.Fatal(at, err)
		}
		// Who has the slot is about to take it.
		if l := b.ask(true); l != nil {
			t.Errorf("it shares an idle connection: %+v", l.conn)
		}
		b.p.freeSlot()
		wantIdle(t, b.p)
	})
}

// Small work shares in its first two attempts; from the third on nobody shares with it.
func TestExclusiveFromTheThirdAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sharedHost{caps: overlapping, delay: time.Millisecond}
		c, _ := s.session(t, 2)
		var shared, exclusive []bool
		err := c.Run(t.Context(), Task{Small: true}, func(_ context.Context, l *Lease) error {
			shared, exclusive = append(shared, l.Shared()), append(exclusive, l.conn.exclusive)
			return &transport.Error{Op: "stub", Kind: transport.KindTemporary}
		})
		if transport.KindOf(err) != transport.KindTemporary || !slices.Equal(shared, []bool{true, true, false}) || !slices.Equal(exclusive, []bool{false, false, true}) {
			t.Errorf("%v: shared %v, exclusive %v", err, shared, exclusive)
		}
		wantIdle(t, c.pool0())
	})
}

// Who gives up in the moment in which a place is granted passes it on.
func TestGiveUpPassesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, overlapping, 1)
		owner := b.open()
		for _, at := range []place{share, slot} {
			next := &waiter{small: at == share, proto: transport.SFTP, granted: make(chan struct{})}
			b.p.mu.Lock()
			if at == share {
				owner.conn.sharers = 7
			} else {
				owner.conn.sharers = 0
			}
			b.p.queue.PushBack(next)
			b.p.giveUp(&waiter{place: at, conn: owner.conn})
			b.p.mu.Unlock()
			if next.place != at || b.p.queue.Len() != 0 {
				t.Errorf("the next one has got %d, want %d", next.place, at)
			}
		}
	})
}

// A large transfer has a connection where batches go in turn to itself from the beginning.
func TestLargeWorkInTurnIsExclusive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sharedHost{caps: inTurn, delay: 100 * time.Millisecond}
		c, n := s.session(t, 1)
		var wg sync.WaitGroup
		for _, small := range []bool{false, true} {
			hold := make(chan struct{})
			wg.Go(func() {
				err := c.Run(t.Context(), Task{Small: small}, func(context.Context, *Lease) error { <-hold; return nil })
				if err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
			begin, shared := n.attempts, n.shared
			wg.Go(func() {
				if err := c.Run(t.Context(), Task{Small: true}, ping); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
			if got := n.attempts > begin; got != small || n.shared > shared != small {
				t.Errorf("behind work that is small %v: another has begun %v", small, got)
			}
			close(hold)
			wg.Wait()
		}
		wantIdle(t, c.pool0())
	})
}

// Release may be called twice, whatever the lease has.
func TestReleaseTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, overlapping, 2)
		owner := b.open()
		share := b.small()
		share.Release()
		share.Release()
		if owner.conn.sharers != 0 {
			t.Errorf("%d share", owner.conn.sharers)
		}
		owner.Release()
		next := b.open()
		owner.Release()
		b.want(1, 1, 0)
		if next.conn != owner.conn || !next.conn.owned {
			t.Error("the second call has taken the connection from who has it now")
		}
		next.Release()
		wantIdle(t, b.p)
	})
}

// An operation that has released its connection has no say in what becomes of that.
func TestReleasedEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sharedHost{caps: overlapping, delay: time.Millisecond}
		c, n := s.session(t, 1)
		other := make(chan *Lease, 1)
		end := make(chan struct{})
		var wg sync.WaitGroup
		err := c.Run(t.Context(), Task{}, func(ctx context.Context, l *Lease) error {
			l.Release()
			wg.Go(func() {
				err := c.Run(t.Context(), Task{}, func(_ context.Context, l *Lease) error {
					other <- l
					<-end
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
			theirs := <-other
			if theirs.conn != l.conn {
				t.Error("another has not got the connection")
			}
			l.conn.conn.(*stub).gone.Store(true)
			return retry.Stop(lost())
		})
		if !errors.Is(err, lost()) && transport.KindOf(err) != transport.KindLost {
			t.Error(err)
		}
		p := c.pool0()
		if p.slots.held != 1 || len(p.conns) != 1 || n.lost != 0 || n.attempts != 3 {
			t.Errorf("%d slots held, %d connections, %d lost, %d attempts", p.slots.held, len(p.conns), n.lost, n.attempts)
		}
		close(end)
		wg.Wait()
		wantIdle(t, p)
	})
}

// A connection that is shared becomes its user's own for a large file, where it is idle
// otherwise and there is a slot that nobody waits for.
func TestCarriesTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, overlapping, 2)
		owner := b.open()
		l := b.small()
		if !l.Carries(ShareMost) || !l.Shared() {
			t.Error("a small file may be shared")
		}
		for _, large := range []int64{ShareMost + 1, -1} {
			if l.Carries(large) || !l.Shared() {
				t.Error("the owner has it still")
			}
		}
		b.want(1, 1, 0)
		owner.Release()
		for range 2 {
			if at, _, err := b.p.acquire(t.Context(), false, transport.SFTP); at != slot || err != nil {
				t.Fatal(at, err)
			}
		}
		if l.Carries(-1) || !l.Shared() {
			t.Error("there is no slot")
		}
		b.p.freeSlot()
		b.p.freeSlot()
		b.p.queue.PushBack(&waiter{granted: make(chan struct{})})
		if l.Carries(-1) || !l.Shared() {
			t.Error("somebody waits for the slot")
		}
		b.p.queue.Init()
		if !l.Carries(-1) || l.Shared() || !l.conn.owned || l.conn.sharers != 0 {
			t.Errorf("it has not become its own: %+v", l.conn)
		}
		b.want(1, 1, 0)
		if more := b.small(); !more.Shared() {
			t.Error("the slot was given to two")
		} else {
			more.Release()
		}
		l.Release()
		l.Release()
		wantIdle(t, b.p)
	})
}

// What has become its owner's own frees its slot whatever becomes of the connection.
func TestCarriesThenLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sharedHost{caps: overlapping, delay: 100 * time.Millisecond}
		c, n := s.session(t, 1)
		p := c.pool0()
		tries := 0
		var how []bool
		err := c.Run(t.Context(), Task{Small: true}, func(ctx context.Context, l *Lease) error {
			how = append(how, l.Shared())
			if tries++; tries > 1 {
				return l.Ping(ctx)
			}
			if !l.Carries(-1) {
				t.Error("nobody else has it")
			}
			if p.slots.held != 1 {
				t.Errorf("%d slots held", p.slots.held)
			}
			l.Moved()
			l.conn.conn.(*stub).gone.Store(true)
			return lost()
		})
		if err != nil || len(how) != 2 || !how[0] || n.lost != 1 {
			t.Errorf("%v; shared %v, %d lost", err, how, n.lost)
		}
		wantIdle(t, p)
	})
}

// Work that turns out too large begins again on a connection of its own, in the same
// attempt.
func TestTooLargeToShare(t *testing.T) {
	for _, caps := range []transport.Caps{overlapping, inTurn} {
		synctest.Test(t, func(t *testing.T) {
			s := &sharedHost{caps: caps, delay: 100 * time.Millisecond}
			c, _ := s.session(t, 1)
			hold := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				_ = c.Run(t.Context(), Task{Small: true}, func(_ context.Context, l *Lease) error {
					if l.Shared() && !l.Carries(-1) { // to be its owner
						t.Error("nobody else has it")
					}
					<-hold
					return nil
				})
			})
			synctest.Wait()
			var how []bool
			var numbers []int
			wg.Go(func() {
				err := c.Run(t.Context(), Task{Small: true}, func(ctx context.Context, l *Lease) error {
					how, numbers = append(how, l.Shared()), append(numbers, l.Attempt.Number)
					if !l.Carries(ShareMost + 1) {
						return ErrTooLarge
					}
					return l.Ping(ctx)
				})
				if err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
			close(hold)
			wg.Wait()
			if len(how) != 2 || !how[0] || how[1] || numbers[1] != 1 {
				t.Errorf("shared %v, in the attempts %v", how, numbers)
			}
			wantIdle(t, c.pool0())
		})
	}
}

// Another takes no slot that somebody waits for, and none that there is not.
func TestAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, inTurn, 3)
		main := b.open()
		one, final := main.Another(t.Context())
		if one == nil || final || one.Shared() || !one.conn.exclusive || one.Attempt != main.Attempt || one.conn == main.conn {
			t.Fatalf("%+v, %v", one, final)
		}
		b.want(2, 2, 0)
		two, _ := main.Another(t.Context())
		if none, final := main.Another(t.Context()); two == nil || none != nil || final {
			t.Error("there is no slot any more")
		}
		two.Release()
		b.want(2, 3, 1)
		queue := &waiter{granted: make(chan struct{})}
		b.p.queue.PushBack(queue)
		if none, _ := main.Another(t.Context()); none != nil {
			t.Error("somebody waits for the slot")
		}
		b.p.queue.Init()
		one.Release()
		one.Release()
		main.Release()
		wantIdle(t, b.p)
	})
}

// Another says whether to ask again, and costs no slot where there is none.
func TestAnotherRefused(t *testing.T) {
	for kind, final := range map[transport.Kind]bool{transport.KindAuth: true, transport.KindHostKey: true,
		transport.KindBusy: false, transport.KindLost: false, transport.KindUnreachable: false} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, overlapping, 3)
			main := b.open()
			b.s.opts.Dial = func(context.Context, Target, func()) (transport.Conn, error) {
				return nil, &transport.Error{Op: "login", Kind: kind}
			}
			other, end := main.Another(t.Context())
			if other != nil || end != final {
				t.Errorf("%v: %v, final %v", kind, other, end)
			}
			b.want(1, 1, 0)
			if limit := b.p.slots.limit; (limit == 1) != (kind == transport.KindBusy) {
				t.Errorf("%v: the limit is %d", kind, limit)
			}
			main.Release()
		})
	}
}
