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
	host    *Host         // the one that was tried last
	used    *Lease        // the one that it had last, nil for none
	entered bool          // a host has let it in
	data    dataTally
}

// end is how it has ended.
func (j *job) end(began time.Time, err error) AttemptEnd {
	return AttemptEnd{Lease: j.used, Host: j.host, Duration: time.Since(began), Data: j.data.sum(), Err: err}
}

// attempt acquires a connection, on the first host that gives one, operates and releases
// it. No host is waited for while another is well, and turning to the next one costs no
// attempt.
func (s *Session) attempt(ctx context.Context, j *job) (err error) {
	begin := time.Now()
	ctx, finish := s.opts.Events.Attempt(ctx, j.task, j.attempt.Number)
	if finish != nil {
		err = ErrNoReturn
		defer func() { finish(j.end(begin, err)) }()
	}
	return s.attemptHosts(ctx, j)
}

func (s *Session) attemptHosts(ctx context.Context, j *job) error {
	// Closing the client ends what is under way, dialling included.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.ctx, func() { cancel(ErrClosed) })()

	order := s.hosts.order()
	for i, h := range order {
		j.others = i+1 < len(order)
		j.host = h
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
	returned := false
	defer func() {
		if !returned && e.probing && !j.entered {
			e.breaker.abandoned()
		}
	}()
	if err == nil && e.place == share {
		if connected, err = s.shared(ctx, h, j, e.conn); !connected {
			e, err = s.enter(ctx, h, j, false)
		}
	}
	if !connected {
		if err != nil {
			returned = true // nothing was had
			return false, s.closedErr(err)
		}
		connected, err = s.exclusive(ctx, h, j, e.breaker)
	}
	returned = true
	probing := e.probing && !connected
	changed := false
	switch {
	case err == nil || j.attempt.Progressed() || connected && !unwell(err):
		changed = e.breaker.succeeded()
	case ctx.Err() != nil || !unwell(err):
		if probing {
			e.breaker.abandoned()
		}
	default:
		// An operation that failed may have met a line that is bad once; a host that
		// does not let us in is left to itself where there is another.
		changed = e.breaker.failed(err, probing, !connected && len(s.hosts.list) > 1)
	}
	if changed {
		s.tellBreaker(ctx, h, e.breaker)
	}
	s.tellLimit(ctx, h)
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
		if e.probing, err = s.pass(ctx, h, b); err != nil {
			if k := transport.KindOf(err); k == transport.KindCanceled || errors.Is(err, ErrClosed) {
				err = retry.Stop(err)
			}
			return e, err
		}
		proto, known, due := h.current()
		if e.place, e.conn, err = s.placeFor(ctx, h, e, newWaiter(small && known && !due && !e.probing, proto)); err != nil {
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

// placeFor waits for a place. A probe is over where it gets none.
func (s *Session) placeFor(ctx context.Context, h *Host, e entry, w *waiter) (at place, pc *pooled, err error) {
	defer func() {
		if at == noPlace && e.probing {
			e.breaker.abandoned()
		}
	}()
	return s.place(ctx, h, w, WaitSlot)
}

// shared makes an attempt on a connection that others use. ok is false where it has to be
// made on one of its own, and has cost nothing: the work turned out too large, or the
// connection was lost before any of its payload had moved.
func (s *Session) shared(ctx context.Context, h *Host, j *job, pc *pooled) (ok bool, err error) {
	l := h.lease(ctx, pc, share, j)
	defer l.Release()
	err = s.use(ctx, j, l, nil)
	s.note(ctx, l, err, !l.moved && h.pool.justUsed(pc))
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
		l := h.lease(ctx, pc, slot, j)
		l.Fresh = fresh
		if j.attempt.Number >= exclusiveFrom || pc.inTurn && !j.task.Small {
			h.pool.reserve(pc)
		}
		h.silent.Store(false)
		err = s.use(ctx, j, l, b)
		if l.place == noPlace { // released by f: what becomes of it is for who has it now
			return true, s.closedErr(err)
		}
		if l.Usable() {
			j.attempt.Answered()
			l.Release()
			return true, s.closedErr(err)
		}
		first := !fresh && !l.moved
		s.note(ctx, l, err, first)
		if died := err != nil && first && !retried && transport.KindOf(err) == transport.KindLost; !died {
			l.Release()
			return true, s.closedErr(err)
		}
		l.drop() // and keeps its slot
	}
}

// use operates. Where that does not return, because code of the caller's panics or ends its
// goroutine, nobody knows what state the connection is in: it is closed, and its place freed.
// b is the breaker of a host that has let us in, nil where others have the connection.
func (s *Session) use(ctx context.Context, j *job, l *Lease, b *breaker) error {
	returned := false
	defer func() {
		if !returned && l.place != noPlace {
			l.Host.pool.failed(l.conn, ErrNoReturn, false)
			_ = l.conn.Close()
			l.Release()
		}
	}()
	j.used = l
	var failed []hostFailure
	if b != nil {
		j.entered = true
		if b.entered() {
			s.tellBreaker(ctx, l.Host, b)
		}
		failed = j.failed
	}
	s.failOver(ctx, l.Host, failed)
	err := j.f(ctx, l)
	returned = true
	return err
}

// note takes note of a connection that has ended with err under a lease. first says that
// err met the first request of it.
func (s *Session) note(ctx context.Context, l *Lease, err error, first bool) {
	if err == nil || l.place == noPlace || l.Usable() {
		return
	}
	h := l.Host
	h.pool.failed(l.conn, err, first && transport.KindOf(err) == transport.KindLost)
	if l.place == slot {
		h.silent.Store(transport.KindOf(err) == transport.KindStalled || errors.Is(err, syscall.ETIMEDOUT)) // RFC 5482
	}
	if l.place == slot && ctx.Err() == nil {
		s.opts.Events.Lost()
	}
}

// open takes an idle connection, or dials, with the slot that the caller has; on an error
// the slot has been freed. Where the server has shown how many connections it takes it
// waits for one of ours rather than fail, which costs no attempt.
func (s *Session) open(ctx context.Context, h *Host, mustDial bool, timeout time.Duration) (pc *pooled, fresh bool, err error) {
	held := true
	defer func() {
		if held && pc == nil {
			h.pool.freeSlot()
		}
	}()
	for {
		var company bool
		pc, fresh, company, err = s.takeOrDial(ctx, h, mustDial, timeout)
		if err == nil {
			return pc, fresh, nil
		}
		// What the server has shown it takes is learned before who waits gets the slot,
		// and is refused as well.
		again := h.queueAgain(err, company)
		held = false
		h.pool.freeSlot()
		if !again {
			return nil, false, err
		}
		wait := WaitSlot
		if transport.KindOf(err) == transport.KindBusy {
			wait = WaitBusy
		}
		if _, _, err := s.place(ctx, h, newWaiter(false, 0), wait); err != nil {
			return nil, false, retry.Stop(err)
		}
		held = true
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
		if pc.pause < pingAfter || s.lives(ctx, h, pc) {
			return pc, false, false, nil
		}
		if ctx.Err() != nil {
			return nil, false, false, context.Cause(ctx)
		}
	}
	if err = s.turn(ctx, h.dials.limiter, Waiting{h.Name, WaitDial}); err != nil {
		return nil, false, false, err
	}
	company, err = h.dials.company(), errExcess
	ended := false
	end := func() {
		if !ended {
			ended = true
			company = h.dials.end(err) || company
		}
	}
	defer end()
	// While this waited for its turn to dial, others may have put theirs back.
	if _, idle := h.pool.counts(); h.pool.excess() || reuse && idle > 0 {
		return nil, false, company, errExcess
	}
	begin := time.Now()
	link, err := s.connect(ctx, h, timeout)
	if end(); err != nil {
		return nil, false, company, err
	}
	h.pool.tookToOpen(time.Since(begin))
	pc, err = h.pool.adopt(link)
	return pc, true, company, err
}

// lives asks a connection that has been idle for long whether it still lives. Otherwise it
// has been put back, which ends it, unless the server has answered, if with a refusal.
func (s *Session) lives(ctx context.Context, h *Host, pc *pooled) bool {
	returned := false
	defer func() {
		if !returned {
			_ = pc.Close()
			h.pool.put(pc)
		}
	}()
	err := (transport.Calls{Conn: pc.Conn}).Ping(ctx)
	returned = true
	if err == nil {
		return true
	}
	if !pc.Usable() {
		h.pool.failed(pc, err, true)
	}
	h.pool.put(pc)
	return false
}
