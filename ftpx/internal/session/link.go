package session

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Link is a connection with what is known of it besides.
type Link struct {
	transport.Conn
	// ID counts the connections of a session from 1, those included that could not be
	// opened.
	ID uint64
	// Proto is what it speaks.
	Proto transport.Protocol
	// Context is what the dial left for whoever uses the connection, nil for nothing.
	Context context.Context
	// Traffic is what its sockets have moved.
	Traffic transport.Traffic
	// Opened is when it was logged in.
	Opened time.Time
}

// dial opens a connection.
func (s *Session) dial(ctx context.Context, t Target, answered func()) (*Link, error) {
	l := &Link{ID: s.links.Add(1), Proto: t.Protocol}
	var err error
	if l.Conn, err = s.opts.Dial(ctx, t, l, answered); err != nil {
		return nil, err
	}
	l.Opened = time.Now()
	return l, nil
}

// discard closes a connection that nobody has used.
func (s *Session) discard(h *Host, l *Link) {
	_ = l.Close()
	s.opts.Events.Ended(Ended{Link: l, Host: h, Idle: time.Since(l.Opened), Cause: CauseReplaced})
}

// The causes of [Ended].
const (
	CauseClosed   = "closed"
	CauseIdle     = "idle"
	CauseReplaced = "replaced"
	CauseCanceled = "canceled"
	CauseReset    = "reset"
	CauseEOF      = "eof"
	CauseStalled  = "stalled"
	CauseFailed   = "failed"
)

// Ended is a connection that has ended.
type Ended struct {
	*Link
	// Host is where it led.
	Host *Host
	// Survived is the longest pause after which it could be used again.
	Survived time.Duration
	// Idle is for how long it had not been used, 0 if InUse.
	Idle  time.Duration
	InUse bool
	// Uses counts the attempts that used it, and Direction is that of the last.
	Uses      int
	Direction string
	// Cause is one of the constants, Err the error that ended it, nil for none.
	Cause string
	Err   error

	unasked bool // Cause and Err are still to be asked for
}

// causeOf names what an error that ended a connection says.
func causeOf(err error) string {
	switch transport.KindOf(err) {
	case transport.KindCanceled:
		return CauseCanceled
	case transport.KindStalled:
		return CauseStalled
	case transport.KindLost:
		switch {
		case errors.Is(err, syscall.ETIMEDOUT): // RFC 5482
			return CauseStalled
		case transport.WasReset(err):
			return CauseReset
		}
		return CauseEOF
	}
	return CauseFailed
}

// askFor bounds the question why a connection has ended, which asks no server.
const askFor = time.Second

// idleDeath is the shortest pause after which a connection that fails the first request is
// taken to have ended in the pause.
const idleDeath = 500 * time.Millisecond

// usage is how a connection of a pool is used. The pool's lock guards it.
type usage struct {
	uses      int
	direction string
	pause     time.Duration // for how long it was idle before the use under way
	quietFrom time.Time     // when its last user left
	usedFrom  time.Time     // when the first of its users came
	err       error         // what ended it
	inPause   bool          // it had ended before the use under way
	survived  time.Duration // the longest pause after which it could be used
	dataConns int64         // so many of FTP's data connections were counted
}

// begin takes note of the first user after a pause, when it is let on.
func (u *usage) begin() { u.pause, u.usedFrom = time.Since(u.quietFrom), time.Now() }

// used takes note of a lease.
func (p *pool) used(pc *pooled, direction string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pc.uses++
	pc.direction = direction
}

// justUsed reports whether the first of a connection's users came a moment ago: what is then
// lost may have been lost before.
func (p *pool) justUsed(pc *pooled) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(pc.usedFrom) < idleDeath
}

// failed takes note of the error that ended a connection; the first one stands. inPause says
// that it met the first request after a pause.
func (p *pool) failed(pc *pooled, err error, inPause bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pc.err == nil {
		pc.err, pc.inPause = err, inPause && pc.pause >= idleDeath
	}
}

// end closes a connection that is not among the idle ones any more. cause is "" where it is
// not usable.
func (p *pool) end(pc *pooled, cause string) {
	if pc.expire != nil {
		pc.expire.Stop()
	}
	if _, open := p.conns[pc]; !open {
		return
	}
	delete(p.conns, pc)
	if pc.err == nil && cause == "" && !pc.owned && pc.sharers > 0 { // nobody has told yet
		pc.inPause = pc.pause >= idleDeath && time.Since(pc.usedFrom) < idleDeath
	}
	inUse := (pc.owned || pc.sharers > 0 || pc.err != nil) && !pc.inPause
	e := Ended{Link: pc.Link, Host: p.host, Survived: pc.survived, InUse: inUse, Uses: pc.uses, Direction: pc.direction, Cause: cause, Err: pc.err}
	switch {
	case inUse:
	case pc.inPause:
		e.Idle = pc.pause
	default:
		e.Idle = time.Since(pc.quietFrom)
	}
	e.unasked = cause == "" && e.Err == nil
	if cause == "" && !e.unasked {
		e.Cause = causeOf(e.Err)
	}
	if inUse || !e.unasked {
		_ = pc.Close()
	}
	p.ended = append(p.ended, e)
}

// askWhy asks a connection that has ended by itself for the reason. One that nobody uses
// knows it and asks no server; one that is in use, and closed, answers when its users have
// noticed. So this is not for when the pool is locked.
func (e *Ended) askWhy() {
	ctx, cancel := context.WithTimeout(context.Background(), askFor)
	defer cancel()
	e.Err = (transport.Calls{Conn: e.Conn}).Ping(ctx)
	e.Cause = causeOf(e.Err)
	_ = e.Conn.Close()
}

// unlock unlocks the pool and tells of the connections that have ended meanwhile.
func (p *pool) unlock() {
	ended := p.ended
	p.ended = nil
	p.mu.Unlock()
	for _, e := range ended {
		if e.unasked {
			e.askWhy()
		}
		p.host.s.opts.Events.Ended(e)
	}
}
