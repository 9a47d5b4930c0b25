package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

const stall = 20 * time.Second

// pipeWire returns a wire and its peer.
func pipeWire(t *testing.T) (*Wire, net.Conn) {
	t.Helper()
	a, b := net.Pipe()
	w := New(a, stall)
	t.Cleanup(func() { w.Abort(); b.Close() })
	return w, b
}

// hang reads until the wire is closed and returns why and after how long.
func hang(r io.Reader) (time.Duration, error) {
	begin := time.Now()
	buf := make([]byte, 100)
	for {
		if _, err := r.Read(buf); err != nil {
			return time.Since(begin), err
		}
	}
}

// feed writes n bytes every interval, times times, and then stays silent.
func feed(w io.Writer, n int, interval time.Duration, times int) {
	for range times {
		time.Sleep(interval)
		if _, err := w.Write(make([]byte, n)); err != nil {
			return
		}
	}
}

func TestOpStallsWhenSilent(t *testing.T) {
	// The last byte arrives at any phase of the watchdog's looks.
	for _, last := range []time.Duration{0, time.Millisecond, 2500 * time.Millisecond, stall / 4, stall/4 + 1, 19 * time.Second} {
		for _, limit := range []time.Duration{stall, 10*time.Second + 3, 7 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				if last >= limit {
					return
				}
				control, _ := pipeWire(t)
				data, peer := pipeWire(t)
				op := StartOp(t.Context(), Watch{Stall: limit}, control)
				op.Attach(data)
				if last > 0 {
					go feed(peer, 1, last, 1)
				}
				after, err := hang(data)
				silence := after - last
				if silence < limit || silence > limit+limit/4+5 {
					t.Errorf("limit %v, last byte at %v: ended after %v of silence", limit, last, silence)
				}
				if !op.Stalled() || !errors.Is(context.Cause(op.Context()), transport.ErrStalled) {
					t.Error("the operation does not know that it stalled")
				}
				err = op.End(err)
				if !errors.Is(err, transport.ErrStalled) || !errors.Is(err, io.ErrClosedPipe) || transport.KindOf(err) != transport.KindStalled {
					t.Errorf("End says %v (%q)", err, transport.KindOf(err))
				}
				if _, err := control.Read(make([]byte, 1)); err == nil {
					t.Error("the control connection is still open")
				}
			})
		}
	}
}

func TestOpFedByAnyWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		control, _ := pipeWire(t)
		data, peer := pipeWire(t)
		op := StartOp(t.Context(), Watch{Stall: stall}, control, data)
		go feed(peer, 1, stall-time.Second, 100) // a slow line, the control connection silent
		after, err := hang(data)
		if want := 100 * (stall - time.Second); after < want+stall || after > want+stall+stall/4 {
			t.Errorf("ended after %v: %v", after, op.End(err))
		}
		op.End(err)
	})
}

func TestOpFedByWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data, peer := pipeWire(t)
		op := StartOp(t.Context(), Watch{Stall: stall}, data)
		go func() {
			buf := make([]byte, 1)
			for range 50 {
				time.Sleep(stall - time.Second)
				_, _ = peer.Read(buf)
			}
		}()
		for i := range 50 {
			if _, err := data.Write([]byte{1}); err != nil {
				t.Fatalf("write %d: %v", i, op.End(err))
			}
		}
		if err := op.End(nil); err != nil {
			t.Error(err)
		}
	})
}

func TestOpNeverStallsWithoutALimit(t *testing.T) {
	for _, limit := range []time.Duration{0, -1} {
		synctest.Test(t, func(t *testing.T) {
			data, _ := pipeWire(t)
			ctx, cancel := context.WithTimeout(t.Context(), 1000*time.Hour)
			defer cancel()
			op := StartOp(ctx, Watch{Stall: limit, MinRate: 1}, data)
			after, err := hang(data)
			if after != 1000*time.Hour || op.Stalled() {
				t.Errorf("ended after %v: %v", after, err)
			}
			if err := op.End(err); !errors.Is(err, context.DeadlineExceeded) || transport.KindOf(err) != transport.KindCanceled {
				t.Error(err)
			}
		})
	}
}

type slow struct {
	nap  time.Duration
	left int
}

func (s *slow) Read(p []byte) (int, error) {
	time.Sleep(s.nap)
	if s.left == 0 {
		return 0, io.EOF
	}
	s.left--
	p[0] = 'x'
	return 1, nil
}

func (s *slow) Write(p []byte) (int, error) { time.Sleep(s.nap); return len(p), nil }

func TestOpSlowSourceAndDestinationAreNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data, peer := pipeWire(t)
		// A watchdog that never wakes again would look on for ever.
		ctx, cancel := context.WithTimeout(t.Context(), 100*stall)
		defer cancel()
		op := StartOp(ctx, Watch{Stall: stall, MinRate: 1 << 20}, data)
		go func() { _, _ = io.Copy(io.Discard, peer) }()
		src := op.Reader(&slow{nap: 5 * stall, left: 3})
		if n, err := CopyBuffer(data, src, make([]byte, 10), nil); n != 3 || err != nil {
			t.Errorf("slow source: %d, %v", n, op.End(err))
		}
		if _, err := op.Writer(&slow{nap: 5 * stall}).Write([]byte("x")); err != nil {
			t.Errorf("slow destination: %v", err)
		}
		if op.Stalled() {
			t.Error("stalled")
		}
		// Once the source has answered, silence of the line counts again.
		after, err := hang(data)
		if err := op.End(err); !errors.Is(err, transport.ErrStalled) || after < stall*3/4 || after > stall+stall/4 {
			t.Errorf("after %v: %v", after, err)
		}
	})
}

func TestOpCancelClosesEveryWire(t *testing.T) {
	why := errors.New("the program ends")
	for name, cause := range map[string]error{"plain": nil, "with a cause": why} {
		synctest.Test(t, func(t *testing.T) {
			control, _ := pipeWire(t)
			data, peer := pipeWire(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			op := StartOp(ctx, Watch{Stall: stall}, control)
			op.Attach(data)
			go func() { time.Sleep(time.Second); cancel(cause) }()
			ended := make(chan error, 2)
			go func() { _, err := hang(control); ended <- err }()
			go func() { _, err := data.Write(make([]byte, 100)); ended <- err }()
			begin := time.Now()
			err := <-ended
			<-ended
			if d := time.Since(begin); d != time.Second {
				t.Errorf("%s: ended after %v", name, d)
			}
			if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("%s: the peer sees %v", name, err)
			}
			err = op.End(err)
			if !errors.Is(err, context.Canceled) || transport.KindOf(err) != transport.KindCanceled || op.Stalled() {
				t.Errorf("%s: End says %v (%q)", name, err, transport.KindOf(err))
			}
			if cause != nil && !errors.Is(err, cause) {
				t.Errorf("%s: End hides the cause: %v", name, err)
			}
			if n := strings.Count(err.Error(), "context canceled"); n > 1 {
				t.Errorf("%s: End repeats itself: %v", name, err)
			}
		})
	}
}

func TestOpSuccessStaysOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data, _ := pipeWire(t)
		ctx, cancel := context.WithCancel(t.Context())
		op := StartOp(ctx, Watch{Stall: stall}, data)
		cancel()
		synctest.Wait()
		if err := op.End(nil); err != nil {
			t.Errorf("End(nil) after a late cancellation: %v", err)
		}
	})
}

func TestOpEndLeavesTheWireAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data, peer := pipeWire(t)
		ctx, cancel := context.WithCancel(t.Context())
		op := StartOp(ctx, Watch{Stall: stall}, data)
		if err := op.End(io.EOF); err != io.EOF {
			t.Errorf("End changes an error that has nothing to do with it: %v", err)
		}
		if op.Context().Err() == nil {
			t.Error("the operation's context outlives it")
		}
		cancel()
		go feed(peer, 1, 10*stall, 1)
		if n, err := data.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("the wire was closed after the end: %v", err)
		}
		if err := op.End(nil); err != nil {
			t.Errorf("a second End: %v", err)
		}
	})
}

func TestOpAttachAfterAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		op := StartOp(ctx, Watch{Stall: stall})
		cancel()
		data, _ := pipeWire(t)
		op.Attach(data)
		if after, err := hang(data); after != 0 || err == nil {
			t.Errorf("closed after %v: %v", after, err)
		}
		op.End(context.Canceled)
	})
	synctest.Test(t, func(t *testing.T) {
		op := StartOp(t.Context(), Watch{Stall: stall}) // no wire at all: nothing moves
		<-op.Context().Done()
		data, _ := pipeWire(t)
		op.Attach(data)
		if after, err := hang(data); after != 0 || !errors.Is(op.End(err), transport.ErrStalled) {
			t.Errorf("closed after %v: %v", after, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		data, _ := pipeWire(t)
		op := StartOp(ctx, Watch{Stall: stall}, data)
		if after, err := hang(data); after != 0 || transport.KindOf(op.End(err)) != transport.KindCanceled {
			t.Errorf("begun on an ended context, closed after %v: %v", after, err)
		}
	})
}

func TestOpMinRate(t *testing.T) {
	for _, tt := range []struct {
		name    string
		rate    int64
		bytes   int
		every   time.Duration
		stalled bool
	}{
		{"too slow", 100, 90, time.Second, true},
		{"far too slow", 100, 1, time.Second, true},
		{"fast enough", 100, 111, time.Second, false},
		{"in bursts", 100, 1000, 9 * time.Second, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			data, peer := pipeWire(t)
			ctx, cancel := context.WithTimeout(t.Context(), 20*stall)
			defer cancel()
			op := StartOp(ctx, Watch{Stall: stall, MinRate: tt.rate}, data)
			var fed sync.WaitGroup
			defer fed.Wait()
			fed.Go(func() { feed(peer, tt.bytes, tt.every, 1_000_000) })
			after, err := hang(data)
			if op.Stalled() != tt.stalled {
				t.Errorf("%s: stalled is %v after %v: %v", tt.name, op.Stalled(), after, err)
			}
			if tt.stalled && (after < stall || after > 2*stall) {
				t.Errorf("%s: found out after %v", tt.name, after)
			}
			op.End(err)
		})
	}
}

func TestOpMarksLocalErrors(t *testing.T) {
	op := StartOp(t.Context(), Watch{})
	defer op.End(nil)
	r, w := io.Pipe()
	r.CloseWithError(os.ErrPermission)
	_, err := op.Writer(w).Write([]byte("x"))
	var local *transport.LocalError
	if !errors.As(err, &local) || !local.Writing || !errors.Is(err, os.ErrPermission) {
		t.Errorf("destination: %v", err)
	}
	w.CloseWithError(os.ErrExist)
	_, err = op.Reader(r).Read(make([]byte, 1))
	if !errors.As(err, &local) || local.Writing {
		t.Errorf("source: %v", err)
	}
	if _, err := op.Reader(strings.NewReader("")).Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the end of the source is %v", err)
	}
	if _, err := op.Writer(shortWriter{}).Write([]byte("xy")); !errors.Is(err, io.ErrShortWrite) || transport.KindOf(err) != transport.KindLocal {
		t.Errorf("a destination that takes less without saying so: %v", err)
	}
}

type shortWriter struct{}

func (shortWriter) Write(p []byte) (int, error) { return len(p) - 1, nil }

func TestCopyBuffer(t *testing.T) {
	var moved int64
	buf := GetBuffer()
	defer PutBuffer(buf)
	if len(*buf) != 256<<10 {
		t.Errorf("a buffer of %d bytes", len(*buf))
	}
	var out strings.Builder
	n, err := CopyBuffer(&out, strings.NewReader(strings.Repeat("x", 100)), (*buf)[:7], func(n int64) { moved += n })
	if n != 100 || moved != 100 || out.Len() != 100 || err != nil {
		t.Errorf("%d bytes, %d told, %d written, %v", n, moved, out.Len(), err)
	}
	moved = 0
	n, err = CopyBuffer(shortWriter{}, strings.NewReader("abc"), *buf, func(n int64) { moved += n })
	if n != 2 || moved != 2 || !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("short write: %d, %d, %v", n, moved, err)
	}
	n, err = CopyBuffer(io.Discard, io.MultiReader(strings.NewReader("abc"), brokenReader{}), *buf, nil)
	if n != 3 || !errors.Is(err, os.ErrPermission) {
		t.Errorf("broken source: %d, %v", n, err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, os.ErrPermission }

// TestKeptAlive: with the defaults, a byte a second keeps no transfer alive, and a command
// and its reply for each of a stall time's end do.
func TestKeptAlive(t *testing.T) {
	for _, tt := range []struct {
		bytes   int
		every   time.Duration
		stalled bool
	}{{1, time.Second, true}, {60, 25 * time.Second, false}} {
		synctest.Test(t, func(t *testing.T) {
			data, peer := pipeWire(t)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			op := StartOp(ctx, WatchOf(&transport.Endpoint{}), data)
			var fed sync.WaitGroup
			defer fed.Wait()
			fed.Go(func() { feed(peer, tt.bytes, tt.every, 1_000_000) })
			after, err := hang(data)
			if op.Stalled() != tt.stalled {
				t.Errorf("%+v: stalled is %v after %v: %v", tt, op.Stalled(), after, err)
			}
			op.End(err)
		})
	}
}
