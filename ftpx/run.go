package ftpx

import (
	"context"
	"errors"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// task names an operation in hooks and errors.
type task struct {
	op, local, remote string
	// offset tells how many bytes are known to have arrived; nil for 0.
	offset func() int64
}

func (t task) at() int64 {
	if t.offset == nil {
		return 0
	}
	return t.offset()
}

// lease is a connection out on loan for one attempt.
type lease struct {
	*pooled
	// fresh: it was opened for this attempt.
	fresh bool
	// attempt is where progress is reported.
	attempt *retry.Attempt
}

// run is the one visible stack of every operation: retry, then choose and take
// a connection, operate, and give it back or discard it. No slot of the pool is
// held while waiting for the next attempt.
func (c *client) run(ctx context.Context, t task, f func(context.Context, *lease) error) error {
	err := c.cfg.Retry.Do(ctx, func(ctx context.Context, a *retry.Attempt) error {
		return c.attempt(ctx, t, a, f)
	}, func(e retry.Event) {
		c.onRetry(RetryInfo{Op: t.op, Local: t.local, Remote: t.remote, Attempt: e.Attempt,
			Err: e.Err, Class: e.Class, Delay: e.Delay, Offset: t.at()})
	})
	if err == nil {
		return nil
	}
	return &Error{Op: t.op, Local: t.local, Remote: t.remote, Outcome: outcomeOf(err), Offset: t.at(), Err: err}
}

// attempt takes a connection, operates and gives it back. A reused connection
// that turns out to have died while it was idle costs no attempt: the work
// begins again at once on a new one.
func (c *client) attempt(ctx context.Context, t task, a *retry.Attempt, f func(context.Context, *lease) error) error {
	if err := c.pool.enter(ctx); err != nil {
		return retry.Stop(err)
	}
	defer c.pool.leave()
	// Closing the client ends what is under way, dialling included.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.pool.ctx, func() { cancel(ErrClosed) })()

	for retried := false; ; retried = true {
		l, err := c.acquire(ctx, retried)
		if err != nil {
			return c.closedErr(err)
		}
		l.attempt = a
		c.onAttempt(AttemptInfo{Op: t.op, Local: t.local, Remote: t.remote, Attempt: a.Number,
			Protocol: l.proto, Addr: l.Info().Addr})
		moved := c.stats.sent.Load() + c.stats.received.Load()
		err = f(ctx, l)
		if l.Usable() {
			c.pool.put(l.pooled)
			return c.closedErr(err)
		}
		c.pool.discard(l.pooled)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			c.stats.lost.Add(1)
		}
		idleDeath := !l.fresh && !retried && transport.KindOf(err) == transport.KindLost &&
			moved == c.stats.sent.Load()+c.stats.received.Load()
		if !idleDeath {
			return c.closedErr(err)
		}
	}
}

// closedErr turns what a closed connection brings up into ErrClosed.
func (c *client) closedErr(err error) error {
	if err != nil && c.pool.ctx.Err() != nil && !errors.Is(err, ErrClosed) {
		return retry.Stop(errors.Join(ErrClosed, err))
	}
	return err
}

// acquire takes an idle connection of the protocol in use, or opens one.
func (c *client) acquire(ctx context.Context, mustDial bool) (*lease, error) {
	if proto, ok := c.choice.current(c.cfg.RecheckAfter); ok && !mustDial {
		for {
			pc := c.pool.take(proto)
			if pc == nil {
				break
			}
			if time.Since(pc.idleFrom) < pingAfter || pc.Ping(ctx) == nil {
				return &lease{pooled: pc}, nil
			}
			c.pool.discard(pc)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
		}
	}
	conn, proto, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	pc, err := c.pool.adopt(conn, proto)
	if err != nil {
		return nil, err
	}
	return &lease{pooled: pc, fresh: true}, nil
}
