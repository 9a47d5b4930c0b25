//go:build linux

package line

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

// serve runs a server that hands each connection to handle, and returns its address.
func serve(t *testing.T, handle func(*net.TCPConn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				handle(c.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() { ln.Close(); wg.Wait() })
	return ln.Addr().String()
}

// through returns a line to a server and a way to connect to it.
func through(t *testing.T, opt Options, handle func(*net.TCPConn)) (*Line, func() *net.TCPConn) {
	t.Helper()
	target := serve(t, handle)
	l := New(opt)
	t.Cleanup(l.Close)
	a, err := l.Listen("127.0.0.1:0", target)
	if err != nil {
		t.Fatal(err)
	}
	return l, func() *net.TCPConn {
		c, err := net.Dial("tcp", a.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c.(*net.TCPConn)
	}
}

func echo(c *net.TCPConn) {
	_, _ = io.Copy(c, c)
	_ = c.CloseWrite()
}

func TestBytesArriveWholeAndInOrder(t *testing.T) {
	l, dial := through(t, Options{RTT: 4 * time.Millisecond}, echo)
	c := dial()
	data := make([]byte, 9<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data)
	go func() {
		for i := 0; i < len(data); { // short and long writes in turn
			n := min(1+i%300_000, len(data)-i)
			if _, err := c.Write(data[i : i+n]); err != nil {
				t.Error(err)
				return
			}
			i += n
		}
		_ = c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d bytes of %d came back, %v", len(got), len(data), err)
	}
	if s := l.Stats(); s.Conns != 1 || s.Up != int64(len(data)) || s.Down != int64(len(data)) {
		t.Errorf("counted %+v", s)
	}
}

// TestConnectingCostsARoundTrip: a server that speaks first is heard after two
// round trips, the answer to a client that speaks first comes after two, and the
// one to its second message one after that.
func TestConnectingCostsARoundTrip(t *testing.T) {
	const rtt = 60 * time.Millisecond
	_, dial := through(t, Options{RTT: rtt}, func(c *net.TCPConn) {
		_, _ = c.Write([]byte("!"))
		echo(c)
	})
	begin := time.Now()
	c := dial()
	step := func(what string, want time.Duration, say string) {
		t.Helper()
		if _, err := io.WriteString(c, say); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, max(1, len(say)))); err != nil {
			t.Fatal(err)
		}
		// Late is the machine's fault, early would be the line's.
		if took := time.Since(begin); took < want {
			t.Errorf("%s after %v, on a line it takes %v", what, took, want)
		} else if took > want+10*rtt {
			t.Errorf("%s after %v, want about %v", what, took, want)
		}
	}
	step("greeting", 2*rtt, "")
	step("answer", 3*rtt, "a")

	begin = time.Now()
	c = dial()
	if _, err := io.WriteString(c, "b"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took < 2*rtt {
		t.Errorf("answer to what was said at once after %v, on a line it takes %v", took, 2*rtt)
	}
}

func TestTurnsAreCounted(t *testing.T) {
	l, dial := through(t, Options{RTT: 2 * time.Millisecond}, echo)
	c := dial()
	for range 5 {
		if _, err := c.Write([]byte("ab")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 2)); err != nil {
			t.Fatal(err)
		}
	}
	if s := l.Stats(); s.Turns != 5 || s.Up != 10 {
		t.Errorf("counted %+v, want 5 turns and 10 bytes", s)
	}
	l.Reset()
	if s := l.Stats(); s != (Stats{}) {
		t.Errorf("counted %+v after a reset", s)
	}
}

// TestQueueIsNotTheLimit sends far more over one connection than a window of TCP
// or SSH would let through: 48 MiB are under way before the first has arrived.
func TestQueueIsNotTheLimit(t *testing.T) {
	const rtt, size = 400 * time.Millisecond, 48 << 20
	_, dial := through(t, Options{RTT: rtt}, func(c *net.TCPConn) {
		n, _ := io.Copy(io.Discard, c)
		if n == size {
			_, _ = c.Write([]byte{1})
		}
	})
	c := dial()
	begin := time.Now()
	buf := make([]byte, 1<<20)
	for range size >> 20 {
		if _, err := c.Write(buf); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	t.Logf("%d MiB at %v: %v, %.0f MB/s", size>>20, rtt, took, float64(size)/1e6/took.Seconds())
	// A window of 6 MiB, the most that Linux gives a socket unasked, would take
	// eight round trips for the bytes alone.
	if took > 2*rtt+6*rtt {
		t.Errorf("took %v: the line is the limit", took)
	}
}

func TestRateIsSharedAndKept(t *testing.T) {
	const rateLimit, size, conns = 40_000_000, 2 << 20, 4
	_, dial := through(t, Options{RTT: 10 * time.Millisecond, Rate: rateLimit}, func(c *net.TCPConn) {
		_, _ = io.Copy(io.Discard, c)
	})
	begin := time.Now()
	var wg sync.WaitGroup
	for range conns {
		c := dial()
		wg.Go(func() {
			if _, err := c.Write(make([]byte, size)); err != nil {
				t.Error(err)
			}
			_ = c.CloseWrite()
			_, _ = io.Copy(io.Discard, c)
		})
	}
	wg.Wait()
	took := time.Since(begin)
	least := time.Duration(float64(conns*size) / rateLimit * float64(time.Second))
	if took < least || took > 8*least {
		t.Errorf("%d bytes took %v, the rate allows %v", conns*size, took, least)
	}
}

func TestResetComesThrough(t *testing.T) {
	_, dial := through(t, Options{RTT: 10 * time.Millisecond}, func(c *net.TCPConn) {
		_, _ = io.ReadFull(c, make([]byte, 1))
		_ = c.SetLinger(0)
	})
	c := dial()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client reads %v, want a reset", err)
	}
}

func TestClientsResetReachesServer(t *testing.T) {
	ended := make(chan error, 1)
	_, dial := through(t, Options{RTT: 10 * time.Millisecond}, func(c *net.TCPConn) {
		_, err := io.Copy(io.Discard, c)
		ended <- err
	})
	c := dial()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	_ = c.SetLinger(0)
	c.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the server reads %v, want a reset", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the server has not been told")
	}
}

// TestGoneReceiverEndsSender: whoever sends to a client that has gone is told,
// however much it has to send.
func TestGoneReceiverEndsSender(t *testing.T) {
	ended := make(chan error, 1)
	_, dial := through(t, Options{RTT: 10 * time.Millisecond}, func(c *net.TCPConn) {
		_, err := io.Copy(c, rand.NewChaCha8([32]byte{}))
		ended <- err
	})
	c := dial()
	if _, err := io.ReadFull(c, make([]byte, 100_000)); err != nil {
		t.Fatal(err)
	}
	c.Close()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("endless data ended without an error")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the server has not been told")
	}
}

func TestDeadTargetResets(t *testing.T) {
	l := New(Options{RTT: 2 * time.Millisecond})
	defer l.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	a, err := l.Listen("127.0.0.1:0", gone.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", a.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes from a server that is not there", n)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	l, dial := through(t, Options{RTT: time.Minute}, echo)
	c := dial()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection has outlived its line")
	}
	if _, err := l.Listen("127.0.0.1:0", "127.0.0.1:1"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("listening on a closed line: %v", err)
	}
}

func TestMirrorForwardsEachPort(t *testing.T) {
	var listeners []net.Listener
	low := 0
	for range 100 { // until three ports in a row are free
		listeners = listeners[:0]
		first, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, first)
		low = first.Addr().(*net.TCPAddr).Port
		for i := 1; i < 3; i++ {
			if l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: low + i}); err == nil {
				listeners = append(listeners, l)
			}
		}
		if len(listeners) == 3 {
			break
		}
		for _, l := range listeners {
			l.Close()
		}
	}
	var wg sync.WaitGroup
	for i, l := range listeners {
		wg.Go(func() {
			if c, err := l.Accept(); err == nil {
				_, _ = c.Write([]byte{byte(i)})
				c.Close()
			}
		})
	}
	defer wg.Wait()
	defer func() {
		for _, l := range listeners {
			l.Close()
		}
	}()
	line := New(Options{})
	defer line.Close()
	if err := line.Mirror("127.0.0.2", "127.0.0.1", low, low+2); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		c, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2), Port: low + i})
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(c)
		c.Close()
		if err != nil || len(got) != 1 || got[0] != byte(i) {
			t.Errorf("port %d answers %v, %v", low+i, got, err)
		}
	}
}
