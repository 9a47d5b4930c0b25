package retry

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Attempt is one call of the function given to [Policy.Do]. Progress, Moved and
// Answered may be called from any goroutine, until that call returns.
type Attempt struct {
	// Number counts attempts from 1.
	Number int
	// Previous is why the attempt before failed, nil on the first.
	Previous error

	progress atomic.Bool
	moved    atomic.Bool
	answered atomic.Bool
}

// Progress says it is confirmed that the work is further than ever before: the
// file on the server has grown since the last look, bytes are on the local disk.
// The budget restarts.
func (a *Attempt) Progress() { a.progress.Store(true) }

// Progressed reports whether Progress was called in this attempt.
func (a *Attempt) Progressed() bool { return a.progress.Load() }

// Moved says that n bytes were handed to the line in this attempt. Whether they
// arrived is not known: the first such attempt since the last progress is
// believed and followed by another one at once, and does not count as silence;
// later ones are treated like those that moved nothing.
func (a *Attempt) Moved(n int64) {
	if n > 0 {
		a.moved.Store(true)
	}
}

// Answered says that the other side has answered all that it was asked, so that
// its session goes on: if the attempt got further, the next one starts without a
// pause, which is for those who have to connect again.
func (a *Attempt) Answered() { a.answered.Store(true) }

// Event is one failed attempt that will be followed by another.
type Event struct {
	// Attempt is the number of the attempt that failed, from 1.
	Attempt int
	// Err is why it failed.
	Err error
	// Class is how that was judged.
	Class Class
	// Delay is the pause before the next attempt.
	Delay time.Duration
	// Progress says that the attempt had confirmed that the work got further.
	Progress bool
}

// Do calls f until it succeeds, fails for good, the budget of attempts without
// progress is spent, or ctx ends. f gets ctx as it is, and is not called again
// before it has returned. notify, if not nil, is called before each pause, in
// the same goroutine.
//
// After an attempt that got further the next one starts within 100 ms, and the
// delays begin anew; pauses are for lines that move nothing. A server that asks
// for a longer pause gets it, up to [MaxRetryAfter].
//
// The error is what f returned if its first attempt failed for good, and an
// [*Error] with every cause otherwise. If ctx ended, it satisfies errors.Is for
// ctx.Err() and context.Cause(ctx).
func (p Policy) Do(ctx context.Context, f func(ctx context.Context, a *Attempt) error, notify func(Event)) error {
	p = p.normal()
	l := loop{
		Policy: p,
		delays: p.sequence(p.InitialDelay),
		busy:   p.sequence(p.BusyDelay),
		start:  time.Now(),
	}
	l.since = l.start
	var previous error
	for n := 1; ; n++ {
		if ctx.Err() != nil {
			return l.canceled(ctx)
		}
		a := &Attempt{Number: n, Previous: previous}
		err := f(ctx, a)
		if err == nil {
			return nil
		}
		event, why := l.failed(ctx, a, err)
		switch why {
		case ReasonPermanent:
			if n == 1 {
				return unstop(err)
			}
			return l.end(why)
		case ReasonCanceled:
			return l.canceled(ctx)
		case ReasonAttempts, ReasonElapsed:
			return l.end(why)
		}
		if notify != nil {
			notify(event)
		}
		if !sleep(ctx, event.Delay) {
			return l.canceled(ctx)
		}
		previous = event.Err
	}
}

// loop is the state of one Do.
type loop struct {
	Policy
	delays, busy *backoff.ExponentialBackOff
	history      Error
	start        time.Time
	since        time.Time // when the clock of MaxElapsed last started
	idle         int       // failed attempts since the last progress
	trusted      bool      // an attempt that only moved bytes has been believed
}

// failed takes a failed attempt into the books. It returns the pause to make,
// or the reason to end.
func (l *loop) failed(ctx context.Context, a *Attempt, err error) (Event, Reason) {
	now := time.Now()
	class := l.classify(ctx, err)
	err = unstop(err)
	progress, moved := a.progress.Load(), a.moved.Load()

	further := progress
	if progress {
		l.idle, l.trusted = 0, false
	} else {
		l.idle++
		if moved && !l.trusted {
			l.trusted, further = true, true
		}
	}
	if further {
		l.since = now
		l.delays.Reset()
		l.busy.Reset()
	}

	delay, why := l.next(class, now, further, a.answered.Load(), retryAfter(err))
	if why != 0 {
		delay = 0
	}
	l.history.add(AttemptError{Number: a.Number, Err: err, Class: class, Progress: progress, Delay: delay, At: now})
	return Event{Attempt: a.Number, Err: err, Class: class, Delay: delay, Progress: progress}, why
}

func (l *loop) next(class Class, now time.Time, further, answered bool, asked time.Duration) (time.Duration, Reason) {
	switch class {
	case Permanent:
		return 0, ReasonPermanent
	case Canceled:
		return 0, ReasonCanceled
	}
	if l.MaxAttempts > 0 && l.idle >= l.MaxAttempts {
		return 0, ReasonAttempts
	}
	var delay time.Duration
	switch {
	case class == Busy:
		delay = l.busy.NextBackOff()
	case further && answered:
	case further:
		delay = min(jittered(progressDelay, l.Jitter), l.InitialDelay)
	default:
		delay = l.delays.NextBackOff()
	}
	if l.MaxElapsed > 0 {
		left := l.MaxElapsed - now.Sub(l.since)
		if left <= 0 || asked > left {
			return 0, ReasonElapsed
		}
		delay = min(delay, left)
	}
	return max(delay, asked), 0
}

func jittered(d time.Duration, jitter float64) time.Duration {
	return time.Duration(float64(d) * (1 + jitter*(2*rand.Float64()-1)))
}

// sleep waits, and reports false as soon as ctx ends.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func (l *loop) end(why Reason) *Error {
	e := l.history
	e.Reason, e.Idle, e.Elapsed = why, l.idle, time.Since(l.start)
	return &e
}

func (l *loop) canceled(ctx context.Context) *Error {
	e := l.end(ReasonCanceled)
	if err := ctx.Err(); err != nil { // else f says so, and may know better
		cause := context.Cause(ctx)
		if !errors.Is(cause, err) {
			e.ctxErrs = append(e.ctxErrs, err)
		}
		e.ctxErrs = append(e.ctxErrs, cause)
	}
	return e
}
