package ftpx_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// TestHookPanicsOverSockets: whichever command or reply a hook panics at, the caller has the
// panic, no socket and no place is left over, and the client goes on.
func TestHookPanicsOverSockets(t *testing.T) {
	for _, p := range allProtocols {
		t.Run(p.String(), func(t *testing.T) {
			trio := startTrio(t)
			var left atomic.Int64 // until a hook panics, never for less than 0
			left.Store(-1)
			tick := func() {
				if left.Add(-1) == 0 {
					panic(made{"command or reply"})
				}
			}
			opts := optionsFor(trio, p)
			var used sockets
			opts.Limits.Conns, opts.Dial = 2, used.dial
			var open atomic.Int64
			opts.Hooks = &ftpx.Hooks{
				Command: func(context.Context, ftpx.CommandInfo) { tick() },
				Reply:   func(context.Context, ftpx.ReplyInfo) { tick() },
				Dial: func(context.Context, ftpx.DialInfo) (context.Context, func(ftpx.DialEnd)) {
					return nil, func(e ftpx.DialEnd) {
						if e.Err == nil {
							open.Add(1)
						}
					}
				},
				Conn: func(ftpx.ConnInfo) { open.Add(-1) },
			}
			c := connect(t, trio, opts)
			large, small := localFile(t, content(600_000)), localFile(t, content(10_000))
			for n := int64(1); ; n++ {
				panicked := false
				call := func(f func()) {
					left.Store(n)
					defer func() {
						if p := recover(); p != nil {
							panicked = true
							if _, ours := p.(made); !ours {
								panic(p)
							}
						}
						left.Store(-1)
					}()
					f()
				}
				call(func() { _, _ = c.Upload(t.Context(), large, fmt.Sprint("l", n), nil) })
				call(func() { _, _ = c.Upload(t.Context(), small, fmt.Sprint("s", n), nil) })
				call(func() { _, _ = c.Download(t.Context(), "seed", filepath.Join(t.TempDir(), "f"), nil) })
				call(func() {
					for range c.List(t.Context(), ".") { //nolint:revive // all of it
					}
				})
				call(func() { _ = c.MkdirAll(t.Context(), fmt.Sprint("a/", n)) })
				if n == 1 {
					must(t, errOf(c.Upload(t.Context(), large, "seed", nil)))
				}
				for range 3 { // more than there are places
					must(t, c.Ping(t.Context()))
				}
				if st := c.Stats(); st.Open != st.Idle || int64(st.Open) != open.Load() {
					t.Fatalf("after a panic at %d: %d open, %d idle, %d told of", n, st.Open, st.Idle, open.Load())
				}
				if !panicked {
					t.Logf("%d places", n-1)
					break
				}
			}
			must(t, c.Close())
			if n := open.Load(); n != 0 {
				t.Errorf("%d connections have no end", n)
			}
			if n := used.open.Load(); n != 0 {
				t.Errorf("%d sockets are open", n)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sockets counts those of a client that are open.
type sockets struct{ open atomic.Int64 }

func (s *sockets) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	s.open.Add(1)
	return &socket{Conn: c, s: s}, nil
}

type socket struct {
	net.Conn
	s    *sockets
	once sync.Once
}

func (c *socket) Close() error {
	c.once.Do(func() { c.s.open.Add(-1) })
	return c.Conn.Close()
}
