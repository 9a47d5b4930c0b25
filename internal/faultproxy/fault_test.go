package faultproxy_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

// talker sends size bytes of pattern and then reports what the client's
// direction ended with.
func talker(size int, ended chan<- error) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		_, err := conn.Write(pattern(size))
		if err == nil {
			err = conn.CloseWrite()
		}
		if err == nil {
			_, err = io.Copy(io.Discard, conn)
		}
		ended <- err
	}
}

// listener reports all that it got and how that ended.
func listener(got chan<- []byte, ended chan<- error) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		data, err := io.ReadAll(conn)
		got <- data
		ended <- err
	}
}

func TestResetAt(t *testing.T) {
	const at = 70_001
	ended := make(chan error, 1)
	fault := faultproxy.ResetAt(faultproxy.Down, at)
	fault.Grace = 200 * time.Millisecond
	p, r := through(t, serve(t, talker(1<<20, ended)), faultproxy.Always(fault))
	data, err := io.ReadAll(dial(t, r))
	if !isReset(err) {
		t.Errorf("client sees %v, want a reset", err)
	}
	if !bytes.Equal(data, pattern(1 << 20)[:at]) {
		t.Errorf("client got %d bytes, want the first %d", len(data), at)
	}
	if err := within(t, ended); !isReset(err) {
		t.Errorf("server sees %v, want a reset", err)
	}
	if s := p.Stats(); s.Down != at || s.Resets != 1 {
		t.Errorf("stats = %+v", s)
	}
}

func TestResetAtOfBothDirections(t *testing.T) {
	const at = 100_000
	p, r := through(t, serve(t, echo), faultproxy.ResetEvery(at))
	for range 3 {
		conn := dial(t, r)
		wrote := make(chan error, 1)
		go func() {
			_, err := conn.Write(pattern(1 << 20))
			wrote <- err
		}()
		// Linux tells one of the two calls of the reset, and the other one that
		// the stream has ended.
		_, err := io.Copy(io.Discard, conn)
		if writeErr := within(t, wrote); !isReset(err) && !isReset(writeErr) {
			t.Errorf("client sees %v reading and %v writing, want a reset", err, writeErr)
		}
	}
	for _, c := range p.Conns() {
		if c.Up+c.Down != at || c.Fault != faultproxy.Reset {
			t.Errorf("connection %d: %d + %d bytes, want %d in sum", c.Seq, c.Up, c.Down, at)
		}
	}
}

// A connection that carries less than the fault's offset is left alone.
func TestResetBeyondTheEnd(t *testing.T) {
	_, r := through(t, serve(t, digest), faultproxy.ResetEvery(1000))
	if got := upload(t, dial(t, r), pattern(900)); len(got) != 32 {
		t.Errorf("answer of %d bytes", len(got))
	}
}

func TestResetOneSide(t *testing.T) {
	tests := []struct {
		name string
		rest faultproxy.Rest
	}{{"hold", faultproxy.RestHold}, {"fin", faultproxy.RestFIN}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			accepted := make(chan *net.TCPConn, 1)
			finish := make(chan struct{})
			p, r := through(t, serve(t, func(conn *net.TCPConn) {
				accepted <- conn
				<-finish
			}), nil)
			t.Cleanup(func() { close(finish) })
			conn := dial(t, r)
			server := within(t, accepted)
			p.CutWith(faultproxy.Fault{Kind: faultproxy.Reset, Sides: faultproxy.ClientSide, Rest: tt.rest})
			if _, err := conn.Read(make([]byte, 1)); !isReset(err) {
				t.Errorf("client sees %v, want a reset", err)
			}
			if tt.rest == faultproxy.RestFIN {
				if _, err := server.Read(make([]byte, 1)); err != io.EOF {
					t.Errorf("server sees %v, want EOF", err)
				}
				return
			}
			if !silent(server) {
				t.Error("the server noticed")
			}
			if _, err := server.Write([]byte("anyone?")); err != nil {
				t.Errorf("server cannot write: %v", err)
			}
			p.Lift()
			if _, err := io.ReadAll(server); err != nil && !isReset(err) {
				t.Errorf("server sees %v after lifting, want the end", err)
			}
		})
	}
}

// The client is gone and the server goes on writing what was on its way: trap 4
// of the server facts.
func TestResetClientAndFlush(t *testing.T) {
	got, ended := make(chan []byte, 1), make(chan error, 1)
	p := newProxy(t, faultproxy.Options{Shape: faultproxy.Shape{UpDelay: 300 * time.Millisecond}})
	r := newRoute(t, p, faultproxy.RouteOptions{Target: serve(t, listener(got, ended))})
	conn := dial(t, r)
	if _, err := conn.Write(pattern(1000)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the bytes are on their way", func() bool {
		conns := p.Conns()
		return len(conns) == 1 && conns[0].Held == 1000
	})
	p.CutWith(faultproxy.Fault{Kind: faultproxy.Reset, Sides: faultproxy.ClientSide, Rest: faultproxy.RestFlush})
	if _, err := conn.Read(make([]byte, 1)); !isReset(err) {
		t.Errorf("client sees %v, want a reset", err)
	}
	if data := within(t, got); !bytes.Equal(data, pattern(1000)) {
		t.Errorf("server got %d bytes, want 1000", len(data))
	}
	if err := within(t, ended); err != nil {
		t.Errorf("server sees %v, want a clean end", err)
	}
}

func TestFINDown(t *testing.T) {
	const at = 40_000
	ended := make(chan error, 1)
	p, r := through(t, serve(t, talker(1<<20, ended)), faultproxy.Always(faultproxy.FINAt(faultproxy.Down, at)))
	conn := dial(t, r)
	data, err := io.ReadAll(conn)
	if err != nil || !bytes.Equal(data, pattern(1 << 20)[:at]) {
		t.Errorf("client got %d bytes, %v; want %d and a clean end", len(data), err, at)
	}
	_ = conn.Close()
	if err := within(t, ended); err != nil {
		t.Errorf("server sees %v, want nothing unusual", err)
	}
	if s := p.Stats(); s.FINs != 1 || s.Dropped != 1<<20-at {
		t.Errorf("stats = %+v", s)
	}
}

func TestFINUp(t *testing.T) {
	const at = 40_000
	_, r := through(t, serve(t, func(conn *net.TCPConn) {
		data, err := io.ReadAll(conn)
		if err != nil || !bytes.Equal(data, pattern(1 << 20)[:at]) {
			t.Errorf("server got %d bytes, %v; want %d and a clean end", len(data), err, at)
		}
		_, _ = conn.Write([]byte("226"))
	}), faultproxy.Always(faultproxy.FINAt(faultproxy.Up, at)))
	// The client notices nothing, and gets its success.
	if got := upload(t, dial(t, r), pattern(1<<20)); string(got) != "226" {
		t.Errorf("client got %q", got)
	}
}

func TestStallAndLift(t *testing.T) {
	const at = 50_000
	ended := make(chan error, 1)
	p, r := through(t, serve(t, talker(200_000, ended)), faultproxy.Always(faultproxy.StallAt(faultproxy.Down, at)))
	conn := dial(t, r)
	first := make([]byte, at)
	if _, err := io.ReadFull(conn, first); err != nil {
		t.Fatal(err)
	}
	if !silent(conn) {
		t.Error("something came after the stall")
	}
	p.Lift()
	rest, err := io.ReadAll(conn)
	if err != nil || !bytes.Equal(append(first, rest...), pattern(200_000)) {
		t.Errorf("after lifting: %d more bytes, %v", len(rest), err)
	}
	if s := p.Stats(); s.Stalls != 1 || s.Dropped != 0 {
		t.Errorf("stats = %+v", s)
	}
}

func TestRefuseAndAccept(t *testing.T) {
	_, r := through(t, serve(t, echo), nil)
	old := dial(t, r)
	_, _ = old.Write([]byte("a"))
	r.Refuse()
	r.Refuse()
	if _, err := net.Dial("tcp", r.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial = %v, want refused", err)
	}
	if _, err := io.ReadFull(old, make([]byte, 1)); err != nil {
		t.Errorf("the living connection: %v", err)
	}
	if err := r.Accept(); err != nil {
		t.Fatal(err)
	}
	conn := dial(t, r)
	_, _ = conn.Write([]byte("b"))
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Errorf("after accepting again: %v", err)
	}

	r.SetPlan(faultproxy.Always(faultproxy.Refused()))
	if err := firstRead(t, r); !isReset(err) {
		t.Errorf("accept-and-reset: %v", err)
	}
}

func TestBlackHole(t *testing.T) {
	accepted := make(chan struct{}, 1)
	p, r := through(t, serve(t, func(conn *net.TCPConn) {
		accepted <- struct{}{}
		echo(conn)
	}), faultproxy.Always(faultproxy.BlackHoled()))
	conn := dial(t, r)
	_, _ = conn.Write([]byte("hello"))
	if !silent(conn) {
		t.Error("something came out of the black hole")
	}
	select {
	case <-accepted:
		t.Error("the server was dialled")
	default:
	}
	p.Lift()
	got := make([]byte, 5)
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello" {
		t.Errorf("after lifting: %q, %v", got, err)
	}
}

func TestTooManyConnections(t *testing.T) {
	p, r := through(t, serve(t, echo), faultproxy.AtMost(2, faultproxy.TooManyConnections()))
	first, second := dial(t, r), dial(t, r)
	for _, conn := range []*net.TCPConn{first, second} {
		_, _ = conn.Write([]byte("x"))
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	third := dial(t, r)
	text, err := io.ReadAll(third)
	if err != nil || !strings.HasPrefix(string(text), "421 ") {
		t.Errorf("third connection: %q, %v", text, err)
	}
	// The third one is still there and takes no place.
	_ = first.Close()
	eventually(t, "a place is free", func() bool { return p.Stats().Live == 2 })
	conn := dial(t, r)
	_, _ = conn.Write([]byte("x"))
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Errorf("after one left: %v", err)
	}
	_ = third.Close()
}

func TestGarbage(t *testing.T) {
	data := []byte(strings.Repeat("line one\r\nline two\r\n", 10_000))
	const at, length = 70_005, 40_000
	_, r := through(t, serve(t, func(conn *net.TCPConn) { _, _ = conn.Write(data) }),
		faultproxy.Always(faultproxy.GarbageAt(faultproxy.Down, at, length)))
	got, err := io.ReadAll(dial(t, r))
	if err != nil || len(got) != len(data) {
		t.Fatalf("%d bytes, %v; want %d", len(got), err, len(data))
	}
	for i := range data {
		lineEnd := data[i] == '\r' || data[i] == '\n'
		within := i >= at && i < at+length
		if (got[i] != data[i]) != (within && !lineEnd) {
			t.Fatalf("byte %d: sent %q, got %q", i, data[i], got[i])
		}
	}
}

func TestShort(t *testing.T) {
	_, r := through(t, serve(t, digest),
		faultproxy.Always(faultproxy.Fault{Kind: faultproxy.Short, Dir: faultproxy.Up, Len: 3}))
	if got := upload(t, dial(t, r), pattern(10_000)); len(got) != 32 {
		t.Errorf("answer of %d bytes", len(got))
	}
}

// lines answers each line with "ok" and the line, and reports it.
func lines(seen chan<- string) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		buf := make([]byte, 100)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			seen <- string(buf[:n])
			_, _ = conn.Write(append([]byte("ok "), buf[:n]...))
		}
	}
}

func ask(t *testing.T, conn net.Conn, line string) (string, error) {
	t.Helper()
	if _, err := io.WriteString(conn, line); err != nil {
		return "", err
	}
	buf := make([]byte, 100)
	n, err := conn.Read(buf)
	return string(buf[:n]), err
}

func TestLoseReply(t *testing.T) {
	seen := make(chan string, 10)
	p, r := through(t, serve(t, lines(seen)), faultproxy.Always(faultproxy.LoseReplyAfter(2, faultproxy.Reset)))
	conn := dial(t, r)
	for _, line := range []string{"a\n", "b\n"} {
		if got, err := ask(t, conn, line); err != nil || got != "ok "+line {
			t.Fatalf("%q: %q, %v", line, got, err)
		}
		within(t, seen)
	}
	if got, err := ask(t, conn, "c\n"); !isReset(err) {
		t.Errorf("the lost reply: %q, %v; want a reset", got, err)
	}
	if got := within(t, seen); got != "c\n" {
		t.Errorf("server saw %q", got)
	}
	if s := p.Stats(); s.RepliesLost != 1 || s.Dropped != 5 {
		t.Errorf("stats = %+v", s)
	}

	r.SetPlan(faultproxy.Always(faultproxy.Fault{
		Kind: faultproxy.LoseReply, Then: faultproxy.Stall, Dir: faultproxy.Down, When: faultproxy.When{Chunks: 1},
	}))
	conn = dial(t, r)
	if got, err := ask(t, conn, "d\n"); err != nil || got != "ok d\n" {
		t.Errorf("before the fault: %q, %v", got, err)
	}
	_, _ = io.WriteString(conn, "e\n")
	if !silent(conn) {
		t.Error("the reply came, or the end")
	}
}

func TestCut(t *testing.T) {
	p := newProxy(t, faultproxy.Options{})
	target := serve(t, echo)
	control := newRoute(t, p, faultproxy.RouteOptions{Role: faultproxy.Control, Target: target})
	data := newRoute(t, p, faultproxy.RouteOptions{Role: faultproxy.Data, Target: target})
	a, b := dial(t, control), dial(t, data)
	for _, conn := range []*net.TCPConn{a, b} {
		if got, err := ask(t, conn, "x"); err != nil || got != "x" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if n := p.Cut(faultproxy.Reset, faultproxy.Control); n != 1 {
		t.Errorf("cut %d connections, want 1", n)
	}
	if _, err := a.Read(make([]byte, 1)); !isReset(err) {
		t.Errorf("control: %v, want a reset", err)
	}
	if n := p.Cut(faultproxy.Stall); n == 0 {
		t.Error("nothing to stall")
	}
	_, _ = io.WriteString(b, "y")
	if !silent(b) {
		t.Error("the stalled connection speaks")
	}
	p.Lift()
	if _, err := io.ReadFull(b, make([]byte, 1)); err != nil {
		t.Error(err)
	}
	p.Cut(faultproxy.FIN, faultproxy.Data)
	if _, err := b.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("data: %v, want EOF", err)
	}
}

// Closing must not wait for what is stalled, held or half closed.
func TestCloseEndsEverything(t *testing.T) {
	p, r := through(t, serve(t, echo), nil)
	var conns []*net.TCPConn
	for _, fault := range []faultproxy.Fault{
		{}, faultproxy.BlackHoled(), {Kind: faultproxy.Stall}, {Kind: faultproxy.FIN},
		{Kind: faultproxy.Reset, Sides: faultproxy.ServerSide},
	} {
		r.SetPlan(faultproxy.Always(fault))
		conn := dial(t, r)
		_, _ = conn.Write([]byte("x"))
		conns = append(conns, conn)
	}
	eventually(t, "all are there", func() bool { return p.Stats().Conns == int64(len(conns)) })
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	for i, conn := range conns {
		if _, err := io.Copy(io.Discard, conn); err != nil && !isReset(err) {
			t.Errorf("connection %d: %v, want its end", i, err)
		}
	}
	if _, err := p.Route(faultproxy.RouteOptions{Target: "127.0.0.1:1"}); err == nil {
		t.Error("a route on a closed proxy")
	}
	if _, _, ok := p.PassivePorts(faultproxy.PassiveOptions{}).FetchNext(); ok {
		t.Error("ports of a closed proxy")
	}
}
