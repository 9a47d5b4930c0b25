package faultproxy_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

// digest answers with the hash of all it got, once the client has closed its
// direction: without half-close there would be no answer.
func digest(conn *net.TCPConn) {
	h := sha256.New()
	if _, err := io.Copy(h, conn); err == nil {
		_, _ = conn.Write(h.Sum(nil))
	}
}

func upload(t *testing.T, conn *net.TCPConn, data []byte) []byte {
	t.Helper()
	if _, err := conn.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	sum, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestPassThrough(t *testing.T) {
	data := pattern(5<<20 + 123)
	want := sha256.Sum256(data)
	for name, opts := range map[string]faultproxy.Options{
		"fast":    {},
		"delayed": {Shape: faultproxy.Shape{UpDelay: 2 * time.Millisecond, DownDelay: time.Millisecond}},
		"pieces":  {Shape: faultproxy.Shape{Chunk: 1000}},
		"rated":   {Shape: faultproxy.Shape{UpRate: 100 << 20}, DownRate: 100 << 20},
		"tight":   {Shape: faultproxy.Shape{UpDelay: time.Millisecond, Queue: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, opts)
			r := newRoute(t, p, faultproxy.RouteOptions{Role: faultproxy.Data, Target: serve(t, digest)})
			if got := upload(t, dial(t, r), data); !bytes.Equal(got, want[:]) {
				t.Errorf("the server got something else: %x", got)
			}
			eventually(t, "the connection ends", func() bool { return p.Stats().Live == 0 })
			s := p.Stats(faultproxy.Data)
			if s.Conns != 1 || s.Up != int64(len(data)) || s.Down != sha256.Size || s.Dropped != 0 {
				t.Errorf("stats = %+v", s)
			}
			if s := p.Stats(faultproxy.Control); s.Conns != 0 || s.Up != 0 {
				t.Errorf("stats of another role = %+v", s)
			}
			conns := p.Conns()
			if len(conns) != 1 || !conns[0].Ended || conns[0].Up != int64(len(data)) || conns[0].Fault != faultproxy.None {
				t.Errorf("conns = %+v", conns)
			}
		})
	}
}

// Both directions at once, many connections, and the echo comes back whole.
func TestPassThroughConcurrent(t *testing.T) {
	p, r := through(t, serve(t, echo), nil)
	data := pattern(1 << 20)
	errs := make(chan error, 8)
	for range cap(errs) {
		conn := dial(t, r)
		go func() {
			_, err := conn.Write(data)
			if err == nil {
				err = conn.CloseWrite()
			}
			errs <- err
		}()
		go func() {
			got, err := io.ReadAll(conn)
			if err == nil && !bytes.Equal(got, data) {
				t.Errorf("%d bytes came back, and not the ones that went", len(got))
			}
			errs <- err
		}()
	}
	for range 2 * cap(errs) {
		if err := within(t, errs); err != nil {
			t.Error(err)
		}
	}
	if s := p.Stats(); s.Up != s.Down || s.Up != int64(cap(errs)*len(data)) {
		t.Errorf("stats = %+v", s)
	}
}

// A server that resets is a reset to the client, and the other way round.
func TestResetPassesThrough(t *testing.T) {
	gone := make(chan error, 1)
	_, r := through(t, serve(t, func(conn *net.TCPConn) {
		buf := make([]byte, 1)
		_, _ = io.ReadFull(conn, buf)
		if buf[0] == 'r' {
			_ = conn.SetLinger(0)
			return
		}
		_, err := conn.Read(buf)
		gone <- err
	}), nil)

	conn := dial(t, r)
	_, _ = conn.Write([]byte("r"))
	if _, err := conn.Read(make([]byte, 1)); !isReset(err) {
		t.Errorf("client sees %v, want a reset", err)
	}
	conn = dial(t, r)
	_, _ = conn.Write([]byte("w"))
	_ = conn.SetLinger(0)
	_ = conn.Close()
	if err := within(t, gone); !isReset(err) {
		t.Errorf("server sees %v, want a reset", err)
	}
}

func TestServerUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target := l.Addr().String()
	_ = l.Close()
	p, r := through(t, target, nil)
	if err := firstRead(t, r); !isReset(err) {
		t.Errorf("client sees %v, want a reset", err)
	}
	if s := p.Stats(); s.DialErrors != 1 || s.Resets != 0 {
		t.Errorf("stats = %+v", s)
	}
}

func TestLatency(t *testing.T) {
	const delay = 30 * time.Millisecond
	p := newProxy(t, faultproxy.Options{Shape: faultproxy.Shape{UpDelay: delay, DownDelay: delay}})
	r := newRoute(t, p, faultproxy.RouteOptions{Target: serve(t, echo)})
	conn := dial(t, r)
	ping := func() time.Duration {
		start := time.Now()
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		return time.Since(start)
	}
	// The first one includes connecting: three packets and then the answer.
	if got := ping(); got < 4*delay {
		t.Errorf("first exchange took %v, want at least %v", got, 4*delay)
	}
	if got := ping(); got < 2*delay {
		t.Errorf("round trip took %v, want at least %v", got, 2*delay)
	}
	// The delay is no limit: waiting for each chunk would take 512 * 30 ms = 15 s.
	data := pattern(16 << 20)
	start := time.Now()
	go func() { _, _ = conn.Write(data) }()
	got := make([]byte, len(data))
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("delayed echo: %v", err)
	}
	if took := time.Since(start); took > 12*time.Second {
		t.Errorf("16 MiB took %v", took)
	}
}

func TestRate(t *testing.T) {
	const rate, size = 1 << 20, 300 << 10
	for name, opts := range map[string]faultproxy.Options{
		"connection": {Shape: faultproxy.Shape{UpRate: rate}},
		"line":       {UpRate: rate},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, opts)
			r := newRoute(t, p, faultproxy.RouteOptions{Target: serve(t, digest)})
			start := time.Now()
			done := make(chan struct{}, 2)
			for range 2 {
				conn := dial(t, r)
				go func() {
					upload(t, conn, pattern(size))
					done <- struct{}{}
				}()
			}
			within(t, done)
			within(t, done)
			// Two at once: each has its own rate, or both share one.
			want := time.Duration(size) * time.Second / rate
			if name == "line" {
				want *= 2
			}
			took := time.Since(start)
			if took < want*9/10 {
				t.Errorf("took %v, want at least %v", took, want)
			}
		})
	}
}

func BenchmarkPassThrough(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, conn); _ = conn.Close() }()
		}
	}()
	for name, plan := range map[string]faultproxy.Plan{
		"splice": nil,
		"armed":  faultproxy.ResetEvery(1 << 60),
	} {
		b.Run(name, func(b *testing.B) {
			p := faultproxy.New(faultproxy.Options{})
			defer p.Close()
			r, err := p.Route(faultproxy.RouteOptions{Role: faultproxy.Data, Target: l.Addr().String(), Plan: plan})
			if err != nil {
				b.Fatal(err)
			}
			conn, err := net.Dial("tcp", r.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			data := pattern(1 << 20)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := conn.Write(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
