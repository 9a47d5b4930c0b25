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
	// moved: payload has gone over it in this attempt.
	moved bool
	// attempt is where progress is reported.
	attempt *retry.Attempt
	// acted: a request of this operation whose reply was lost, in whatever
	// attempt, may have taken effect.
	acted bool
}

// run is the one visible stack of every operation: retry, then choose and take
// a connection, operate, and give it back or discard it. No slot of the pool is
// held while waiting for the next attempt.
func (c *client) run(ctx context.Context, t task, f func(context.Context, *lease) error) error {
	acted, doubts := false, 0
	err := c.cfg.Retry.Do(ctx, func(ctx context.Context, a *retry.Attempt) error {
		return c.attempt(ctx, t, a, func(ctx context.Context, l *lease) error {
			l.acted = acted
			err := f(ctx, l)
			var te *transport.Error
			if errors.As(err, &te) {
				acted = acted || te.MayHaveActed
				if !l.Usable() && refusal(te.Kind) && doubts < maxDoubts {
					doubts++
					err = &transport.Error{Op: te.Op, Path: te.Path, Kind: transport.KindLost, Protocol: te.Protocol, Addr: te.Addr,
						MayHaveActed: te.MayHaveActed, Err: err}
				}
			}
			return err
		})
	}, func(e retry.Event) {
		c.onRetry(RetryInfo{Op: t.op, Local: t.local, Remote: t.remote, Attempt: e.Attempt,
			Err: e.Err, Class: e.Class, Delay: e.Delay, Offset: t.at()})
	})
	if err == nil {
		return nil
	}
	return &Error{Op: t.op, Local: t.local, Remote: t.remote, Outcome: outcomeOf(err), Offset: t.at(), Err: err}
}

// maxDoubts bounds how often a refusal is doubted because its connection went
// with it.
const maxDoubts = 2

// refusal reports whether a kind is a server's word that an operation often
// answers by another request, which a lost connection has kept from it: a look
// whether the name is taken, a folder to be made. Such a word alone is not the end.
func refusal(k transport.Kind) bool {
	switch k {
	case transport.KindNotExist, transport.KindExist, transport.KindPermission, transport.KindName,
		transport.KindUnsupported, transport.KindRefused, transport.KindTemporary: // SSH_FX_FAILURE
		return true
	}
	return false
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
		l, company, err := c.acquire(ctx, retried)
		for err != nil && c.queueAgain(err, company) {
			// The server has shown how many connections it takes: wait for one
			// of ours rather than fail. It costs no attempt.
			c.pool.leave()
			if eerr := c.pool.enter(ctx); eerr != nil {
				c.pool.hold() // for the deferred leave
				return retry.Stop(eerr)
			}
			l, company, err = c.acquire(ctx, retried)
		}
		if err != nil {
			return c.closedErr(err)
		}
		l.attempt = a
		c.onAttempt(AttemptInfo{Op: t.op, Local: t.local, Remote: t.remote, Attempt: a.Number,
			Protocol: l.proto, Addr: l.Info().Addr})
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
		if idleDeath := !l.fresh && !l.moved && !retried && transport.KindOf(err) == transport.KindLost; !idleDeath {
			return c.closedErr(err)
		}
	}
}

// errExcess says that the server's limit was learned after a slot had been given.
var errExcess = errors.New("more slots than the server takes connections")

// queueAgain reports whether a connection that was refused is a matter of
// waiting for our own others, open or dialling.
func (c *client) queueAgain(err error, company bool) bool {
	if err == errExcess || transport.KindOf(err) == transport.KindBusy && c.pool.refused() {
		return true
	}
	return c.dials.again(err, company)
}

// closedErr turns what a closed connection brings up into ErrClosed.
func (c *client) closedErr(err error) error {
	if err != nil && c.pool.ctx.Err() != nil && !errors.Is(err, ErrClosed) {
		return retry.Stop(errors.Join(ErrClosed, err))
	}
	return err
}

// acquire takes an idle connection of the protocol in use, or opens one. company
// tells whether other dials were under way beside it.
func (c *client) acquire(ctx context.Context, mustDial bool) (l *lease, company bool, err error) {
	if proto, ok, due := c.current(); ok && !due && !mustDial {
		for {
			pc := c.pool.take(proto)
			if pc == nil {
				break
			}
			if time.Since(pc.idleFrom) < pingAfter || pc.Ping(ctx) == nil {
				return &lease{pooled: pc}, false, nil
			}
			c.pool.discard(pc)
			if ctx.Err() != nil {
				return nil, false, context.Cause(ctx)
			}
		}
	}
	if company, err = c.dials.begin(ctx, c.pool.ctx); err != nil {
		return nil, false, err
	}
	if c.pool.excess() {
		c.dials.end(errExcess)
		return nil, company, errExcess
	}
	conn, proto, err := c.connect(ctx)
	company = c.dials.end(err) || company
	if err != nil {
		return nil, company, err
	}
	pc, err := c.pool.adopt(conn, proto)
	if err != nil {
		return nil, company, err
	}
	return &lease{pooled: pc, fresh: true}, company, nil
}
