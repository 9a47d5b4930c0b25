package faultproxy_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

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
	// The server has sent all when the last of it still lies before the proxy.
	eventually(t, "all that was left is dropped", func() bool { return p.Stats().Dropped == 1<<20-at })
	if s := p.Stats(); s.FINs != 1 {
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
