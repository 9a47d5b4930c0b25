package tunnel

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func startSOCKS(t *testing.T, p *testserver.SOCKSProxy) string { return serveUntil(t, p.Serve) }

func startConnect(t *testing.T, p *testserver.ConnectProxy) string { return serveUntil(t, p.Serve) }

func TestBytesPass(t *testing.T) {
	target := echo(t)
	jump1, jump2 := startJump(t, "jumper", secret), startJump(t, "jumper", secret)
	socks := "socks5://" + startSOCKS(t, &testserver.SOCKSProxy{})
	socksLogin := "socks5h://user:" + secret + "@" + startSOCKS(t, &testserver.SOCKSProxy{User: "user", Password: secret})
	web := "http://" + startConnect(t, &testserver.ConnectProxy{})
	webLogin := "http://user:" + secret + "@" + startConnect(t, &testserver.ConnectProxy{User: "user", Password: secret})
	for name, urls := range map[string][]string{
		"socks5": {socks}, "socks5 login": {socksLogin}, "http": {web}, "http login": {webLogin},
		"ssh": {jump1.url()}, "two jumps": {jump1.url(), jump2.url()},
		"all": {socksLogin, jump1.url(), webLogin, jump2.url(), socks, web},
	} {
		t.Run(name, func(t *testing.T) {
			tun := open(t, urls...)
			if strings.Contains(tun.String(), secret) {
				t.Fatalf("String holds the password: %s", tun)
			}
			for range 2 {
				conn, err := tun.Dial(within(t), "tcp", target)
				if err != nil {
					t.Fatal(err)
				}
				roundTrip(t, conn, strings.Repeat("0123456789abcdef", 1<<16)) // 1 MiB
			}
		})
	}
	// One for each tunnel that goes through it.
	if a, b := jump1.handshakes.Load(), jump2.handshakes.Load(); a != 3 || b != 2 {
		t.Errorf("%d and %d handshakes with the jump hosts, want 3 and 2", a, b)
	}
}

func TestBareTCPWhereItDoesNotMislead(t *testing.T) {
	proxy := startSOCKS(t, &testserver.SOCKSProxy{})
	tun := open(t, "socks5://"+proxy)
	conn, err := tun.Dial(within(t), "tcp", echo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, ok := conn.(*net.TCPConn); !ok {
		t.Fatalf("%T in place of a *net.TCPConn: no sendfile", conn)
	}
	raw, err := net.Dial("tcp", proxy)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	_, port, _ := net.SplitHostPort(proxy)
	// The FTP driver would take the proxy for the server.
	same := settle(raw, "files.internal:"+port)
	if _, ok := same.RemoteAddr().(*net.TCPAddr); ok || same.RemoteAddr().String() != "files.internal:"+port {
		t.Fatalf("the peer is named as %v", same.RemoteAddr())
	}
}

func TestProxyResolves(t *testing.T) {
	p := &testserver.SOCKSProxy{}
	tun := open(t, "socks5://"+startSOCKS(t, p))
	_, port, _ := net.SplitHostPort(echo(t))
	conn, err := tun.Dial(within(t), "tcp", "localhost:"+port)
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, conn, "hello")
	if len(p.Asked()) != 1 || p.Asked()[0] != "name:localhost:"+port {
		t.Fatalf("the proxy was asked for %q; want the name", p.Asked())
	}
	j := startJump(t, "jumper", secret)
	conn, err = openHops(t, j.hop()).Dial(within(t), "tcp", "localhost:"+port)
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, conn, "hello")
	if a := j.asked(); len(a) != 1 || a[0] != "localhost:"+port {
		t.Fatalf("the jump host was asked for %q; want the name", a)
	}
}

func TestChannelIsANetConn(t *testing.T) {
	silent := serve(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, io.LimitReader(c, 1)); <-t.Context().Done() })
	tun := openHops(t, startJump(t, "jumper", secret).hop())
	dial := func() net.Conn {
		conn, err := tun.Dial(within(t), "tcp", silent)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	conn := dial()
	buf := make([]byte, 1)
	set := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	set(conn.SetReadDeadline(time.Now().Add(-time.Second)))
	if _, err := conn.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("a deadline that has passed: %v", err)
	}
	set(conn.SetDeadline(time.Time{}))
	failed := make(chan error)
	go func() { _, err := conn.Read(buf); failed <- err }()
	set(conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond)))
	if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("a deadline set under a Read: %v", err)
	}
	var timeout net.Error
	set(conn.SetWriteDeadline(time.Now().Add(10 * time.Millisecond)))
	_, err := conn.Write(make([]byte, 64<<20)) // more than window and buffers hold
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Fatalf("a Write that nobody takes: %v", err)
	}
	set(conn.SetDeadline(time.Time{}))
	go func() { _, err := conn.Read(buf); failed <- err }()
	wrote := make(chan error)
	go func() { _, err := conn.Write(make([]byte, 64<<20)); wrote <- err }()
	set(conn.Close())
	if err := <-failed; !errors.Is(err, net.ErrClosed) {
		t.Fatalf("Read under Close: %v", err)
	}
	if err := <-wrote; !errors.Is(err, net.ErrClosed) {
		t.Fatalf("Write under Close: %v", err)
	}
	if err := conn.SetDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("SetDeadline after Close: %v", err)
	}
}

// A Write that a deadline interrupts is counted, so that going on repeats and
// loses nothing.
func TestInterruptedWriteGoesOn(t *testing.T) {
	go1 := make(chan struct{})
	sum := make(chan int, 1)
	target := serve(t, func(c net.Conn) {
		<-go1
		n, _ := io.Copy(io.Discard, c)
		sum <- int(n)
	})
	conn, err := openHops(t, startJump(t, "jumper", secret).hop()).Dial(within(t), "tcp", target)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	data := make([]byte, 32<<20)
	_ = conn.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	n, err := conn.Write(data)
	if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == len(data) {
		t.Fatalf("%d bytes, %v; want some and a deadline", n, err)
	}
	_ = conn.SetWriteDeadline(time.Time{})
	close(go1)
	if _, err := conn.Write(data[n:]); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*channelConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := <-sum; got != len(data) {
		t.Fatalf("%d bytes arrived of %d", got, len(data))
	}
}

// What was written before Close arrives.
func TestCloseDoesNotCutWhatIsWritten(t *testing.T) {
	sum := make(chan int, 1)
	target := serve(t, func(c net.Conn) { n, _ := io.Copy(io.Discard, c); sum <- int(n) })
	ca := newProxyCA(t)
	for name, tun := range map[string]*Tunnel{
		"ssh":   openHops(t, startJump(t, "jumper", secret).hop()),
		"https": openHops(t, tlsHop(t, ca, startTLSProxy(t, ca, &testserver.ConnectProxy{}))),
	} {
		conn, err := tun.Dial(within(t), "tcp", target)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if got := <-sum; got != 1<<20 {
			t.Fatalf("%s: %d bytes arrived", name, got)
		}
	}
}

func TestConcurrentDialsShareOneHandshake(t *testing.T) {
	j := startJump(t, "jumper", secret)
	tun := openHops(t, j.hop())
	target := echo(t)
	var work sync.WaitGroup
	for range 40 {
		work.Go(func() {
			conn, err := tun.Dial(within(t), "tcp", target)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, "x"); err != nil {
				t.Error(err)
			}
			if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	if n := j.handshakes.Load(); n != 1 {
		t.Fatalf("%d handshakes", n)
	}
}

func TestJumpIsReopened(t *testing.T) {
	first, second := startJump(t, "jumper", secret), startJump(t, "jumper", secret)
	tun := openHops(t, first.hop(), second.hop())
	target := echo(t)
	dial := func() net.Conn {
		t.Helper()
		conn, err := tun.Dial(within(t), "tcp", target)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	for round, victim := range []*jumpServer{second, first, second} {
		conn := dial()
		if victim.cut() == 0 {
			t.Fatal("nothing to cut")
		}
		if _, err := conn.Read(make([]byte, 1)); err == io.EOF || transport.KindOf(err) != transport.KindLost {
			t.Fatalf("round %d: a jump host that died: %v; want a loss, not the end of a file", round, err)
		}
		conn.Close()
		roundTrip(t, dial(), "again")
	}
}

func TestDeadJumpIsNoticed(t *testing.T) {
	j := startJump(t, "jumper", secret)
	h := j.hop()
	h.KeepAlive = 20 * time.Millisecond
	tun := openHops(t, h)
	silent := serve(t, func(c net.Conn) { <-t.Context().Done() })
	conn, err := tun.Dial(within(t), "tcp", silent)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	j.deaf.Store(true)
	if _, err := conn.Read(make([]byte, 1)); transport.KindOf(err) != transport.KindLost {
		t.Fatalf("a jump host that says nothing any more: %v", err)
	}
	j.deaf.Store(false)
	roundTrip(t, mustDial(t, tun, echo(t)), "again")
}

func mustDial(t *testing.T, tun *Tunnel, address string) net.Conn {
	t.Helper()
	conn, err := tun.Dial(within(t), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestCloseEndsEverything(t *testing.T) {
	j := startJump(t, "jumper", secret)
	tun := openHops(t, j.hop())
	conn := mustDial(t, tun, echo(t))
	if err := tun.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); transport.KindOf(err) != transport.KindLost {
		t.Fatalf("Read after Close: %v", err)
	}
	if err := fails(t, tun, "127.0.0.1:1", transport.KindInvalid, "closed"); !strings.Contains(err.Error(), "make another") {
		t.Fatal(err)
	}
}
