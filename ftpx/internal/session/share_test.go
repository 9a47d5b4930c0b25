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

func (s *sharedHost) dial(_ context.Context, t Target, _ *Link, _ func()) (transport.Conn, error) {
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
			next := newWaiter(at == share, transport.SFTP)
			b.p.mu.Lock()
			if at == share {
				owner.conn.sharers = 7
			} else {
				owner.conn.sharers = 0
			}
			next.elem = b.p.queue.PushBack(next)
			b.p.mu.Unlock()
			b.p.leave(&waiter{place: at, conn: owner.conn})
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
		c, _ := s.session(t, 1)
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
			begun, shared := false, false
			wg.Go(func() {
				err := c.Run(t.Context(), Task{Small: true}, func(ctx context.Context, l *Lease) error {
					begun, shared = true, l.Shared()
					return l.Ping(ctx)
				})
				if err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
			if begun != small || shared != small {
				t.Errorf("behind work that is small %v: another has begun %v, shared %v", small, begun, shared)
			}
			close(hold)
			wg.Wait()
		}
		wantIdle(t, c.pool0())
	})
}

// TestNothingToShareAfterAll: where it has turned out that nothing may overlap on a host's
// connections, small work does not wait for a share, but gets a slot at once.
func TestNothingToShareAfterAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, overlapping, 2)
		owner := b.open()
		b.p.tookToOpen(time.Minute) // so that a share is worth waiting for
		shared := b.small()
		if !shared.Shared() {
			t.Fatal("it could be shared before")
		}
		shared.Release()
		owner.conn.Conn.(*stub).caps.Overlap = 0
		l := b.ask(true)
		if l == nil {
			t.Fatal("it waits for a share that nobody can have")
		}
		if l.Shared() {
			t.Error("shared")
		}
		l.Release()
		owner.Release()
		wantIdle(t, b.p)
	})
}

// TestTimeAloneMakesRoom: what only time changes is noticed when it does, and nothing
// looks before that, or after it.
func TestTimeAloneMakesRoom(t *testing.T) {
	for _, small := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, overlapping, 3)
			owner := b.open()
			for range 7 {
				b.small()
			}
			want := 30 * time.Millisecond
			b.p.tookToOpen(4 * want)
			if !small { // the server has shown that it takes one
				want = probeFirst
				if !b.p.refused() {
					t.Fatal("the limit is not known")
				}
			}
			begin := time.Now()
			at, _, err := b.p.acquire(t.Context(), small, transport.SFTP)
			if took := time.Since(begin); err != nil || at != slot || took != want {
				t.Errorf("place %d after %v, want a slot after %v (%v)", at, took, want, err)
			}
			if b.p.alarm.Stop() {
				t.Error("the alarm is set although nobody waits")
			}
			// Nobody gets anything by waiting now.
			if !small {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if _, _, err := b.p.acquire(ctx, true, transport.FTP); err == nil || b.p.alarm.Stop() {
					t.Errorf("it was woken for nothing (%v)", err)
				}
			}
			owner.Release()
		})
	}
}
