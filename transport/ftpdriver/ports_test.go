package ftpdriver

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// bothWays stores a file, lists a folder, and reads the file back.
func bothWays(t testing.TB, c *tconn, data []byte) {
	t.Helper()
	if n, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), nil); err != nil || n != int64(len(data)) {
		t.Errorf("store: %d, %v", n, err)
	}
	if err := c.List(t.Context(), "d", func(transport.Entry) bool { return true }); err != nil {
		t.Errorf("list: %v", err)
	}
	var got bytes.Buffer
	if _, err := c.Retrieve(t.Context(), "f", 0, &got, nil); err != nil || !bytes.Equal(got.Bytes(), data) {
		t.Errorf("retrieve: %d bytes, %v", got.Len(), err)
	}
}

// TestPortInOtherWords: the port is taken from whatever reply has one, and PASV is
// asked where EPSV is answered by one that has none.
func TestPortInOtherWords(t *testing.T) {
	for name, c := range map[string]struct {
		epsv, pasv func(*session, string) string
		viaPASV    bool
	}{
		"227 to EPSV": {epsv: defaults["PASV"]},
		"200 to EPSV": {epsv: func(s *session, arg string) string { return "200" + defaults["EPSV"](s, arg)[3:] }},
		"229 to PASV": {epsv: always("500 what?"), pasv: defaults["EPSV"], viaPASV: true},
		"no sense":    {epsv: always("229 Entering Extended Passive Mode"), viaPASV: true},
		"port 0":      {epsv: always("229 ok (|||0|)"), viaPASV: true},
		"just ok":     {epsv: always("200 Command okay."), viaPASV: true},
	} {
		for _, p := range protocols {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				t.Parallel()
				ep, f := startFake(t, p, func(f *fake) {
					folders(f, "/home/d")
					f.on["EPSV"] = c.epsv
					if c.pasv != nil {
						f.on["PASV"] = c.pasv
					}
				})
				for range 2 { // the second one has been told by the first
					bothWays(t, dial(t, ep), random(100<<10))
				}
				if n, m := f.count("EPSV"), f.count("PASV"); c.viaPASV != (m > 0) || c.viaPASV && n != 1 {
					t.Errorf("EPSV %d times, PASV %d times", n, m)
				}
			})
		}
	}
}

// TestPortOfEPSVIsDead: where no port of EPSV's has ever been reached, PASV's is tried,
// and is what later connections begin with.
func TestPortOfEPSVIsDead(t *testing.T) {
	const dead = "127.0.0.1:1"
	for name, lost := range map[string]func(ctx context.Context) error{
		"refused": func(context.Context) error { return fmt.Errorf("connection refused by %s", dead) },
		"dropped": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		for _, size := range []int{5, 100 << 10} {
			for _, p := range protocols {
				t.Run(fmt.Sprint(name, " ", size, " ", p), func(t *testing.T) {
					t.Parallel()
					ep, f := startFake(t, p, func(f *fake) {
						folders(f, "/home/d")
						f.on["EPSV"] = func(s *session, _ string) string {
							if s.data != nil {
								_ = s.data.Close()
								s.data = nil
							}
							return "229 ok (|||1|)"
						}
					})
					ep.ConnectTimeout = 2 * time.Second
					ep.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
						if addr == dead {
							return nil, lost(ctx)
						}
						return (&net.Dialer{}).DialContext(ctx, network, addr)
					}
					data := random(size)
					bothWays(t, dial(t, ep), data)
					if n := f.count("EPSV"); n != 1 {
						t.Errorf("EPSV %d times", n)
					}
					bothWays(t, dial(t, ep), data)
					if n := f.count("EPSV"); n != 1 {
						t.Errorf("EPSV %d times, on the next connection too", n)
					}
				})
			}
		}
	}
}

// TestPortOfPASVIsDeadToo: then it was not EPSV's fault, and the next attempt begins with
// EPSV again.
func TestPortOfPASVIsDeadToo(t *testing.T) {
	var down atomic.Bool
	down.Store(true)
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.on["STOR"] = func(s *session, name string) string {
			if down.Load() {
				return "" // it waits
			}
			return s.take(name)
		}
	})
	control := ep.Addr()
	ep.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if down.Load() && addr != control {
			return nil, fmt.Errorf("no route to %s", addr)
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	ep.ConnectTimeout = 2 * time.Second
	for range 2 {
		c := dial(t, ep)
		c.ctl.grace = time.Millisecond // for the reply
		_, err := c.Store(t.Context(), "f", 0, bytes.NewReader(random(5)), nil)
		if err == nil {
			t.Fatal("stored without a data connection")
		}
	}
	if n, m := f.count("EPSV"), f.count("PASV"); n != 1 || m != 1 {
		t.Errorf("EPSV %d times, PASV %d times", n, m)
	}
	down.Store(false)
	c := dial(t, ep)
	if _, err := c.Store(t.Context(), "f", 0, bytes.NewReader(random(5)), nil); err != nil || f.count("EPSV") != 2 {
		t.Errorf("%v, %q", err, f.got())
	}
}
