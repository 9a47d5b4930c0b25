package faultproxy_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

// exchange is a small dialogue of two questions on a fresh connection, with a
// clean end.
func exchange(t *testing.T, r *faultproxy.Route) error {
	t.Helper()
	conn, err := tryDial(t, r)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, line := range []string{"first\n", "second\n"} {
		got, err := ask(t, conn, line)
		if err != nil {
			return err
		}
		if got != "ok "+line {
			return io.ErrUnexpectedEOF
		}
	}
	if err := conn.CloseWrite(); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, conn)
	return err
}

// Every operation of the dialogue is broken in turn, until one run is whole.
func TestSweep(t *testing.T) {
	for name, fault := range faultproxy.SweepFaults() {
		if fault.Kind == faultproxy.Stall || fault.Then == faultproxy.Stall {
			continue // the client here has no short time-out
		}
		t.Run(name, func(t *testing.T) {
			seen := make(chan string, 1000)
			p, r := through(t, serve(t, lines(seen)), nil)
			broken := 0
			for op := int64(0); ; op++ {
				shot := p.Arm(faultproxy.Target{Op: op}, fault)
				err := exchange(t, r)
				eventually(t, "the connection ends", func() bool { return p.Stats().Live == 0 })
				shot.Disarm()
				if !shot.Fired() {
					if err != nil {
						t.Errorf("operation %d, unbroken: %v", op, err)
					}
					// 2 questions, 2 answers, 2 ends.
					if op != 6 || shot.Seen() != 6 {
						t.Errorf("%d operations, %d seen; want 6", op, shot.Seen())
					}
					break
				}
				if err != nil {
					broken++
				}
			}
			if broken < 3 {
				t.Errorf("%d runs were broken, want at least 3", broken)
			}
		})
	}
}

func TestShotLosesReplyOfCommand(t *testing.T) {
	seen := make(chan string, 10)
	p, r := through(t, serve(t, lines(seen)), nil)
	shot := p.Arm(faultproxy.Target{Op: 1, Dir: faultproxy.Up},
		faultproxy.Fault{Kind: faultproxy.LoseReply, Then: faultproxy.Reset})
	if err := exchange(t, r); !isReset(err) {
		t.Errorf("err = %v, want a reset", err)
	}
	if !shot.Fired() {
		t.Error("not fired")
	}
	for _, want := range []string{"first\n", "second\n"} {
		if got := within(t, seen); got != want {
			t.Errorf("server saw %q, want %q", got, want)
		}
	}
}

func TestShotParts(t *testing.T) {
	got, ended := make(chan []byte, 1), make(chan error, 1)
	p, r := through(t, serve(t, listener(got, ended)), nil)
	p.Arm(faultproxy.Target{}, faultproxy.Fault{Kind: faultproxy.FIN, Part: 0.5})
	conn := dial(t, r)
	_, _ = conn.Write([]byte("12345678"))
	if data := within(t, got); string(data) != "1234" {
		t.Errorf("server got %q, want half", data)
	}
	if err := within(t, ended); err != nil {
		t.Error(err)
	}
}

func TestShotTargets(t *testing.T) {
	p := newProxy(t, faultproxy.Options{})
	target := serve(t, lines(make(chan string, 100)))
	control := newRoute(t, p, faultproxy.RouteOptions{Role: faultproxy.Control, Target: target})
	data := newRoute(t, p, faultproxy.RouteOptions{Role: faultproxy.Data, Target: target})

	// The second connection that is opened with role Data, and no other.
	shot := p.Arm(faultproxy.Target{Op: 7, Roles: []faultproxy.Role{faultproxy.Data}, Opens: true},
		faultproxy.Refused())
	for i, r := range []*faultproxy.Route{control, data, control} {
		if err := exchange(t, r); err != nil {
			t.Errorf("connection %d: %v", i, err)
		}
		eventually(t, "the connection ends", func() bool { return p.Stats().Live == 0 })
	}
	if err := exchange(t, data); !isReset(err) || !shot.Fired() {
		t.Errorf("second data connection: %v, fired %v", err, shot.Fired())
	}
	shot.Disarm()
	shot.Disarm()
	if err := exchange(t, data); err != nil {
		t.Errorf("disarmed: %v", err)
	}
}

// Two shots: the first connection loses its first operation, the next one its own.
func TestPairOfShots(t *testing.T) {
	p, r := through(t, serve(t, lines(make(chan string, 100))), nil)
	a := p.Arm(faultproxy.Target{Op: 0}, faultproxy.Fault{Kind: faultproxy.Reset})
	b := p.Arm(faultproxy.Target{Op: 3}, faultproxy.Fault{Kind: faultproxy.Reset})
	for range 2 {
		if err := exchange(t, r); !isReset(err) {
			t.Errorf("err = %v, want a reset", err)
		}
	}
	if !a.Fired() || !b.Fired() {
		t.Errorf("fired: %v, %v", a.Fired(), b.Fired())
	}
	if err := exchange(t, r); err != nil {
		t.Errorf("third run: %v", err)
	}
}

// A connection that is being copied in the kernel has to obey like any other.
func TestShotHitsBulkTransfer(t *testing.T) {
	start := make(chan struct{})
	p, r := through(t, serve(t, func(conn *net.TCPConn) {
		_, _ = conn.Write(pattern(4 << 20))
		<-start
		_, _ = conn.Write(make([]byte, 64<<20))
	}), nil)
	conn := dial(t, r)
	got := make([]byte, 4<<20)
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, pattern(4<<20)) {
		t.Fatal(err)
	}
	shot := p.Arm(faultproxy.Target{Op: 2}, faultproxy.Fault{Kind: faultproxy.Reset})
	close(start)
	n, err := io.Copy(io.Discard, conn)
	if !isReset(err) || !shot.Fired() {
		t.Errorf("err = %v, fired %v", err, shot.Fired())
	}
	if n > 8<<20 {
		t.Errorf("%d bytes came through after arming", n)
	}
}

// Stalling and lifting a bulk transfer loses nothing.
func TestStallBulkTransfer(t *testing.T) {
	p, r := through(t, serve(t, digest), nil)
	conn := dial(t, r)
	data := pattern(24 << 20)
	want := sha256.Sum256(data)
	sum := make(chan []byte, 1)
	go func() { sum <- upload(t, conn, data) }()
	for range 5 {
		before := p.Stats().Up
		eventually(t, "it moves", func() bool { s := p.Stats(); return s.Up > before || s.Live == 0 })
		p.Cut(faultproxy.Stall)
		p.Lift()
	}
	if got := within(t, sum); !bytes.Equal(got, want[:]) {
		t.Error("the bytes changed on the way")
	}
}
