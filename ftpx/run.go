package ftpx

import (
	"context"
	"errors"
	"syscall"
	"time"

	"golang.org/x/time/rate"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// task names an operation in hooks and errors.
type task struct {
	op, local, remote string
	// offset tells how many bytes are known to have arrived; nil for 0.
	offset func() int64
	// limit is the transfer's own bandwidth, nil for any.
	limit *rate.Limiter
	// rides: it is small, or may be, and may share a connection.
	rides bool
}

func (t task) at() int64 {
	if t.offset == nil {
		return 0
	}
	return t.offset()
}

// transfer reports whether it moves a file.
func (t task) transfer() bool {
	switch t.op {
	case "upload", "put", "download", "get":
		return true
	}
	return false
}

// lease is a connection out on loan for one attempt.
type lease struct {
	*pooled
	site   *site
	limits limits
	// fresh: it was opened for this attempt.
	fresh bool
	// rides: others use it at the same time.
	rides bool
	// owned: it was shared and has become this attempt's own.
	owned bool
	// moved: payload has gone over it in this attempt.
	moved bool
	// attempt is where progress is reported.
	attempt *retry.Attempt
	// given: it has been given back before the attempt is over.
	given bool
	// acted: a request of this operation whose reply was lost, in whatever
	// attempt, may have taken effect.
	acted bool
}

// run is the one visible stack of every operation: retry, then choose and take
// a connection, operate, and give it back or discard it. No slot of the pool is
// held while waiting for the next attempt.
func (c *client) run(ctx context.Context, t task, f func(context.Context, *lease) error) error {
	if c.turns != nil && t.transfer() {
		if err := c.turns.enter(ctx, c.ctx); err != nil {
			return &Error{Op: t.op, Local: t.local, Remote: t.remote, Err: err}
		}
		defer c.turns.leave()
	}
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

// attempt takes a connection, on the first host that gives one, operates and
// gives it back. No host is waited for while another is well, and turning to
// the next one costs no attempt.
func (c *client) attempt(ctx context.Context, t task, a *retry.Attempt, f func(context.Context, *lease) error) error {
	// Closing the client ends what is under way, dialling included.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.ctx, func() { cancel(ErrClosed) })()

	var failed []siteFailure
	order := c.hosts.order()
	for i, s := range order {
		others := i+1 < len(order)
		connected, err := c.attemptAt(ctx, s, t, a, others, failed, f)
		if connected || err == nil || !elsewhere(err) || ctx.Err() != nil {
			return err
		}
		failed = append(failed, siteFailure{s, err})
	}
	return hostsError(failed)
}

// attemptAt is an attempt on one host. connected tells that there was a
// connection, so that err speaks of the operation.
func (c *client) attemptAt(ctx context.Context, s *site, t task, a *retry.Attempt, others bool, failed []siteFailure, f func(context.Context, *lease) error) (connected bool, err error) {
	b, probing, seated, err := c.enter(ctx, s, others, t.rides && a.Number < aloneFrom)
	if seated {
		if connected, err = c.ride(ctx, s, t, a, f); !connected {
			b, probing, _, err = c.enter(ctx, s, others, false)
		}
	}
	if !connected {
		if err != nil {
			return false, c.closedErr(err)
		}
		defer s.pool.leave()
		connected, err = c.operate(ctx, s, b, t, a, others, failed, f)
	}
	probing = probing && !connected
	switch {
	case err == nil || a.Progressed() || connected && !unwell(err):
		b.succeeded()
	case ctx.Err() != nil || !unwell(err):
		if probing {
			b.abandoned()
		}
	default:
		// An operation that failed may have met a line that is bad once; a host
		// that does not let us in is left to itself where there is another.
		b.failed(err, probing, !connected && len(c.hosts.list) > 1)
	}
	return connected, err
}

// enter waits until the host's breaker lets work through and there is a slot.
// Where the breaker has opened while it waited for the slot it gives that back,
// and where there are others, it does not wait for this host to recover.
func (c *client) enter(ctx context.Context, s *site, others, rides bool) (b *breaker, probing, seated bool, err error) {
	for {
		b = s.breaker()
		if others && !b.free() {
			if _, why := b.state(); why != nil {
				return b, false, false, why
			}
		}
		if probing, err = b.wait(ctx, c.ctx); err != nil {
			if k := transport.KindOf(err); k == transport.KindCanceled || errors.Is(err, ErrClosed) {
				err = retry.Stop(err)
			}
			return b, false, false, err
		}
		if seated, err = s.pool.enter(ctx, rides && !probing); err != nil {
			if probing {
				b.abandoned()
			}
			return b, false, false, retry.Stop(err)
		}
		if probing || b.closed() {
			return b, probing, seated, nil
		}
		if seated {
			s.pool.stand()
		} else {
			s.pool.leave()
		}
	}
}

// operate takes a connection and does the work. A reused connection
// that turns out to have died while it was idle costs no attempt: the work
// begins again at once on a new one.
func (c *client) operate(ctx context.Context, s *site, b *breaker, t task, a *retry.Attempt, others bool, failed []siteFailure, f func(context.Context, *lease) error) (connected bool, err error) {
	patience := time.Duration(0)
	if others {
		patience = s.patience()
	}
	for retried := false; ; {
		l, company, err := c.acquire(ctx, s, retried, patience)
		for err != nil && s.queueAgain(err, company) {
			// The server has shown how many connections it takes: wait for one
			// of ours rather than fail. It costs no attempt.
			s.pool.leave()
			if _, eerr := s.pool.enter(ctx, false); eerr != nil {
				s.pool.hold() // for the deferred leave
				return false, retry.Stop(eerr)
			}
			// Whatever there is will do: to insist on a new one, with all that the
			// server takes lying idle here, would be to dial without end.
			l, company, err = c.acquire(ctx, s, false, patience)
		}
		if err != nil {
			return false, c.closedErr(err)
		}
		if a.Number >= aloneFrom {
			s.pool.reserve(l.pooled)
		}
		b.entered()
		s.hushed.Store(false)
		c.moveOn(s, failed)
		l.attempt, l.limits = a, limits{c.limit, t.limit}
		c.onAttempt(AttemptInfo{Op: t.op, Local: t.local, Remote: t.remote, Attempt: a.Number,
			Protocol: l.proto, Addr: l.Info().Addr})
		err = f(ctx, l)
		switch {
		case l.given && err == errNotLater:
			if _, eerr := s.pool.enter(ctx, false); eerr != nil {
				s.pool.hold() // for the deferred leave
				return false, retry.Stop(eerr)
			}
			continue
		case l.given:
			s.pool.hold() // as above
			return true, c.closedErr(err)
		case l.Usable():
			a.Answered()
			s.pool.put(l.pooled)
			return true, c.closedErr(err)
		}
		s.pool.discard(l.pooled)
		if err == nil {
			return true, nil
		}
		c.lost(ctx, s, err)
		if idleDeath := !l.fresh && !l.moved && !retried && transport.KindOf(err) == transport.KindLost; !idleDeath {
			return true, c.closedErr(err)
		}
		retried = true
	}
}

// lost takes note of a connection that ended with err under an operation of its owner.
func (c *client) lost(ctx context.Context, s *site, err error) {
	s.hushed.Store(silence(err))
	if ctx.Err() == nil {
		c.stats.lost.Add(1)
	}
}

// silence reports whether a connection was lost because nothing came, be it that
// the watchdog noticed or the system (TCP_USER_TIMEOUT, RFC 5482).
func silence(err error) bool {
	return transport.KindOf(err) == transport.KindStalled || errors.Is(err, syscall.ETIMEDOUT)
}

// errExcess says that a connection is not needed, or cannot be had, after all: the
// server's limit was learned after a slot had been given, or another is idle now.
var errExcess = errors.New("more slots than connections to be opened")

// queueAgain reports whether a connection that was refused is a matter of
// waiting for our own others, open or dialling.
func (s *site) queueAgain(err error, company bool) bool {
	if err == errExcess || transport.KindOf(err) == transport.KindBusy && s.pool.refused() {
		return true
	}
	return s.dials.again(err, company)
}

// closedErr turns what a closed connection brings up into ErrClosed.
func (c *client) closedErr(err error) error {
	if err != nil && c.ctx.Err() != nil && !errors.Is(err, ErrClosed) {
		return retry.Stop(errors.Join(ErrClosed, err))
	}
	return err
}

// acquire takes an idle connection of the protocol in use, or opens one. company
// tells whether other dials were under way beside it.
func (c *client) acquire(ctx context.Context, s *site, mustDial bool, patience time.Duration) (l *lease, company bool, err error) {
	proto, ok, due := c.current(s)
	reuse := ok && !due && !mustDial
	if reuse {
		for {
			pc := s.pool.take(proto)
			if pc == nil {
				break
			}
			if time.Since(pc.idleFrom) < pingAfter || pc.Ping(ctx) == nil {
				return &lease{pooled: pc, site: s}, false, nil
			}
			s.pool.discard(pc)
			if ctx.Err() != nil {
				return nil, false, context.Cause(ctx)
			}
		}
	}
	if company, err = s.dials.begin(ctx, c.ctx); err != nil {
		return nil, false, err
	}
	// While this waited for its turn to dial, others may have put theirs back.
	if _, idle := s.pool.counts(); s.pool.excess() || reuse && idle > 0 {
		s.dials.end(errExcess)
		return nil, company, errExcess
	}
	begin := time.Now()
	conn, proto, err := c.connect(ctx, s, patience)
	company = s.dials.end(err) || company
	if err != nil {
		return nil, company, err
	}
	s.pool.took(time.Since(begin))
	pc, err := s.pool.adopt(conn, proto)
	if err != nil {
		return nil, company, err
	}
	return &lease{pooled: pc, site: s, fresh: true}, company, nil
}
