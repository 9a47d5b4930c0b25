package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// limited is a server that takes a number of connections, refuses more as busy, and, if
// it is shy, drops all but one of those that are logging in at once.
type limited struct {
	mu             sync.Mutex
	limit          int
	shy            bool
	open, dialling int
	refused, most  int
	slow           time.Duration // an operation
	late           time.Duration // how much longer a refusal takes than a login
}

func (s *limited) dial(_ context.Context, t Target, _ *Link, _ func()) (transport.Conn, error) {
	s.mu.Lock()
	s.dialling++
	crowd := s.shy && s.dialling > 1
	s.mu.Unlock()
	time.Sleep(50 * time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dialling--
	if crowd {
		s.refused++
		return nil, &transport.Error{Op: "handshake", Kind: transport.KindLost, Err: errors.New("dropped")}
	}
	if s.open >= s.limit {
		s.refused++
		s.mu.Unlock()
		time.Sleep(s.late)
		s.mu.Lock()
		return nil, &transport.Error{Op: "login", Kind: transport.KindBusy, Err: errors.New("too many connections")}
	}
	s.open++
	s.most = max(s.most, s.open)
	return &stub{proto: t.Protocol, onClose: func() {
		s.mu.Lock()
		s.open--
		s.mu.Unlock()
	}, one: func(ctx context.Context, _ transport.Request) error {
		time.Sleep(s.slow)
		return ctx.Err()
	}}, nil
}

// session is one that has logged in, as that of every client.
func (s *limited) session(t *testing.T, conns int) *Session {
	t.Helper()
	c, _ := newSession(t, Options{MaxConns: conns, Dial: s.dial, Retry: retry.Policy{MaxAttempts: 2}})
	if err := c.Run(t.Context(), Task{}, ping); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPoolLivesWithinTheServersLimit(t *testing.T) {
	for _, shy := range []bool{false, true} {
		t.Run(fmt.Sprintf("shy=%v", shy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &limited{limit: 3, shy: shy, slow: 100 * time.Millisecond}
				c := s.session(t, 16)
				var failed atomic.Int32
				var wg sync.WaitGroup
				for range 16 {
					wg.Go(func() {
						for range 20 {
							if err := c.Run(t.Context(), Task{}, ping); err != nil {
								failed.Add(1)
								t.Log(err)
							}
						}
					})
				}
				wg.Wait()
				if failed.Load() > 0 || s.most != 3 {
					t.Errorf("%d of 320 operations failed, at most %d connections were open", failed.Load(), s.most)
				}
				if s.refused > 16 {
					t.Errorf("%d connection attempts were refused", s.refused)
				}
				wantIdle(t, c.pool0())
			})
		})
	}
}

// A server that refuses a login takes longer for that than for one that it allows, so
// that all successes are known before the first refusal is: dials must not have
// multiplied by then. And what waited for its turn to dial takes a connection that was
// put back meanwhile, rather than be refused one more.
func TestPoolMeetsALateLimitByFewDials(t *testing.T) {
	for _, limit := range []int{1, 3, 8} {
		synctest.Test(t, func(t *testing.T) {
			s := &limited{limit: limit, slow: 20 * time.Millisecond, late: 300 * time.Millisecond}
			c := s.session(t, 32)
			var wg sync.WaitGroup
			for range 32 {
				wg.Go(func() {
					for range 20 {
						if err := c.Run(t.Context(), Task{}, ping); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			if s.refused > limit+2 {
				t.Errorf("a limit of %d was met by %d refused dials, want at most %d", limit, s.refused, limit+2)
			}
		})
	}
}

// A connection that died while it was idle is replaced by a new one, unless the server
// takes no more: then by another that is idle, and not by dialling until that one has run
// out.
func TestDeadConnectionAtTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &limited{limit: 2, slow: time.Millisecond}
		c := s.session(t, 4)
		both := make(chan struct{})
		var held, wg sync.WaitGroup
		held.Add(2)
		for range 2 { // both connections are opened, and become idle
			wg.Go(func() {
				err := c.Run(t.Context(), Task{}, func(ctx context.Context, l *Lease) error {
					held.Done()
					<-both
					return l.Ping(ctx)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		held.Wait()
		close(both)
		wg.Wait()
		begin := time.Now()
		// The one that is taken first turns out dead, and the server has given its place
		// to somebody else.
		dead := false
		err := c.Run(t.Context(), Task{}, func(ctx context.Context, l *Lease) error {
			if !dead {
				dead = true
				conn := l.Conn.(*stub)
				conn.onClose = nil // the server still counts it
				conn.gone.Store(true)
				return lost()
			}
			return l.Ping(ctx)
		})
		if took := time.Since(begin); err != nil || took > time.Second || s.refused > 2 {
			t.Errorf("%v, after %v and %d refused dials", err, took, s.refused)
		}
		wantIdle(t, c.pool0())
	})
}

// When the server takes more again, the pool finds out, and is not refused often while it
// does not.
func TestPoolProbesUpward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &limited{limit: 2, slow: 5 * time.Second}
		c := s.session(t, 8)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						if err := c.Run(t.Context(), Task{}, ping); err != nil {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		time.Sleep(time.Hour)
		s.mu.Lock()
		if s.refused > 6+20 {
			t.Errorf("%d refusals in an hour", s.refused)
		}
		s.limit = 8
		s.mu.Unlock()
		time.Sleep(2 * time.Hour)
		s.mu.Lock()
		if s.open != 8 {
			t.Errorf("%d connections open two hours after the server takes 8", s.open)
		}
		s.mu.Unlock()
		close(stop)
		wg.Wait()
	})
}

// inOrder checks that acquire serves in order of arrival, but for who has given up.
func inOrder(t *testing.T, acquire func(context.Context) error, release func()) {
	t.Helper()
	if err := acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	var order []int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			if err := acquire(ctx); err != nil {
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				return
			}
			mu.Lock()
			order = append(order, i)
			mu.Unlock()
			release()
		})
		synctest.Wait()
		if i == 2 {
			cancel()
			synctest.Wait()
		}
		defer cancel()
	}
	release()
	wg.Wait()
	if fmt.Sprint(order) != "[0 1 3 4]" {
		t.Errorf("order %v", order)
	}
}

func TestLimiterIsFairAndHonoursContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1)
		inOrder(t, func(ctx context.Context) error { return l.acquire(ctx, context.Background()) }, l.release)
		if l.held != 0 || l.waiting.Len() != 0 {
			t.Errorf("%d held, %d waiting", l.held, l.waiting.Len())
		}
		closed, end := context.WithCancel(t.Context())
		if err := l.acquire(t.Context(), closed); err != nil {
			t.Fatal(err)
		}
		end()
		if err := l.acquire(t.Context(), closed); !errors.Is(err, ErrClosed) {
			t.Errorf("closed while it waited: %v", err)
		}
		if l.waiting.Len() != 0 {
			t.Error("who has given up still waits")
		}
	})
}

func TestPoolIsFairAndHonoursContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed, end := context.WithCancel(t.Context())
		p := newPool(&Host{s: &Session{ctx: closed}}, 1)
		inOrder(t, func(ctx context.Context) error {
			at, pc, err := p.acquire(ctx, false, 0)
			if err == nil && (at != slot || pc != nil) {
				t.Errorf("place %d of %v", at, pc)
			}
			return err
		}, p.freeSlot)
		wantIdle(t, p)
		if _, _, err := p.acquire(t.Context(), false, 0); err != nil {
			t.Fatal(err)
		}
		waits := make(chan error, 1)
		go func() {
			_, _, err := p.acquire(t.Context(), true, transport.SFTP)
			waits <- err
		}()
		synctest.Wait()
		if !p.crowded() {
			t.Error("who waits is not seen")
		}
		end()
		if err := <-waits; !errors.Is(err, ErrClosed) || p.crowded() {
			t.Errorf("closed while it waited: %v", err)
		}
		if _, _, err := p.acquire(t.Context(), false, 0); !errors.Is(err, ErrClosed) {
			t.Errorf("after that: %v", err)
		}
	})
}

// A client that lives long opens many connections one after the other.
func TestDialLimitStaysOpen(t *testing.T) {
	d := newDialLimit(8)
	for range 1000 {
		if _, err := d.begin(t.Context(), context.Background()); err != nil {
			t.Fatal(err)
		}
		d.end(nil)
	}
	if d.limit != 8 || d.held != 0 {
		t.Errorf("limit %d, held %d", d.limit, d.held)
	}
}

// A refusal halves how many are opened at once, down to one; a loss in company makes it
// one for good.
func TestDialLimitHalves(t *testing.T) {
	d := newDialLimit(8)
	begin := func() (company bool) {
		company, err := d.begin(t.Context(), context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return company
	}
	for range 6 {
		begin()
		d.end(nil)
	}
	busy := &transport.Error{Kind: transport.KindBusy}
	for _, want := range []int{4, 2, 1, 1} {
		if begin() {
			t.Error("it has no company")
		}
		if d.end(busy) || d.limit != want {
			t.Errorf("limit %d, want %d", d.limit, want)
		}
	}
	if d.again(busy, false) || d.again(&transport.Error{Kind: transport.KindAuth}, true) {
		t.Error("no company, or no matter of that, and yet again")
	}
	d.limit = 2
	if begin() || !begin() {
		t.Error("the second has company, the first has not")
	}
	if !d.end(lost()) || !d.again(lost(), true) || d.end(nil) || d.limit != 1 {
		t.Errorf("after a loss in company: limit %d", d.limit)
	}
}

// TestSilenceCountsOnce: a host that has fallen silent gets all its time again the next
// time, or one that is slow to answer would never be had.
func TestSilenceCountsOnce(t *testing.T) {
	var h Host
	h.silent.Store(true)
	if first, second := h.timeout(), h.timeout(); first != silentTimeout || second != hostTimeout {
		t.Errorf("%v, %v", first, second)
	}
}

// The limit on transfers is held by transfers only, and for no longer than they last.
func TestMaxTransfers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &limited{limit: 8, slow: 100 * time.Millisecond}
		c, _ := newSession(t, Options{MaxConns: 8, MaxTransfers: 1, Dial: s.dial})
		if err := c.Run(t.Context(), Task{}, ping); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := c.Run(t.Context(), Task{Transfer: true}, ping); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if err := c.Run(t.Context(), Task{}, ping); err != nil || time.Since(begin) > 200*time.Millisecond {
			t.Errorf("what is no transfer: %v, after %v", err, time.Since(begin))
		}
		wg.Wait()
		if took := time.Since(begin); took != 300*time.Millisecond {
			t.Errorf("three transfers, one at a time, took %v", took)
		}
	})
}

// Who gives up in the moment in which a turn is granted passes it on, once.
func TestGivenUpTurnPassesOn(t *testing.T) {
	l := newLimiter(1)
	if !l.try() {
		t.Fatal("the first turn is not free")
	}
	first, second := l.queue(), l.queue()
	l.release()
	select {
	case <-first.granted:
	default:
		t.Fatal("the first in the queue has not got it")
	}
	l.leave(first)
	l.leave(first)
	select {
	case <-second.granted:
	default:
		t.Error("the turn is lost")
	}
	if l.leave(second); l.held != 0 || l.waiting.Len() != 0 {
		t.Errorf("%d held, %d waiting", l.held, l.waiting.Len())
	}
}
