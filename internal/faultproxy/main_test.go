package faultproxy_test

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// waitLimit bounds what must happen; quiet is how long "nothing happens" is watched.
const (
	waitLimit = 20 * time.Second
	quiet     = 50 * time.Millisecond
)

// serve runs a TCP server whose handler gets each connection; both end with the
// test. It returns the server's address.
func serve(t *testing.T, handler func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, l, handler)
	return l.Addr().String()
}

func serveOn(t *testing.T, l net.Listener, handler func(*net.TCPConn)) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(waitLimit))
			wg.Go(func() {
				defer conn.Close()
				handler(conn.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
}

// echo sends back what it gets.
func echo(conn *net.TCPConn) { _, _ = io.Copy(conn, conn) }

// newProxy makes a proxy that ends with the test, before the servers do.
func newProxy(t *testing.T, opts faultproxy.Options) *faultproxy.Proxy {
	t.Helper()
	p := faultproxy.New(opts)
	t.Cleanup(func() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = p.Close()
		}()
		select {
		case <-done:
		case <-time.After(waitLimit):
			t.Error("the proxy does not end")
		}
	})
	return p
}

func newRoute(t *testing.T, p *faultproxy.Proxy, opts faultproxy.RouteOptions) *faultproxy.Route {
	t.Helper()
	r, err := p.Route(opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// through starts a proxy with one route to target and one plan.
func through(t *testing.T, target string, plan faultproxy.Plan) (*faultproxy.Proxy, *faultproxy.Route) {
	t.Helper()
	p := newProxy(t, faultproxy.Options{Seed: 1})
	return p, newRoute(t, p, faultproxy.RouteOptions{Target: target, Plan: plan})
}

func dial(t *testing.T, r *faultproxy.Route) *net.TCPConn {
	t.Helper()
	conn, err := tryDial(t, r)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// tryDial is for routes that may reset at once: a reset that is fast enough makes
// connect(2) itself fail.
func tryDial(t *testing.T, r *faultproxy.Route) (*net.TCPConn, error) {
	t.Helper()
	conn, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(waitLimit))
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn), nil
}

// firstRead connects and returns the error of the first read, or of connecting.
func firstRead(t *testing.T, r *faultproxy.Route) error {
	t.Helper()
	conn, err := tryDial(t, r)
	if err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

// pattern returns n bytes in which every offset is recognisable.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i) ^ byte(i>>8)*31 ^ byte(i>>16)*17
	}
	return p
}

func isReset(err error) bool {
	// A write after the RST has been seen says EPIPE, or WSAECONNABORTED.
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, syscall.ECONNABORTED)
}

// silent reports whether nothing, not even an end, comes from conn for a while.
func silent(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(quiet))
	_, err := conn.Read(make([]byte, 1))
	_ = conn.SetReadDeadline(time.Now().Add(waitLimit))
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// within waits for a value that has to come.
func within[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(waitLimit):
		t.Fatal("it does not come")
		panic("unreachable")
	}
}

// eventually waits for a condition that no event announces: a counter, say.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(waitLimit); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Errorf("never: %s", what)
}
