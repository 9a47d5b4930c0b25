package session

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A connection that is lost before any payload has moved costs no attempt where it was
// shared or had been idle; one over which payload has moved does, and so does a new one.
func TestWhatALostConnectionCosts(t *testing.T) {
	for _, c := range []struct {
		small, moved, fresh bool
		want                []int
	}{
		{small: true, want: []int{1, 1}},
		{small: true, moved: true, want: []int{1, 2}},
		{want: []int{1, 1}},
		{moved: true, want: []int{1, 2}},
		{fresh: true, want: []int{1, 2}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &sharedHost{caps: overlapping, delay: time.Millisecond}
			k, _ := s.session(t, 2)
			if c.fresh {
				s.conns[0].gone.Store(true)
			}
			var numbers []int
			err := k.Run(t.Context(), Task{Small: c.small}, func(ctx context.Context, l *Lease) error {
				if numbers = append(numbers, l.Attempt.Number); len(numbers) > 1 {
					return l.Ping(ctx)
				}
				if l.Shared() != c.small || l.Fresh != c.fresh {
					t.Errorf("%+v: not the lease that was expected", c)
				}
				if c.moved {
					l.Moved(1)
				}
				l.conn.Conn.(*stub).gone.Store(true)
				return lost()
			})
			if err != nil || !slices.Equal(numbers, c.want) {
				t.Errorf("%+v: attempts %v, %v", c, numbers, err)
			}
			wantIdle(t, k.pool0())
		})
	}
}

// A place that was had while the breaker opened is given back: work then waits for the
// probe without one.
func TestPlaceIsGivenBackToTheBreaker(t *testing.T) {
	for _, small := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := &sharedHost{caps: overlapping, delay: time.Millisecond}
			k, _ := s.session(t, 1)
			p, b := k.pool0(), k.hosts.list[0].breaker()
			hold := make(chan struct{})
			var wg sync.WaitGroup
			for i := range 8 { // the owner and seven that share
				wg.Go(func() {
					_ = k.Run(t.Context(), Task{Small: i > 0}, func(ctx context.Context, _ *Lease) error {
						<-hold
						return nil
					})
				})
				synctest.Wait()
			}
			if n := p.slots.held; n != 1 || p.crowded() {
				t.Fatalf("%d slots held", n)
			}
			begin := time.Now()
			wg.Go(func() {
				if err := k.Run(t.Context(), Task{Small: small}, ping); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
			for range tripAfter {
				b.failed(lost(), false, false)
			}
			// A place for the one that waits, and for nobody else.
			p.mu.Lock()
			if small {
				for pc := range p.conns {
					pc.most++
				}
			} else {
				p.slots.limit, p.slots.most = 2, 2
			}
			p.grant()
			p.mu.Unlock()
			synctest.Wait()
			sharers := 0
			for pc := range p.conns {
				sharers += pc.sharers
			}
			if p.slots.held != 1 || sharers != 7 || p.crowded() {
				t.Errorf("small %v: %d slots held, %d share while the breaker is open", small, p.slots.held, sharers)
			}
			time.Sleep(openFirst)
			close(hold)
			wg.Wait()
			if took := time.Since(begin); took < openFirst {
				t.Errorf("it did not wait for the breaker: %v", took)
			}
			wantIdle(t, p)
		})
	}
}

// A connection that has been idle for long is asked whether it lives: one that does not
// answer is ended before anything is done over it, one that refuses the question lives.
func TestLongIdleIsAsked(t *testing.T) {
	for _, c := range []struct {
		idle        time.Duration
		dead, fresh bool
		pings       int
	}{
		{idle: pingAfter, dead: true, fresh: true, pings: 1},
		{idle: pingAfter, fresh: false, pings: 1},
		{idle: pingAfter - 1, pings: 0},
		{idle: idleLimit, fresh: true, pings: 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			pings := 0
			k, _ := newSession(t, Options{MaxConns: 1, Dial: func(context.Context, Target, *Link, func()) (transport.Conn, error) {
				conn := &stub{proto: transport.SFTP}
				conn.one = func(context.Context, transport.Request) error {
					if pings++; c.dead {
						conn.gone.Store(true)
						return lost()
					}
					return &transport.Error{Op: "NOOP", Kind: transport.KindRefused}
				}
				return conn, nil
			}})
			for i := range 2 {
				err := k.Run(t.Context(), Task{}, func(_ context.Context, l *Lease) error {
					if want := i == 0 || c.fresh; l.Fresh != want {
						t.Errorf("%+v: a new connection: %v", c, l.Fresh)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				if i == 0 {
					time.Sleep(c.idle)
					synctest.Wait()
				}
			}
			if pings != c.pings {
				t.Errorf("%+v: asked %d times", c, pings)
			}
			wantIdle(t, k.pool0())
		})
	}
}

// What is shared is not ended for having been idle.
func TestSharedIsNotIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, overlapping, 1)
		owner := b.open()
		l := b.small()
		owner.Release()
		time.Sleep(idleLimit + time.Second)
		b.want(0, 1, 1)
		l.Release()
		time.Sleep(idleLimit)
		b.want(0, 0, 0)
	})
}

// Another connection in a protocol that has been chosen meanwhile is none of the same kind.
func TestAnotherProtocol(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, overlapping, 2)
		b.s.opts.Protocols = []transport.Protocol{transport.FTPS, transport.SFTP}
		b.s.opts.HeadStart, b.s.opts.Recheck = time.Second, time.Hour
		dial := b.s.opts.Dial
		b.s.opts.Dial = func(ctx context.Context, t Target, l *Link, heard func()) (transport.Conn, error) {
			c, err := dial(ctx, t, l, heard)
			c.(*stub).proto = t.Protocol
			return c, err
		}
		main := b.open()
		if main.Proto != transport.FTPS {
			t.Fatal(main.Proto)
		}
		b.h.choice.set(transport.SFTP)
		if other, final := main.Another(t.Context()); other != nil || final {
			t.Errorf("%+v, %v", other, final)
		}
		b.want(1, 2, 1)
		main.Release()
		wantIdle(t, b.p)
	})
}

// A refusal that comes with the loss of its connection is doubted, but not for ever, and
// that an earlier request may have acted is remembered.
func TestRefusalIsDoubted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sharedHost{delay: time.Millisecond}
		k, _ := newSession(t, Options{MaxConns: 1, Dial: s.dial, Retry: retry.Policy{MaxAttempts: 9, InitialDelay: 1}})
		var acted []bool
		err := k.Run(t.Context(), Task{}, func(_ context.Context, l *Lease) error {
			l.Moved(1)
			acted = append(acted, l.Acted)
			l.conn.Conn.(*stub).gone.Store(true)
			return &transport.Error{Op: "stat", Kind: transport.KindNotExist, MayHaveActed: len(acted) == 2, Err: fs.ErrNotExist}
		})
		if transport.KindOf(err) != transport.KindNotExist || !slices.Equal(acted, []bool{false, false, true}) {
			t.Errorf("%v; acted %v, want %d attempts", err, acted, maxDoubts+1)
		}
	})
}

// What a refusal says depends on how many connections are open, and are known to work.
func TestRefusedSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(8)
		if s.refused(0) || s.limit != 8 {
			t.Error("none of ours is open: the server is busy with others")
		}
		if !s.refused(3) || s.limit != 3 || s.room() != 3 {
			t.Errorf("three are open: %+v", s)
		}
		if s.refused(2) || s.limit != 3 {
			t.Error("three are known to work: one of them has not been given up yet")
		}
		if !s.refused(3) || s.limit != 3 {
			t.Error("as many as are known to work are open")
		}
		time.Sleep(probeFirst)
		if s.room() != 4 {
			t.Error("one more is to be tried")
		}
		if !s.refused(3) || s.room() != 3 {
			t.Error("it was refused")
		}
		time.Sleep(probeFirst)
		if s.room() != 3 {
			t.Error("the next probe comes later than the first")
		}
		time.Sleep(probeFirst)
		if s.room() != 4 {
			t.Error("and it comes")
		}
		s.proven(4)
		if s.limit != 4 || s.room() != 4 {
			t.Errorf("four work: %+v", s)
		}
		p := &pool{slots: s}
		for held, want := range map[int]bool{3: false, 4: false, 5: true} {
			if p.slots.held = held; p.excess() != want {
				t.Errorf("%d held of 4 slots: too many: %v", held, !want)
			}
		}
	})
}

// That a request may have acted is remembered, whatever the attempts after it meet.
func TestActedIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sharedHost{delay: time.Millisecond}
		k, _ := newSession(t, Options{MaxConns: 1, Dial: s.dial, Retry: retry.Policy{MaxAttempts: 9, InitialDelay: 1}})
		var acted []bool
		err := k.Run(t.Context(), Task{}, func(_ context.Context, l *Lease) error {
			if acted = append(acted, l.Acted); len(acted) == 4 {
				return nil
			}
			l.Moved(1)
			l.conn.Conn.(*stub).gone.Store(true)
			return &transport.Error{Op: "rename", Kind: transport.KindLost, MayHaveActed: len(acted) == 1, Err: errors.New("reset")}
		})
		if err != nil || !slices.Equal(acted, []bool{false, true, true, true}) {
			t.Errorf("%v; acted %v", err, acted)
		}
	})
}

// What a server says again, word for word, is its last word, unless it names a time at
// which to come again.
func TestAnswerThatNamesATime(t *testing.T) {
	for pause, want := range map[time.Duration]int{0: sameAnswers, time.Second: 6} {
		synctest.Test(t, func(t *testing.T) {
			s := &sharedHost{delay: time.Millisecond}
			k, _ := newSession(t, Options{MaxConns: 1, Dial: s.dial, Retry: retry.Policy{MaxAttempts: 9, InitialDelay: 1}})
			n := 0
			err := k.Run(t.Context(), Task{}, func(context.Context, *Lease) error {
				if n++; n == 6 {
					return nil
				}
				return &transport.Error{Op: "STOR", Kind: transport.KindTemporary, Code: 450, RetryAfter: pause, Err: errors.New("come again")}
			})
			if n != want || (err == nil) != (pause > 0) {
				t.Errorf("%d attempts with a pause of %v, want %d: %v", n, pause, want, err)
			}
		})
	}
}

// A host that does its work, if on a line that breaks each time, is not spared.
func TestProgressIsNoFailure(t *testing.T) {
	for progress, want := range map[bool]int{true: 0, false: tripAfter} {
		synctest.Test(t, func(t *testing.T) {
			s := &sharedHost{delay: time.Millisecond}
			k, _ := newSession(t, Options{MaxConns: 1, Dial: s.dial, Retry: retry.Policy{MaxAttempts: 2 * tripAfter, InitialDelay: 1}})
			if err := k.Run(t.Context(), Task{}, ping); err != nil { // which chooses the protocol
				t.Fatal(err)
			}
			n := 0
			err := k.Run(t.Context(), Task{}, func(_ context.Context, l *Lease) error {
				if n++; n > tripAfter {
					if got := l.Host.breaker().failures; got != want {
						t.Errorf("progress %v: %d failures count, want %d", progress, got, want)
					}
					return nil
				}
				if progress {
					l.Attempt.Progress()
				}
				l.Moved(1) // else what was idle is tried again within the attempt
				l.conn.Conn.(*stub).gone.Store(true)
				return lost()
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
