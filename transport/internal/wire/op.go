package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Watch are the settings of the stall watchdog.
type Watch struct {
	// Stall is how long all sockets of an operation may be silent; zero or
	// less means for ever.
	Stall time.Duration
	// MinRate is the least number of bytes a second, over one Stall; 0 means any.
	MinRate int64
}

// WatchOf returns an endpoint's settings with defaults filled in.
func WatchOf(ep *transport.Endpoint) Watch {
	with := ep.WithDefaults()
	return Watch{Stall: with.Stall, MinRate: with.MinRate}
}

// Op is one operation of a connection while it runs: it ties a context and a
// watchdog to all the sockets that the operation uses.
//
// The watchdog belongs to the operation, not to a socket, because an FTP
// control connection is rightly silent during a long transfer. It looks at
// byte counters a few times in each stall time, so that moving data costs one
// atomic addition and no call of the clock. Ending the context, or a stall,
// closes every attached socket, which frees whatever hangs on one: deadlines
// alone would not, since libraries above clear them and TLS makes them sticky.
type Op struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	unhook func() bool
	watch  Watch
	// waiting counts calls of the caller's own reader or writer under way:
	// a slow source or destination is not a stall of the line.
	waiting atomic.Int32
	// heard counts what concerns this operation alone, see Heard.
	heard atomic.Int64

	mu     sync.Mutex // guards what follows
	wires  []*Wire
	timer  *time.Timer
	ended  bool
	shared bool
	last   int64     // marker at the last look
	since  time.Time // when the marker last changed
	rateN  int64     // marker at the begin of the rate window
	rateT  time.Time // begin of the rate window
	heardN int64     // heard at the last look
	heardT time.Time // when it last changed
}

// unheardTimes is how many stall times an operation may hear nothing of its own
// while its sockets move bytes: those of others that share them, or a server's idle
// talk. It is many, because on a slow line what is before it in the queue takes long.
const unheardTimes = 10

// StartOp begins an operation on the given sockets. End must be called.
func StartOp(ctx context.Context, watch Watch, wires ...*Wire) *Op {
	octx, cancel := context.WithCancelCause(ctx)
	o := &Op{ctx: octx, cancel: cancel, watch: watch, wires: append(make([]*Wire, 0, len(wires)+1), wires...)}
	o.unhook = context.AfterFunc(octx, o.abort)
	if watch.Stall > 0 {
		o.last = o.marker()
		o.since = time.Now()
		o.rateN, o.rateT = o.last, o.since
		o.heardT = o.since
		o.mu.Lock()
		o.timer = time.AfterFunc(o.interval(), o.look)
		o.mu.Unlock()
	}
	return o
}

// Context ends when the operation is cancelled or stalls; dial with it.
func (o *Op) Context() context.Context { return o.ctx }

// Attach adds a socket, such as a data connection. On an operation that has
// been aborted already it is closed at once.
func (o *Op) Attach(w *Wire) {
	o.mu.Lock()
	o.wires = append(o.wires, w)
	o.mu.Unlock()
	if o.ctx.Err() != nil {
		o.abort()
		_ = w.Abort() // also where the operation was abandoned
	}
}

// Abandon is End for an operation that does not return, because code of the caller's
// panics or ends its goroutine: its sockets are closed.
func (o *Op) Abandon() {
	o.mu.Lock()
	wires := o.wires
	o.mu.Unlock()
	_ = o.End(nil)
	for _, w := range wires {
		_ = w.Abort()
	}
}

// End stops the watchdog and returns err. If the operation was aborted, the
// error says why: the context's cause, or [transport.ErrStalled], before what the closed
// socket brought up. An operation that succeeded stays a success.
func (o *Op) End(err error) error {
	o.unhook()
	o.mu.Lock()
	o.ended = true
	if o.timer != nil {
		o.timer.Stop()
	}
	o.mu.Unlock()
	cause := why(o.ctx)
	o.cancel(nil)
	if err == nil || cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w (%w)", cause, err)
}

// why returns the cause for which ctx ended, nil if it has not. A cause of the
// caller's own is wrapped so that it is also known for a cancellation.
func why(ctx context.Context) error {
	cause := context.Cause(ctx)
	if cause == nil || errors.Is(cause, transport.ErrStalled) || errors.Is(cause, ctx.Err()) {
		return cause
	}
	return fmt.Errorf("%w: %w", ctx.Err(), cause)
}

// Stalled reports whether the watchdog ended the operation.
func (o *Op) Stalled() bool { return errors.Is(context.Cause(o.ctx), transport.ErrStalled) }

// Share says that others use the operation's sockets at the same time, so that bytes
// on them alone do not show that it gets on. It is called before anything else.
func (o *Op) Share() *Op {
	o.mu.Lock()
	o.shared = true
	o.mu.Unlock()
	return o
}

// Heard takes note of an answer to this operation.
func (o *Op) Heard() { o.heard.Add(1) }

func (o *Op) abort() {
	o.mu.Lock()
	wires := o.wires
	stalled := o.Stalled()
	ended := o.ended
	o.mu.Unlock()
	if ended {
		return
	}
	for _, w := range wires {
		if stalled {
			// Nobody answers: do not leave unsent data to linger in the kernel.
			w.Reset()
		} else {
			_ = w.Abort()
		}
	}
}

// interval is a quarter of Stall, rounded up so that four looks make one.
func (o *Op) interval() time.Duration { return max((o.watch.Stall+3)/4, time.Millisecond) }

func (o *Op) marker() int64 {
	var n int64
	for _, w := range o.wires {
		n += w.progress()
	}
	return n
}

func (o *Op) look() {
	o.mu.Lock()
	if o.ended {
		o.mu.Unlock()
		return
	}
	now, n := time.Now(), o.marker()
	stalled := false
	if n != o.last || o.waiting.Load() > 0 {
		o.last, o.since = n, now
	} else if now.Sub(o.since) >= o.watch.Stall {
		stalled = true
	}
	if h := o.heard.Load(); h != o.heardN || o.waiting.Load() > 0 {
		o.heardN, o.heardT = h, now
	} else if o.shared && now.Sub(o.heardT) >= unheardTimes*o.watch.Stall {
		stalled = true
	}
	if o.waiting.Load() > 0 {
		o.rateN, o.rateT = n, now
	} else if d := now.Sub(o.rateT); o.watch.MinRate > 0 && d >= o.watch.Stall {
		stalled = stalled || float64(n-o.rateN) < d.Seconds()*float64(o.watch.MinRate)
		o.rateN, o.rateT = n, now
	}
	if !stalled {
		o.timer.Reset(o.interval())
	}
	o.mu.Unlock()
	if stalled {
		o.cancel(transport.ErrStalled)
	}
}

// Reader wraps the caller's source: time spent in it is not a stall, and its
// errors become a [*transport.LocalError].
func (o *Op) Reader(r io.Reader) io.Reader { return &opReader{o: o, r: r} }

// Writer wraps the caller's destination, likewise.
func (o *Op) Writer(w io.Writer) io.Writer { return &opWriter{o: o, w: w} }

type opReader struct {
	o *Op
	r io.Reader
}

func (r *opReader) Read(p []byte) (int, error) {
	if err := why(r.o.ctx); err != nil {
		return 0, err // a source that gives little at a time would be read to fill a buffer
	}
	r.o.waiting.Add(1)
	n, err := r.r.Read(p)
	r.o.waiting.Add(-1)
	if err != nil && err != io.EOF {
		err = &transport.LocalError{Err: err}
	}
	return n, err
}

type opWriter struct {
	o *Op
	w io.Writer
}

func (w *opWriter) Write(p []byte) (int, error) {
	w.o.waiting.Add(1)
	n, err := w.w.Write(p)
	w.o.waiting.Add(-1)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		err = &transport.LocalError{Writing: true, Err: err}
	}
	return n, err
}

// Aside runs f, a call of the caller's own code within the operation: the time
// that it takes is not a stall.
func (o *Op) Aside(f func()) {
	o.waiting.Add(1)
	defer o.waiting.Add(-1)
	f()
}
