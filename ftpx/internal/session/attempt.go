package session

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// job is one attempt of an operation, on whatever host.
type job struct {
	task    Task
	attempt *retry.Attempt
	f       func(context.Context, *Lease) error
	others  bool          // there is another host to turn to
	failed  []hostFailure // those that gave no connection
}

// attempt acquires a connection, on the first host that gives one, operates and releases
// it. No host is waited for while another is well, and turning to the next one costs no
// attempt.
func (s *Session) attempt(ctx context.Context, j *job) error {
	// Closing the client ends what is under way, dialling included.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.ctx, func() { cancel(ErrClosed) })()

	order := s.hosts.order()
	for i, h := range order {
		j.others = i+1 < len(order)
		connected, err := s.attemptOn(ctx, h, j)
		if connected || err == nil || !elsewhere(err) || ctx.Err() != nil {
			return err
		}
		j.failed = append(j.failed, hostFailure{h, err})
	}
	return s.noHost(j.failed)
}

// attemptOn is an attempt on one host. connected tells that there was a connection, so
// that err speaks of the operation.
func (s *Session) attemptOn(ctx context.Context, h *Host, j *job) (connected bool, err error) {
	small := j.task.Small && j.attempt.Number < exclusiveFrom
	e, err := s.enter(ctx, h, j, small)
	if err == nil && e.place == share {
		if connected, err = s.shared(ctx, h, j, e.conn); !connected {
			e, err = s.enter(ctx, h, j, false)
		}
	}
	if !connected {
		if err != nil {
			return false, s.closedErr(err)
		}
		connected, err = s.exclusive(ctx, h, j, e.breaker)
	}
	probing := e.probing && !connected
	switch {
	case err == nil || j.attempt.Progressed() || connected && !unwell(err):
		e.breaker.succeeded()
	case ctx.Err() != nil || !unwell(err):
		if probing {
			e.breaker.abandoned()
		}
	default:
		// An operation that failed may have met a line that is bad once; a host that
		// does not let us in is left to itself where there is another.
		e.breaker.failed(err, probing, !connected && len(s.hosts.list) > 1)
	}
	return connected, err
}

// entry is what lets an attempt go ahead on a host.
type entry struct {
	breaker *breaker
	probing bool
	place   place
	conn    *pooled // with a share
}

// enter waits until the host's breaker lets work through and there is a place. Where the
// breaker has opened while it waited for the place it gives that back, and where there
// are other hosts, it does not wait for this one to recover.
func (s *Session) enter(ctx context.Context, h *Host, j *job, small bool) (e entry, err error) {
	for {
		b := h.breaker()
		e = entry{breaker: b}
		if j.others && !b.free() {
			if _, why := b.state(); why != nil {
				return e, why
			}
		}
		if e.probing, err = b.wait(ctx, s.ctx); err != nil {
			if k := transport.KindOf(err); k == transport.KindCanceled || errors.Is(err, ErrClosed) {
				err = retry.Stop(err)
			}
			return e, err
		}
		proto, known, due := h.current()
		if e.place, e.conn, err = h.pool.acquire(ctx, small && known && !due && !e.probing, proto); err != nil {
			if e.probing {
				b.abandoned()
			}
			return e, retry.Stop(err)
		}
		if e.probing || b.closed() {
			return e, nil
		}
		if e.place == share {
			h.pool.unshare(e.conn)
		} else {
			h.pool.freeSlot()
		}
	}
}

// shared makes an attempt on a connection that others use. ok is false where it has to be
// made on one of its own, and has cost nothing: the work turned out too large, or the
// connection was lost before any of its payload had moved.
func (s *Session) shared(ctx context.Context, h *Host, j *job, pc *pooled) (ok bool, err error) {
	l := h.lease(pc, share, j)
	defer l.Release()
	err = s.use(ctx, j, l, nil)
	if l.place == slot && err != nil && !l.Usable() { // it has become its own
		s.lost(ctx, h, err)
	}
	switch {
	case err == nil:
		return true, nil
	case err == ErrTooLarge:
		return false, nil
	case !l.Usable() && !l.moved && ctx.Err() == nil && transport.KindOf(err) == transport.KindLost:
		return false, nil
	}
	return true, s.closedErr(err)
}

// exclusive makes an attempt with the slot that its caller has acquired, which it frees. A
// reused connection that turns out to have died while it was idle costs no attempt: the
// work begins again at once on a new one.
func (s *Session) exclusive(ctx context.Context, h *Host, j *job, b *breaker) (connected bool, err error) {
	timeout := time.Duration(0)
	if j.others {
		timeout = h.timeout()
	}
	for retried := false; ; retried = true {
		pc, fresh, err := s.open(ctx, h, retried, timeout)
		if err != nil {
			return false, s.closedErr(err)
		}
		l := h.lease(pc, slot, j)
		l.Fresh = fresh
		if j.attempt.Number >= exclusiveFrom || pc.inTurn && !j.task.Small {
			h.pool.reserve(pc)
		}
		b.entered()
		h.silent.Store(false)
		err = s.use(ctx, j, l, j.failed)
		if l.place == noPlace { // released by f: what becomes of it is for who has it now
			return true, s.closedErr(err)
		}
		if l.Usable() {
			j.attempt.Answered()
			l.Release()
			return true, s.closedErr(err)
		}
		if err != nil {
			s.lost(ctx, h, err)
		}
		if died := err != nil && !fresh && !l.moved && !retried && transport.KindOf(err) == transport.KindLost; !died {
			l.Release()
			return true, s.closedErr(err)
		}
		l.drop() // and keeps its slot
	}
}

// use operates. Where that does not return, because code of the caller's panics or ends its
// goroutine, nobody knows what state the connection is in: it is closed, and its place freed.
func (s *Session) use(ctx context.Context, j *job, l *Lease, failed []hostFailure) error {
	returned := false
	defer func() {
		if !returned && l.place != noPlace {
			_ = l.conn.conn.Close()
			l.Release()
		}
	}()
	s.failOver(l.Host, failed)
	s.opts.Events.Attempt(j.task, j.attempt.Number, l)
	err := j.f(ctx, l)
	returned = true
	return err
}

// open takes an idle connection, or dials, with the slot that the caller has; on an error
// the slot has been freed. Where the server has shown how many connections it takes it
// waits for one of ours rather than fail, which costs no attempt.
func (s *Session) open(ctx context.Context, h *Host, mustDial bool, timeout time.Duration) (pc *pooled, fresh bool, err error) {
	for {
		var company bool
		pc, fresh, company, err = s.takeOrDial(ctx, h, mustDial, timeout)
		if err == nil {
			return pc, fresh, nil
		}
		// What the server has shown it takes is learned before who waits gets the slot,
		// and is refused as well.
		again := h.queueAgain(err, company)
		h.pool.freeSlot()
		if !again {
			return nil, false, err
		}
		if _, _, err := h.pool.acquire(ctx, false, 0); err != nil {
			return nil, false, retry.Stop(err)
		}
		// Whatever there is will do: to insist on a new one, with all that the server
		// takes lying idle here, would be to dial without end.
		mustDial = false
	}
}

// errExcess says that a connection is not needed, or cannot be had, after all: the
// server's limit was learned after a slot had been given, or another is idle now.
var errExcess = errors.New("more slots than connections to be opened")

// queueAgain reports whether a connection that was refused is a matter of waiting for our
// own others, open or dialling.
func (h *Host) queueAgain(err error, company bool) bool {
	if err == errExcess || transport.KindOf(err) == transport.KindBusy && h.pool.refused() {
		return true
	}
	return h.dials.again(err, company)
}

// takeOrDial takes an idle connection of the protocol in use, or dials. company tells
// whether others dialled at the same time.
func (s *Session) takeOrDial(ctx context.Context, h *Host, mustDial bool, timeout time.Duration) (pc *pooled, fresh, company bool, err error) {
	proto, ok, due := h.current()
	reuse := ok && !due && !mustDial
	for reuse {
		pc := h.pool.take(proto)
		if pc == nil {
			break
		}
		if time.Since(pc.idleFrom) < pingAfter || (transport.Calls{Conn: pc.conn}).Ping(ctx) == nil {
			return pc, false, false, nil
		}
		h.pool.put(pc) // which ends it, unless the server has answered, if with a refusal
		if ctx.Err() != nil {
			return nil, false, false, context.Cause(ctx)
		}
	}
	if company, err = h.dials.begin(ctx, s.ctx); err != nil {
		return nil, false, false, err
	}
	// While this waited for its turn to dial, others may have put theirs back.
	if _, idle := h.pool.counts(); h.pool.excess() || reuse && idle > 0 {
		h.dials.end(errExcess)
		return nil, false, company, errExcess
	}
	begin := time.Now()
	conn, proto, err := s.connect(ctx, h, timeout)
	company = h.dials.end(err) || company
	if err != nil {
		return nil, false, company, err
	}
	h.pool.tookToOpen(time.Since(begin))
	pc, err = h.pool.adopt(conn, proto)
	return pc, true, company, err
}

// lost takes note of a connection that ended with err under an operation of its owner.
func (s *Session) lost(ctx context.Context, h *Host, err error) {
	h.silent.Store(transport.KindOf(err) == transport.KindStalled || errors.Is(err, syscall.ETIMEDOUT)) // RFC 5482
	if ctx.Err() == nil {
		s.opts.Events.Lost()
	}
}
