package ftpx

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

// limited is a server that takes a number of connections, refuses more as busy,
// and, if it is shy, drops all but one of those that are logging in at once.
type limited struct {
	mu             sync.Mutex
	limit          int
	shy            bool
	open, dialling int
	refused, most  int
	slow           time.Duration // an operation
	late           time.Duration // how much longer a refusal takes than a login
}

type limitedConn struct {
	stubConn
	s    *limited
	gone atomic.Bool
}

func (c *limitedConn) Close() error {
	if c.gone.CompareAndSwap(false, true) {
		c.s.mu.Lock()
		c.s.open--
		c.s.mu.Unlock()
	}
	return nil
}
func (c *limitedConn) Usable() bool { return !c.gone.Load() }
func (c *limitedConn) Ping(ctx context.Context) error {
	time.Sleep(c.s.slow)
	return ctx.Err()
}

func (s *limited) dial(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
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
		return nil, ep.Fail("handshake", "", transport.KindLost, errors.New("dropped"))
	}
	if s.open >= s.limit {
		s.refused++
		s.mu.Unlock()
		time.Sleep(s.late)
		s.mu.Lock()
		return nil, ep.Fail("login", "", transport.KindBusy, errors.New("too many connections"))
	}
	s.open++
	s.most = max(s.most, s.open)
	return &limitedConn{stubConn: stubConn{proto: ep.Protocol, closed: make(chan struct{})}, s: s}, nil
}

func (s *limited) client(t *testing.T, conns int) *client {
	c, err := New(t.Context(), Config{Host: "h", User: "u", Options: Options{MaxConns: conns, Connect: s.dial, Protocols: []Protocol{SFTP},
		Retry: retry.Policy{MaxAttempts: 2}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*client)
}

func TestPoolLivesWithinTheServersLimit(t *testing.T) {
	for _, shy := range []bool{false, true} {
		t.Run(fmt.Sprintf("shy=%v", shy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &limited{limit: 3, shy: shy, slow: 100 * time.Millisecond}
				c := s.client(t, 16)
				var failed atomic.Int32
				var wg sync.WaitGroup
				for range 16 {
					wg.Go(func() {
						for range 20 {
							if err := c.run(t.Context(), task{op: "ping"}, func(ctx context.Context, l *lease) error { return l.Ping(ctx) }); err != nil {
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
				t.Logf("%d refused", s.refused)
				c.Close()
			})
		})
	}
}

// A server that refuses a login takes longer for that than for one that it
// allows, so that all successes are known before the first refusal is: dials must
// not have multiplied by then. And what waited for its turn to dial takes a
// connection that was put back meanwhile, rather than be refused one more.
func TestPoolMeetsALateLimitByFewDials(t *testing.T) {
	for _, limit := range []int{1, 3, 8} {
		synctest.Test(t, func(t *testing.T) {
			s := &limited{limit: limit, slow: 20 * time.Millisecond, late: 300 * time.Millisecond}
			c := s.client(t, 32)
			var wg sync.WaitGroup
			for range 32 {
				wg.Go(func() {
					for range 20 {
						if err := c.run(t.Context(), task{op: "ping"}, func(ctx context.Context, l *lease) error { return l.Ping(ctx) }); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			if s.refused > limit+2 {
				t.Errorf("a limit of %d was met by %d refused dials, want at most %d", limit, s.refused, limit+2)
			}
			t.Logf("limit %d: %d refused", limit, s.refused)
			c.Close()
		})
	}
}

// A connection that died while it was idle is replaced by a new one, unless the
// server takes no more: then by another that lies idle, and not by dialling until
// that one has run out.
func TestDeadConnectionAtTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &limited{limit: 2, slow: time.Millisecond}
		c := s.client(t, 4)
		both := make(chan struct{})
		var held sync.WaitGroup
		var last atomic.Pointer[limitedConn]
		held.Add(2)
		var wg sync.WaitGroup
		for range 2 { // both connections are opened, and lie idle
			wg.Go(func() {
				err := c.run(t.Context(), task{op: "ping"}, func(ctx context.Context, l *lease) error {
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
		// The one that is taken first turns out dead, and the server has given its
		// place to somebody else.
		err := c.run(t.Context(), task{op: "ping"}, func(ctx context.Context, l *lease) error {
			lc := l.Conn.(*limitedConn)
			if last.CompareAndSwap(nil, lc) {
				lc.gone.Store(true) // it goes on counting
				return &transport.Error{Op: "ping", Kind: transport.KindLost, Err: errors.New("reset")}
			}
			return l.Ping(ctx)
		})
		if took := time.Since(begin); err != nil || took > time.Second || s.refused > 2 {
			t.Errorf("%v, after %v and %d refused dials", err, took, s.refused)
		}
		c.Close()
	})
}

// When the server takes more again, the pool finds out, and is not refused
// often while it does not.
func TestPoolProbesUpward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &limited{limit: 2, slow: 5 * time.Second}
		c := s.client(t, 8)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						if err := c.run(t.Context(), task{op: "ping"}, func(ctx context.Context, l *lease) error { return l.Ping(ctx) }); err != nil {
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
		c.Close()
	})
}

func TestGateIsFairAndHonoursContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1)
		never := context.Background()
		if err := g.enter(t.Context(), never); err != nil {
			t.Fatal(err)
		}
		var order []int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 5 {
			ctx, cancel := context.WithCancel(t.Context())
			wg.Go(func() {
				if err := g.enter(ctx, never); err != nil {
					return
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				g.leave()
			})
			synctest.Wait()
			if i == 2 {
				cancel()
				synctest.Wait()
			}
			defer cancel()
		}
		g.leave()
		wg.Wait()
		if fmt.Sprint(order) != "[0 1 3 4]" {
			t.Errorf("order %v", order)
		}
		if g.held != 0 || g.waiting.Len() != 0 {
			t.Errorf("%d held, %d waiting", g.held, g.waiting.Len())
		}
	})
}

// A client that lives long opens many connections one after the other.
func TestDialGateStaysOpen(t *testing.T) {
	d := newDialGate(8)
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
