package ftpx

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// sharedConn takes several operations at once, each of which lasts a while.
type sharedConn struct {
	stubConn
	s    *shared
	gone atomic.Bool
	busy atomic.Int32
	// calls counts them.
	calls atomic.Int32
}

// fragile is a file whose connection is lost if it is used for anything else meanwhile.
const fragile = "fragile"

type shared struct {
	overlap int
	delay   time.Duration
	mu      sync.Mutex
	conns   []*sharedConn
	most    int32
}

func (c *sharedConn) Info() transport.Info {
	i := c.stubConn.Info()
	i.Caps.Overlap = c.s.overlap
	return i
}
func (c *sharedConn) Usable() bool { return !c.gone.Load() }
func (c *sharedConn) Close() error { c.gone.Store(true); return nil }
func (c *sharedConn) Stat(ctx context.Context, p string) (Entry, error) {
	n, calls := c.busy.Add(1), c.calls.Add(1)
	defer c.busy.Add(-1)
	c.s.mu.Lock()
	c.s.most = max(c.s.most, n)
	c.s.mu.Unlock()
	select {
	case <-time.After(c.s.delay):
	case <-ctx.Done():
		c.gone.Store(true)
		return Entry{}, &transport.Error{Op: "stat", Path: p, Kind: transport.KindCanceled, Err: context.Cause(ctx)}
	}
	if p == fragile && c.calls.Load() != calls {
		c.gone.Store(true)
	}
	if c.gone.Load() {
		return Entry{}, &transport.Error{Op: "stat", Path: p, Kind: transport.KindLost, Err: errors.New("lost")}
	}
	return Entry{Name: p}, nil
}

func (s *shared) client(t *testing.T, conns int) *client {
	c, err := New(t.Context(), Config{Host: "h", User: "u", Options: Options{MaxConns: conns, Protocols: []Protocol{SFTP}, Retry: retry.Policy{MaxAttempts: 3},
		Connect: func(context.Context, *transport.Endpoint) (transport.Conn, error) {
			time.Sleep(s.delay)
			c := &sharedConn{stubConn: stubConn{proto: SFTP, closed: make(chan struct{})}, s: s}
			s.mu.Lock()
			s.conns = append(s.conns, c)
			s.mu.Unlock()
			return c, nil
		}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*client)
}

// Small work shares connections, up to what they take and not beyond, and no more
// connections are opened than allowed.
func TestSmallWorkSharesConnections(t *testing.T) {
	for _, overlap := range []int{0, 8} {
		synctest.Test(t, func(t *testing.T) {
			s := &shared{overlap: overlap, delay: 100 * time.Millisecond}
			c := s.client(t, 2)
			begin := time.Now()
			var wg sync.WaitGroup
			for range 160 {
				wg.Go(func() {
					if _, err := c.Stat(t.Context(), "x"); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			took, want := time.Since(begin), 81*s.delay
			if overlap > 0 {
				want = 14 * s.delay // the second connection is opened when there has been a wait
			}
			if took > want || len(s.conns) != 2 || int(s.most) > max(overlap, 1) {
				t.Errorf("overlap %d: 160 operations took %v, want at most %v; %d connections, %d at once on one", overlap, took, want, len(s.conns), s.most)
			}
			c.Close()
		})
	}
}

// What shares a connection shares its fate, and is done again on another.
func TestRidersSurviveTheirConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shared{overlap: 8, delay: 100 * time.Millisecond}
		c := s.client(t, 2)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.Stat(ctx, "ended"); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		for range 40 {
			wg.Go(func() {
				if _, err := c.Stat(t.Context(), "x"); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(s.delay / 2)
		cancel()
		wg.Wait()
		st := c.Stats()
		if open, idle := c.hosts.list[0].pool.counts(); open != idle || open > 2 || c.hosts.list[0].pool.riding != 0 {
			t.Errorf("%d open, %d idle, %d riding; %+v", open, idle, c.hosts.list[0].pool.riding, st)
		}
		if seats, open := c.hosts.list[0].pool.seats, len(c.hosts.list[0].pool.idle); seats != 7*open {
			t.Errorf("%d seats on %d connections", seats, open)
		}
		c.Close()
	})
}

// TestWorkIsNotLostWithOthersForEver: what is lost with what it shares its connection
// with gets one to itself.
func TestWorkIsNotLostWithOthersForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shared{overlap: 8, delay: 10 * time.Millisecond}
		c := s.client(t, 2)
		ctx, cancel := context.WithCancel(t.Context())
		var others sync.WaitGroup
		for range 8 {
			others.Go(func() {
				for ctx.Err() == nil {
					_, _ = c.Stat(ctx, "f")
				}
			})
		}
		time.Sleep(time.Second)
		if _, err := c.Stat(ctx, fragile); err != nil {
			t.Error(err)
		}
		cancel()
		others.Wait()
	})
}
