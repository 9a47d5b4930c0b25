package faultproxy_test

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

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
