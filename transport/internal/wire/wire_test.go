package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// waitLimit bounds what should happen at once.
const waitLimit = 10 * time.Second

// tcpWire returns a wire over loopback and its peer.
func tcpWire(t testing.TB) (*Wire, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w, err := Dial(t.Context(), &transport.Endpoint{Stall: time.Hour}, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Abort(); peer.Close() })
	return w, peer.(*net.TCPConn)
}

func fileWith(t testing.TB, content []byte) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

// receive collects what the peer gets until the end.
func receive(peer net.Conn) <-chan []byte {
	got := make(chan []byte, 1)
	go func() { b, _ := io.ReadAll(peer); got <- b }()
	return got
}

func TestWireReadFrom(t *testing.T) {
	const size = 9<<20 + 12345 // more than one chunk of every size
	content := pattern(size)
	type plain struct{ io.Reader }
	for _, tt := range []struct {
		name   string
		source func(f *os.File) (io.Reader, *io.LimitedReader)
		from   int64
		want   int64
		left   int64
	}{
		{"file", func(f *os.File) (io.Reader, *io.LimitedReader) { return f, nil }, 0, size, 0},
		{"file from an offset", func(f *os.File) (io.Reader, *io.LimitedReader) { return f, nil }, 1000, size - 1000, 0},
		{"limited file", func(f *os.File) (io.Reader, *io.LimitedReader) {
			l := &io.LimitedReader{R: f, N: 5<<20 + 1}
			return l, l
		}, 7, 5<<20 + 1, 0},
		{"limit of one chunk", func(f *os.File) (io.Reader, *io.LimitedReader) {
			l := &io.LimitedReader{R: f, N: minChunk}
			return l, l
		}, 0, minChunk, 0},
		{"file shorter than its limit", func(f *os.File) (io.Reader, *io.LimitedReader) {
			l := &io.LimitedReader{R: f, N: size + 100}
			return l, l
		}, 0, size, 100},
		{"limit of nothing", func(f *os.File) (io.Reader, *io.LimitedReader) {
			l := &io.LimitedReader{R: f, N: 0}
			return l, l
		}, 0, 0, 0},
		{"file at its end", func(f *os.File) (io.Reader, *io.LimitedReader) { return f, nil }, size, 0, 0},
		{"reader", func(f *os.File) (io.Reader, *io.LimitedReader) { return plain{f}, nil }, 0, size, 0},
		{"limited reader", func(f *os.File) (io.Reader, *io.LimitedReader) {
			l := &io.LimitedReader{R: plain{f}, N: 300_000}
			return l, l
		}, 0, 300_000, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, peer := tcpWire(t)
			f := fileWith(t, content)
			if _, err := f.Seek(tt.from, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			var told, calls int64
			w.OnWrite = func(n int64) { told += n; calls++ }
			got := receive(peer)
			src, limit := tt.source(f)
			n, err := w.ReadFrom(src)
			if n != tt.want || err != nil {
				t.Errorf("ReadFrom = %d, %v, want %d", n, err, tt.want)
			}
			if told != n || w.written.Load() != n {
				t.Errorf("%d sent, OnWrite told of %d, BytesWritten %d", n, told, w.written.Load())
			}
			if tt.want > 4<<20 && calls < 4 {
				t.Errorf("%d bytes were told of in %d calls", tt.want, calls)
			}
			if limit != nil && limit.N != tt.left {
				t.Errorf("limit.N = %d, want %d", limit.N, tt.left)
			}
			if pos, _ := f.Seek(0, io.SeekCurrent); pos != tt.from+tt.want {
				t.Errorf("the file is at %d, want %d", pos, tt.from+tt.want)
			}
			if err := w.CloseWrite(); err != nil {
				t.Error(err)
			}
			if !bytes.Equal(<-got, content[tt.from:tt.from+tt.want]) {
				t.Error("the peer got something else")
			}
		})
	}
}

func TestWireReadFromSourceFails(t *testing.T) {
	closed := fileWith(t, pattern(100))
	closed.Close()
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	unreadable, err := os.OpenFile(filepath.Join(t.TempDir(), "f"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer unreadable.Close()
	if _, err := unreadable.Write(pattern(100)); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]*os.File{"closed": closed, "a folder": dir, "open for writing": unreadable} {
		for _, src := range []io.Reader{f, &io.LimitedReader{R: f, N: 50}} {
			w, peer := tcpWire(t)
			got := receive(peer)
			n, err := w.ReadFrom(src)
			var local *transport.LocalError
			if n != 0 || !errors.As(err, &local) || local.Writing || transport.KindOf(err) != transport.KindLocal {
				t.Errorf("%s as %T: %d, %v (%q)", name, src, n, err, transport.KindOf(err))
			}
			w.Abort()
			if b := <-got; len(b) != 0 {
				t.Errorf("%s: the peer got %d bytes", name, len(b))
			}
		}
	}
}

func TestWireReadFromLineFails(t *testing.T) {
	w, peer := tcpWire(t)
	f := fileWith(t, pattern(32<<20))
	_ = peer.SetLinger(0)
	go func() { _, _ = io.ReadFull(peer, make([]byte, 1<<20)); peer.Close() }()
	limit := &io.LimitedReader{R: f, N: 32 << 20}
	n, err := w.ReadFrom(limit)
	var local *transport.LocalError
	if err == nil || errors.As(err, &local) || transport.KindOf(err) != transport.KindLost {
		t.Errorf("after %d bytes: %v (%q)", n, err, transport.KindOf(err))
	}
	if limit.N != 32<<20-n || w.written.Load() != n {
		t.Errorf("%d sent, limit.N %d, BytesWritten %d", n, limit.N, w.written.Load())
	}
}

func TestWireReadFromWithoutTCP(t *testing.T) {
	a, b := net.Pipe()
	w := New(a, 0)
	got := receive(b)
	f := fileWith(t, pattern(700_000))
	if n, err := w.ReadFrom(f); n != 700_000 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if err := w.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("CloseWrite on a pipe: %v", err)
	}
	w.Close()
	if !bytes.Equal(<-got, pattern(700_000)) {
		t.Error("the peer got something else")
	}
	b.Close()
}

// A copy through the program would allocate a buffer for each chunk; sendfile
// needs none.
func TestWireReadFromCopiesNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("sendfile is looked at on Linux")
	}
	const mib = 64
	w, peer := tcpWire(t)
	f := fileWith(t, make([]byte, mib<<20))
	buf := make([]byte, 1<<20)
	drained := make(chan int64)
	go func() {
		var n int64
		for {
			m, err := peer.Read(buf)
			if n += int64(m); err != nil {
				drained <- n
				return
			}
		}
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, err := w.ReadFrom(&io.LimitedReader{R: f, N: mib << 20})
	runtime.ReadMemStats(&after)
	if n != mib<<20 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	w.Abort()
	if got := <-drained; got != n {
		t.Errorf("the peer got %d of %d bytes", got, n)
	}
	mallocs, size := after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	t.Logf("%d MiB: %d allocations, %d bytes", mib, mallocs, size)
	if mallocs > 4*mib || size > 32<<10 {
		t.Errorf("%d MiB took %d allocations of %d bytes: they are copied", mib, mallocs, size)
	}
}

func TestWireResetIsOne(t *testing.T) {
	w, peer := tcpWire(t)
	if _, err := w.Write(pattern(100)); err != nil {
		t.Fatal(err)
	}
	w.Reset()
	_ = peer.SetDeadline(time.Now().Add(waitLimit))
	_, err := io.Copy(io.Discard, peer)
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the peer sees %v", err)
	}
	w.Reset()
	if err := w.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

func TestWireAbortIsNoReset(t *testing.T) {
	w, peer := tcpWire(t)
	got := receive(peer)
	if _, err := w.Write(pattern(100_000)); err != nil {
		t.Fatal(err)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	if n := len(<-got); n != 100_000 {
		t.Errorf("%d of 100000 bytes got through", n)
	}
}

func TestWireAbortFreesWhatHangs(t *testing.T) {
	for name, hang := range map[string]func(*Wire) error{
		"read": func(w *Wire) error { _, err := w.Read(make([]byte, 1)); return err },
		"write": func(w *Wire) error {
			for {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return err
				}
			}
		},
		"sendfile": func(w *Wire) error {
			f, err := os.Open(os.Args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			for {
				if _, err := w.ReadFrom(f); err != nil {
					return err
				}
				_, _ = f.Seek(0, io.SeekStart)
			}
		},
	} {
		for end, cut := range map[string]func(*Wire){"Abort": func(w *Wire) { w.Abort() }, "Reset": (*Wire).Reset} {
			w, _ := tcpWire(t)
			done := make(chan error, 1)
			go func() { done <- hang(w) }()
			for name != "read" && w.written.Load() == 0 {
				runtime.Gosched()
			}
			cut(w)
			select {
			case err := <-done:
				if !errors.Is(err, net.ErrClosed) || transport.KindOf(err) != transport.KindLost {
					t.Errorf("%s ends a %s with %v", end, name, err)
				}
			case <-time.After(waitLimit):
				t.Fatalf("%s does not free a %s", end, name)
			}
		}
	}
}

func TestOpCancelFreesTCP(t *testing.T) {
	w, _ := tcpWire(t)
	ctx, cancel := context.WithCancel(t.Context())
	op := StartOp(ctx, Watch{Stall: time.Hour}, w)
	done := make(chan error, 1)
	go func() { _, err := w.Read(make([]byte, 1)); done <- err }()
	cancel()
	select {
	case err := <-done:
		if err := op.End(err); transport.KindOf(err) != transport.KindCanceled {
			t.Error(err)
		}
	case <-time.After(waitLimit):
		t.Fatal("the read hangs")
	}
}

func TestWireCounts(t *testing.T) {
	answers := 0
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w, err := Dial(t.Context(), &transport.Endpoint{Answered: func() { answers++ }}, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if answers != 0 {
		t.Error("something was seen before anything arrived")
	}
	if _, err := io.Copy(peer, strings.NewReader("hello")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(w, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("four")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(peer, make([]byte, 4)); err != nil { // unread bytes would turn the close into a reset
		t.Fatal(err)
	}
	peer.Close()
	if _, err := io.ReadAll(w); err != nil {
		t.Fatal(err)
	}
	if w.BytesRead() != 5 || w.written.Load() != 4 || answers != 1 {
		t.Errorf("read %d, written %d, answers %d", w.BytesRead(), w.written.Load(), answers)
	}
}

func TestDialWireUsesTheEndpointsDial(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	ep := &transport.Endpoint{Dial: func(_ context.Context, network, address string) (net.Conn, error) {
		if network != "tcp" || address != "h:1" {
			t.Errorf("dialled %s %s", network, address)
		}
		return a, nil
	}}
	w, err := Dial(t.Context(), ep, "h:1")
	if err != nil {
		t.Fatal(err)
	}
	if w.Conn != a {
		t.Error("another connection came back")
	}
	w.Close()
	broken := errors.New("no tunnel")
	ep.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, broken }
	if _, err := Dial(t.Context(), ep, "h:1"); !errors.Is(err, broken) {
		t.Error(err)
	}
}
