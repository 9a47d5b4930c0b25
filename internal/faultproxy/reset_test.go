package faultproxy_test

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

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
