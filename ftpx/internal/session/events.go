package session

import (
	"context"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Events are told what happens, in the context that it happens in. Nil ones are told
// nothing; the makers of errors may not be nil. The functions that Attempt and Acquire
// return may be nil; others are called once, whatever the end is. Events are told without a
// lock, and where one panics all places are given back and the connection of the attempt is
// closed.
type Events struct {
	// Protocol: it was chosen for new connections to a host if why is nil, else skipped.
	Protocol func(ctx context.Context, host string, p transport.Protocol, why error)
	// Moved: work has moved from one host to another; why is nil for a better one that
	// has come back.
	Moved func(ctx context.Context, to, from string, why error)
	// Attempt: one begins.
	Attempt func(ctx context.Context, t Task, number int) (context.Context, func(AttemptEnd))
	// Acquire: a wait begins.
	Acquire func(ctx context.Context, w Waiting) (context.Context, func(error))
	// Retry: an attempt has failed and will be followed by another, after e.Delay in all.
	Retry func(ctx context.Context, t Task, e retry.Event, failed AttemptEnd)
	// Breaker: a host begins to be spared, is spared further, or no longer.
	Breaker func(ctx context.Context, b BreakerState)
	// Limit: so many connections to a host may be open now.
	Limit func(ctx context.Context, host string, conns int)
	// Released: payload was moved, or a data connection was opened, with a lease that is
	// over. It must not panic.
	Released func(l *Lease)
	// Lost: a connection has ended in the middle of an operation.
	Lost func()
	// Ended: a connection has ended.
	Ended func(e Ended)
	// NoProtocol makes the error that sums up a race that nobody won.
	NoProtocol func(r Race) error
	// NoHost makes the error that sums up several hosts of which none could be used.
	NoHost func(hosts []string, errs []error) error
}

// filled has something for each field that is nil.
func (e Events) filled() Events {
	if e.Protocol == nil {
		e.Protocol = func(context.Context, string, transport.Protocol, error) {}
	}
	if e.Moved == nil {
		e.Moved = func(context.Context, string, string, error) {}
	}
	if e.Attempt == nil {
		e.Attempt = func(ctx context.Context, _ Task, _ int) (context.Context, func(AttemptEnd)) { return ctx, nil }
	}
	if e.Acquire == nil {
		e.Acquire = func(ctx context.Context, _ Waiting) (context.Context, func(error)) { return ctx, nil }
	}
	if e.Retry == nil {
		e.Retry = func(context.Context, Task, retry.Event, AttemptEnd) {}
	}
	if e.Breaker == nil {
		e.Breaker = func(context.Context, BreakerState) {}
	}
	if e.Limit == nil {
		e.Limit = func(context.Context, string, int) {}
	}
	if e.Released == nil {
		e.Released = func(*Lease) {}
	}
	if e.Lost == nil {
		e.Lost = func() {}
	}
	if e.Ended == nil {
		e.Ended = func(Ended) {}
	}
	return e
}

// AttemptEnd is how an attempt has ended.
type AttemptEnd struct {
	// Lease is the one that it had last, nil for none. It is released; what it says of its
	// connection stays.
	Lease *Lease
	// Host is where it was made, or tried last.
	Host *Host
	// Duration is how long it took, waiting included.
	Duration time.Duration
	// Data are the data connections of FTP that it used.
	Data DataConns
	Err  error
}

// The waits of [Waiting].
const (
	WaitTurn    = "turn"
	WaitSlot    = "slot"
	WaitBreaker = "breaker"
	WaitDial    = "dial"
	WaitBusy    = "busy"
)

// Waiting is what is waited for: leave to use, or to open, a connection.
type Waiting struct {
	// Host is the host, "" where it is none's.
	Host string
	// Wait is one of the constants.
	Wait string
}

// BreakerState is that of a host in one protocol.
type BreakerState struct {
	Host  string
	Proto transport.Protocol // 0 while none was chosen
	Open  bool
	Until time.Time
	Why   error
}

// waiting tells of a wait. f waits; undo takes back what it got, or its place in a queue,
// where an event does not return. undo may be called after f has failed.
func (s *Session) waiting(ctx context.Context, w Waiting, f func(context.Context) error, undo func()) error {
	returned := false
	defer func() {
		if !returned {
			undo()
		}
	}()
	ctx, finish := s.opts.Events.Acquire(ctx, w)
	err := f(ctx)
	if finish != nil {
		finish(err)
	}
	returned = true
	return err
}

// turn waits for a limiter.
func (s *Session) turn(ctx context.Context, l *limiter, w Waiting) error {
	if l.try() {
		return nil
	}
	t := l.queue()
	return s.waiting(ctx, w, func(ctx context.Context) error { return l.await(ctx, s.ctx, t) }, func() { l.leave(t) })
}

// place waits for a place in a host's pool. Work that is small may get a share of a
// connection of proto.
func (s *Session) place(ctx context.Context, h *Host, w *waiter, wait string) (place, *pooled, error) {
	granted, err := h.pool.queueUp(w)
	if err == nil && !granted {
		err = s.waiting(ctx, Waiting{h.Name, wait}, func(ctx context.Context) error { return h.pool.await(ctx, w) }, func() { h.pool.leave(w) })
	}
	if err != nil {
		return noPlace, nil, err
	}
	return w.place, w.conn, nil
}

// pass waits until a host's breaker lets work through.
func (s *Session) pass(ctx context.Context, h *Host, b *breaker) (probing bool, err error) {
	through, probing := b.try()
	if through {
		return probing, nil
	}
	err = s.waiting(ctx, Waiting{h.Name, WaitBreaker}, func(ctx context.Context) (err error) {
		probing, err = b.wait(ctx, s.ctx)
		return err
	}, func() {
		if probing {
			b.abandoned()
		}
	})
	return probing, err
}

// tellBreaker tells what has become of a breaker.
func (s *Session) tellBreaker(ctx context.Context, h *Host, b *breaker) {
	until, why := b.state()
	s.opts.Events.Breaker(ctx, BreakerState{Host: h.Name, Proto: b.proto, Open: !until.IsZero(), Until: until, Why: why})
}

// tellLimit tells of a limit that has changed.
func (s *Session) tellLimit(ctx context.Context, h *Host) {
	n := h.pool.limit.Load()
	if was := h.limitTold.Load(); was != n && h.limitTold.CompareAndSwap(was, n) {
		s.opts.Events.Limit(ctx, h.Name, int(n))
	}
}
