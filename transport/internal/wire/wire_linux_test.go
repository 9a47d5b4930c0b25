package wire

import (
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// rise waits until progress has passed before.
func rise(t *testing.T, w *Wire, before int64) int64 {
	t.Helper()
	for end := time.Now().Add(waitLimit); time.Now().Before(end); runtime.Gosched() {
		if n := w.progress(); n > before {
			return n
		} else if n < before {
			t.Fatalf("progress fell from %d to %d", before, n)
		}
	}
	t.Fatalf("progress stays at %d although the peer reads", before)
	return 0
}

// One long Write to a peer that reads slowly is progress, although Write has
// not returned and nothing has been counted yet.
func TestWireDrainIsProgress(t *testing.T) {
	const size = 64 << 20
	w, peer := tcpWire(t)
	_ = w.tcp.SetWriteBuffer(256 << 10)
	_ = peer.SetReadBuffer(256 << 10)
	done := make(chan error, 1)
	go func() { _, err := w.Write(make([]byte, size)); done <- err }()
	buf := make([]byte, 1<<20)
	n := rise(t, w, 0)
	for range 20 {
		if _, err := io.ReadFull(peer, buf); err != nil {
			t.Fatal(err)
		}
		n = rise(t, w, n)
	}
	if w.written.Load() != 0 {
		t.Fatal("the Write has returned: this test shows nothing")
	}
	if n > 24<<20 {
		t.Errorf("progress of %d bytes, the peer read 20 MiB", n)
	}
	w.Abort()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if after := w.progress(); after < n {
		t.Errorf("closing takes progress back from %d to %d", n, after)
	}
}

// Where the kernel does not count what was acknowledged, what it still holds
// tells.
func TestWireUnacknowledged(t *testing.T) {
	w, peer := tcpWire(t)
	_ = peer.SetReadBuffer(64 << 10)
	go func() { _, _ = w.Write(make([]byte, 64<<20)) }()
	wait := func(what string, ok func() bool) {
		for end := time.Now().Add(waitLimit); !ok(); runtime.Gosched() {
			if time.Now().After(end) {
				t.Fatalf("%s: %d bytes unacknowledged", what, unacknowledged(w.tcp))
			}
		}
	}
	wait("nobody reads", func() bool { return unacknowledged(w.tcp) > 0 })
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	wait("the peer has read all", func() bool { return w.written.Load() == 64<<20 && unacknowledged(w.tcp) == 0 })
}

// Bytes that only fill the kernel's buffer are none.
func TestWireFullBufferIsNoProgress(t *testing.T) {
	w, _ := tcpWire(t)
	done := make(chan struct{})
	go func() { defer close(done); _, _ = w.Write(make([]byte, 64<<20)) }()
	// Nobody reads: progress ends where the peer's window does.
	last, since := int64(-1), time.Now()
	for end := time.Now().Add(waitLimit); time.Since(since) < 300*time.Millisecond && time.Now().Before(end); runtime.Gosched() {
		if n := w.progress(); n != last {
			last, since = n, time.Now()
		}
	}
	if time.Since(since) < 300*time.Millisecond {
		t.Errorf("progress goes on to %d although nobody reads", last)
	}
	w.Abort()
	<-done
}

// Delivered tells a silent peer from one that is gone.
func TestWireDelivered(t *testing.T) {
	w, peer := tcpWire(t)
	_ = peer.SetReadBuffer(64 << 10)
	if _, err := w.Write([]byte("STOR f\r\n")); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(waitLimit); !w.Delivered(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("a few bytes are not acknowledged")
		}
	}
	go func() { _, _ = w.Write(make([]byte, 64<<20)) }()
	for end := time.Now().Add(waitLimit); w.Delivered(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("64 MiB are delivered although nobody reads")
		}
	}
	w.Abort()
}

func TestWireSocketOptions(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for stall, want := range map[time.Duration]int{7 * time.Second: 7000, 0: int(transport.DefaultStall.Milliseconds()), -1: int(transport.DefaultStall.Milliseconds())} {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		w := New(c, stall)
		raw, err := w.tcp.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var user, keep int
		_ = raw.Control(func(fd uintptr) {
			user, _ = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
			keep, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE)
		})
		if user != want || keep != 1 {
			t.Errorf("stall %v: TCP_USER_TIMEOUT %d ms, SO_KEEPALIVE %d", stall, user, keep)
		}
		w.Close()
	}
}
