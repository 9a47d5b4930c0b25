package session

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

var (
	// ErrClosed says that the client has been closed.
	ErrClosed = errors.New("ftpx: client is closed")
	// ErrNoReturn is the end of what did not return.
	ErrNoReturn = errors.New("the call did not return: code of the caller's panicked or ended its goroutine")
)

// Options are what a session needs to know of its client.
type Options struct {
	// Hosts are the names of the hosts, best first, and Ranks their ranks, which do not
	// fall; nil means that each is better than the next.
	Hosts []string
	Ranks []int
	// Protocols are those that may be used, best first.
	Protocols []transport.Protocol
	// Plaintext allows plain FTP where it is listed.
	Plaintext bool
	// HeadStart is how long a protocol may be silent before the next one starts, and
	// Recheck how long a choice stands that was not the best.
	HeadStart, Recheck time.Duration
	// MaxConns is the most connections to a host, MaxTransfers the most transfers at
	// once, 0 for any.
	MaxConns, MaxTransfers int
	// Retry decides about further attempts.
	Retry retry.Policy
	// Rate limits all transfers together, nil for no limit.
	Rate *rate.Limiter
	// Dial connects and logs in. It may fill in the link's Context. answered is called with
	// the first byte that arrives.
	Dial func(ctx context.Context, t Target, l *Link, answered func()) (transport.Conn, error)
	// Prepare gets what Dial needs before the race begins, such as a password: the time
	// that this takes must not count as the host's silence. Nil for nothing.
	Prepare func(ctx context.Context, t Target) error
	// Events are told what happens.
	Events Events
}

// Target is what is dialled: a host by its place in [Options].Hosts, in one protocol.
type Target struct {
	Host     int
	Protocol transport.Protocol
}

// Task describes an operation.
type Task struct {
	// Op, Local and Remote name it in events.
	Op, Local, Remote string
	// Transfer: it moves a file, and counts for [Options].MaxTransfers.
	Transfer bool
	// Small: it may share a connection with others.
	Small bool
	// Direction is "up" or "down" for what moves a file.
	Direction string
	// Rate limits it, nil for no limit.
	Rate *rate.Limiter
	// Offset tells how many bytes are known to have arrived; nil for 0.
	Offset func() int64
}

// At returns Offset's answer.
func (t Task) At() int64 {
	if t.Offset == nil {
		return 0
	}
	return t.Offset()
}

// Session is all the connections of a client. It is safe for concurrent use.
type Session struct {
	opts   Options
	hosts  hosts
	turns  *limiter // of Options.MaxTransfers, nil for none
	links  atomic.Uint64
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// New returns a session that has not dialled yet. Close must be called.
func New(opts Options) *Session {
	opts.Events = opts.Events.filled()
	s := &Session{opts: opts}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	if opts.MaxTransfers > 0 {
		s.turns = newLimiter(opts.MaxTransfers)
	}
	for i, name := range opts.Hosts {
		h := newHost(s, i, name)
		if h.rank = i; opts.Ranks != nil {
			h.rank = opts.Ranks[i]
		}
		if len(opts.Hosts) > 1 {
			h.outlook = newOutlook()
		}
		s.hosts.list = append(s.hosts.list, h)
	}
	return s
}

// Close ends all connections at once. Work under way fails with [ErrClosed].
func (s *Session) Close() {
	s.cancel(ErrClosed)
	for _, h := range s.hosts.list {
		h.pool.close()
	}
}

// Counts returns how many connections are open, and how many of those are idle.
func (s *Session) Counts() (open, idle int) {
	for _, h := range s.hosts.list {
		o, i := h.pool.counts()
		open, idle = open+o, idle+i
	}
	return open, idle
}

// Run is the one visible stack of every operation: retry, then choose and acquire a
// connection, operate, and release it. Nothing is held while waiting for the next
// attempt.
func (s *Session) Run(ctx context.Context, t Task, f func(context.Context, *Lease) error) error {
	if s.turns != nil && t.Transfer {
		if err := s.turn(ctx, s.turns, Waiting{Wait: WaitTurn}); err != nil {
			return err
		}
		defer s.turns.release()
	}
	r := &running{s: s, task: t, f: f, ctx: ctx}
	defer r.unpause(ErrNoReturn)
	err := s.opts.Retry.Do(ctx, r.attempt, r.failed)
	r.unpause(err)
	return err
}

// running is one call of Run.
type running struct {
	s    *Session
	task Task
	f    func(context.Context, *Lease) error
	ctx  context.Context

	doubts doubts
	said   answers
	last   AttemptEnd
	paused func(error) // ends the pause between two attempts, nil for none
}

func (r *running) attempt(ctx context.Context, a *retry.Attempt) error {
	r.unpause(nil)
	j := &job{task: r.task, attempt: a, f: r.operate}
	begin := time.Now()
	err := r.s.attempt(ctx, j)
	r.last = j.end(begin, err)
	return err
}

// operate is the operation on a connection, and what its error means.
func (r *running) operate(ctx context.Context, l *Lease) error {
	l.Acted = r.doubts.acted
	err := r.said.judge(r.doubts.judge(r.f(ctx, l), l), l)
	if err == nil && (r.task.Transfer || r.task.Op == "list") {
		l.Host.noData.had()
	}
	return l.Host.noData.judge(err, r.s.opts.Retry)
}

// failed tells of an attempt that will be followed by another. A server that has said that
// it is full is waited for meanwhile.
func (r *running) failed(e retry.Event) {
	busy := e.Class == retry.Busy
	e.Delay = max(e.Delay, r.s.hosts.untilFree())
	r.s.opts.Events.Retry(r.ctx, r.task, e, r.last)
	if busy {
		_, r.paused = r.s.opts.Events.Acquire(r.ctx, Waiting{Wait: WaitBusy})
	}
}

func (r *running) unpause(err error) {
	if f := r.paused; f != nil {
		r.paused = nil
		f(err)
	}
}

// maxDoubts bounds how often a refusal is doubted because its connection went with it.
const maxDoubts = 2

// doubts are what attempts of one operation have left open.
type doubts struct {
	acted bool // a request whose reply was lost may have taken effect
	many  int
}

// judge doubts a refusal that came with the loss of its connection: a garbled or late
// reply must not end an operation for good.
func (d *doubts) judge(err error, l *Lease) error {
	var te *transport.Error
	if !errors.As(err, &te) {
		return err
	}
	d.acted = d.acted || te.MayHaveActed
	if l.Usable() || !refusal(te.Kind) || d.many >= maxDoubts {
		return err
	}
	d.many++
	return &transport.Error{Op: te.Op, Path: te.Path, Kind: transport.KindLost, Protocol: te.Protocol, Addr: te.Addr,
		MayHaveActed: te.MayHaveActed, Err: err}
}

// refusal reports whether a kind is a server's word that an operation often answers by
// another request, which a lost connection has kept from it: a stat whether the name is
// taken, a folder to be made. Such a word by itself is not the end.
func refusal(k transport.Kind) bool {
	switch k {
	case transport.KindNotExist, transport.KindExist, transport.KindPermission, transport.KindName,
		transport.KindUnsupported, transport.KindRefused, transport.KindTemporary: // SSH_FX_FAILURE
		return true
	}
	return false
}

// closedErr turns what a closed connection brings up into [ErrClosed], which nothing is
// tried after.
func (s *Session) closedErr(err error) error {
	if err == nil || s.ctx.Err() == nil {
		return err
	}
	if !errors.Is(err, ErrClosed) {
		err = errors.Join(ErrClosed, err)
	}
	return retry.Stop(err)
}
