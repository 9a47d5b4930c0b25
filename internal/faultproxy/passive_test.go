package faultproxy_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/jlaffaye/ftp"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// An announced port that nobody comes to closes by itself.
func TestPassivePortExpires(t *testing.T) {
	p := newProxy(t, faultproxy.Options{})
	ports := p.PassivePorts(faultproxy.PassiveOptions{Lifetime: 30 * time.Millisecond})
	exposed, listened, ok := ports.FetchNext()
	if !ok || exposed == listened {
		t.Fatalf("ports %d, %d, %v", exposed, listened, ok)
	}
	eventually(t, "the port is closed", func() bool {
		again, err := p.Route(faultproxy.RouteOptions{Listen: fmt.Sprintf("127.0.0.1:%d", exposed), Target: "127.0.0.1:1"})
		if err == nil {
			again.Refuse()
		}
		return err == nil
	})
}

func TestMirrorRange(t *testing.T) {
	if runtime.GOOS == "darwin" {
		t.Skip("127.0.0.2 is not configured on macOS")
	}
	low := serveRange(t, 3)
	p := newProxy(t, faultproxy.Options{})
	routes, err := p.MirrorRange("127.0.0.2", "127.0.0.1", low, low+2, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(routes) != 3 {
		t.Fatalf("%d routes, want 3", len(routes))
	}
	for i, r := range routes {
		if want := fmt.Sprintf("127.0.0.2:%d", low+i); r.Addr().String() != want {
			t.Errorf("route %d listens on %v, want %s", i, r.Addr(), want)
		}
		got, err := io.ReadAll(dial(t, r))
		if want := strconv.Itoa(low + i); err != nil || string(got) != want {
			t.Errorf("route %d leads to %q, %v; want %s", i, got, err, want)
		}
	}
	if s := p.Stats(faultproxy.Data); s.Conns != 3 {
		t.Errorf("stats = %+v", s)
	}

	// What cannot be opened leaves nothing open: the middle one is taken here.
	q := newProxy(t, faultproxy.Options{})
	if _, err := q.MirrorRange("127.0.0.2", "127.0.0.1", low-1, low+2, nil); err == nil {
		t.Error("a range with a port that is taken")
	}
	if _, err := net.Dial("tcp", fmt.Sprintf("127.0.0.2:%d", low-1)); err == nil {
		t.Error("a part of the range stayed open")
	}
}

// serveRange serves n ports in a row on 127.0.0.1, each of which says its own
// number, and returns the first.
func serveRange(t *testing.T, n int) int {
	t.Helper()
	for range 100 {
		low := 20_000 + rand.IntN(10_000) // below the usual ephemeral range
		var listeners []net.Listener
		for port := low; port < low+n; port++ {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				break
			}
			listeners = append(listeners, l)
		}
		if len(listeners) < n {
			for _, l := range listeners {
				_ = l.Close()
			}
			continue
		}
		for _, l := range listeners {
			serveOn(t, l, func(conn *net.TCPConn) {
				_, _ = io.WriteString(conn, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
			})
		}
		return low
	}
	t.Fatal("no ports in a row are free")
	return 0
}

// The ports may be announced on another address than the server's.
func TestPassivePortsOnAnotherAddress(t *testing.T) {
	if runtime.GOOS == "darwin" {
		t.Skip("127.0.0.2 is not configured on macOS")
	}
	p := newProxy(t, faultproxy.Options{})
	server, err := testserver.StartFTP(testserver.FTPOptions{
		Root: t.TempDir(), PassivePorts: p.PassivePorts(faultproxy.PassiveOptions{ListenIP: "127.0.0.2"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	control := newRoute(t, p, faultproxy.RouteOptions{
		Role: faultproxy.Control, Listen: "127.0.0.2:0", Target: server.Addr().String(),
	})
	// EPSV names no address, so the client connects to 127.0.0.2.
	conn, err := ftp.Dial(control.Addr().String(), ftp.DialWithTimeout(waitLimit))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Quit() })
	if err := conn.Login("user", "password"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Stor("/a", bytes.NewReader(pattern(1000))); err != nil {
		t.Fatal(err)
	}
	if s := p.Stats(faultproxy.Data); s.Conns != 1 || s.Up != 1000 {
		t.Errorf("the data went another way: %+v", s)
	}
}
