package session

import (
	"context"
	"errors"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// ErrTooLarge says that work which shares a connection is too large for that; it is
// begun again on a connection of its own.
var ErrTooLarge = errors.New("the file is too large to share a connection")

// ShareMost is the size of a file that may share a connection. What is larger would hold
// up those it shares it with, and be lost with their connection.
const ShareMost = 256 << 10

// Lease is the use of a connection for one attempt. Batches go through it at no more than
// the rates of the client and of the task allow. One goroutine owns it.
type Lease struct {
	transport.Calls
	// Proto is the connection's protocol, Host where it leads.
	Proto transport.Protocol
	Host  *Host
	// Attempt is where progress is reported.
	Attempt *retry.Attempt
	// Fresh: the connection was opened for this attempt.
	Fresh bool
	// Acted: a request of this operation whose reply was lost, in whatever attempt, may
	// have taken effect.
	Acted bool

	conn   *pooled
	place  place
	ctx    context.Context // of the attempt
	task   *Task
	shared bool // others had it first
	rates  rates
	moved  bool // payload has gone over it

	payload int64
	since   time.Time
	data    dataCounter // on FTP
}

// lease makes a lease of a connection for which its maker has a place.
func (h *Host) lease(ctx context.Context, pc *pooled, at place, j *job) *Lease {
	l := &Lease{Proto: pc.Proto, Host: h, Attempt: j.attempt, conn: pc, place: at, ctx: ctx, task: &j.task,
		shared: at == share, since: time.Now(), rates: rates{h.s.opts.Rate, j.task.Rate}}
	l.Calls.Conn = pc.Conn
	if l.Proto.IsFTP() {
		l.data = dataCounter{Conn: pc.Conn, tally: &j.data}
		l.Calls.Conn = &l.data
	}
	if !l.rates.none() {
		l.Calls.Conn = &ratedConn{l.Calls.Conn, l.rates}
	}
	h.pool.used(pc, j.task.Direction)
	return l
}

// Context is the context of the attempt, for what is told of it.
func (l *Lease) Context() context.Context { return l.ctx }

// Link is the connection.
func (l *Lease) Link() *Link { return l.conn.Link }

// WasShared reports whether others had the connection first.
func (l *Lease) WasShared() bool { return l.shared }

// Failed says with what error the connection has ended. It is for leases of [Lease.Another].
func (l *Lease) Failed(err error) {
	if err != nil && !l.Usable() {
		l.Host.pool.failed(l.conn, err, false)
	}
}

// Moved says that n bytes of payload have gone over the connection.
func (l *Lease) Moved(n int64) {
	if !l.moved {
		l.Host.noData.had()
	}
	l.moved = true
	l.payload += n
}

// Payload is how much that was, and how long the lease has lasted.
func (l *Lease) Payload() (int64, time.Duration) { return l.payload, time.Since(l.since) }

// Direction is that of the task.
func (l *Lease) Direction() string { return l.task.Direction }

// Limited reports whether a rate limits it.
func (l *Lease) Limited() bool { return !l.rates.none() }

// Shared reports whether others may use the connection at the same time because they got
// it first.
func (l *Lease) Shared() bool { return l.place == share }

// Release ends the use of the connection, which is kept if it is in a known state. It may
// be called twice.
func (l *Lease) Release() {
	at := l.place
	l.place = noPlace
	if at != noPlace {
		l.over()
	}
	switch at {
	case share:
		l.Host.pool.unshare(l.conn)
	case slot:
		defer l.Host.pool.freeSlot()
		l.Host.pool.put(l.conn)
	}
}

// drop ends a connection that is not usable, and keeps its slot for another.
func (l *Lease) drop() {
	l.place = noPlace
	kept := false
	defer func() {
		if !kept {
			l.Host.pool.freeSlot()
		}
	}()
	l.over()
	l.Host.pool.put(l.conn)
	kept = true
}

// Carries reports whether the connection may carry a file of a size, -1 where it is not
// known. Where it is shared and the file is too large for that, but it is idle otherwise
// and there is a slot, it becomes the caller's own.
func (l *Lease) Carries(size int64) bool {
	if size >= 0 && size <= ShareMost {
		return true
	}
	p := l.Host.pool
	if l.place != share {
		if l.conn.inTurn {
			p.reserve(l.conn)
		}
		return true
	}
	if l.conn.inTurn || !p.trySlot() {
		return false
	}
	if !p.reclaim(l.conn) {
		p.freeSlot()
		return false
	}
	p.unshare(l.conn) // the slot's use counts now
	l.place = slot
	return true
}

// Another opens, or takes, one more connection of the same kind for the same attempt, if
// there is a slot that nobody waits for. It is nil where there is none; final says that
// the host does not let us in, so that it should not be asked again: servers lock
// accounts. Release must be called.
func (l *Lease) Another(ctx context.Context) (other *Lease, final bool) {
	h := l.Host
	if !h.pool.trySlot() {
		return nil, false
	}
	free := true // the slot, whatever happens
	defer func() {
		if free {
			h.pool.freeSlot()
		}
	}()
	pc, _, company, err := h.s.takeOrDial(ctx, h, false, 0)
	if err != nil {
		again := h.queueAgain(err, company) // before the slot is free for another to be refused
		return nil, !again && ctx.Err() == nil && !elsewhere(err)
	}
	free = false
	other = h.lease(ctx, pc, slot, &job{task: *l.task, attempt: l.Attempt})
	other.data.tally = l.data.tally // as the attempt is the same
	if pc.inTurn {
		h.pool.reserve(pc)
	}
	if other.Proto != l.Proto {
		other.Release()
		return nil, false
	}
	return other, false
}
