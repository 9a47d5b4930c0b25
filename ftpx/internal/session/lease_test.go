package session

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

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
			l.conn.Conn.(*stub).gone.Store(true)
			return retry.Stop(lost())
		})
		if !errors.Is(err, lost()) && transport.KindOf(err) != transport.KindLost {
			t.Error(err)
		}
		p := c.pool0()
		if p.slots.held != 1 || len(p.conns) != 1 || n.lost != 0 || n.attempts != 2 { // one goes on
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
			l.Moved(1)
			l.conn.Conn.(*stub).gone.Store(true)
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
			b.s.opts.Dial = func(context.Context, Target, *Link, func()) (transport.Conn, error) {
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

// An operation that panics, in the caller's own code that it calls, leaves no slot and no
// share behind, and the connection is not used again: nobody knows what state it is in.
func TestPanicFreesItsPlace(t *testing.T) {
	for name, small := range map[string]bool{"a slot": false, "a share": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &sharedHost{caps: overlapping, delay: time.Millisecond}
				c, _ := s.session(t, 1)
				panics := func(used **stub) (got any) {
					defer func() { got = recover() }()
					_ = c.Run(t.Context(), Task{Small: small}, func(_ context.Context, l *Lease) error {
						if *used = l.conn.Conn.(*stub); l.Shared() != small {
							t.Errorf("shared: %v", l.Shared())
						}
						panic("of the caller's progress function")
					})
					return nil
				}
				var used *stub
				if small { // which shares what another has
					err := c.Run(t.Context(), Task{}, func(context.Context, *Lease) error {
						if got := panics(&used); got != "of the caller's progress function" {
							t.Errorf("recovered %v", got)
						}
						return nil
					})
					if err != nil {
						t.Error(err)
					}
				} else if got := panics(&used); got != "of the caller's progress function" {
					t.Errorf("recovered %v", got)
				}
				if !used.closed.Load() {
					t.Error("the connection is used again")
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := c.Run(ctx, Task{}, func(context.Context, *Lease) error { return nil }); err != nil {
					t.Errorf("after a panic: %v", err)
				}
				wantIdle(t, c.pool0())
			})
		})
	}
}
