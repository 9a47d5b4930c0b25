package ftpx

import (
	"context"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// events has the hooks told of what happens in the session.
func (c *client) events() session.Events {
	h := c.hooks
	if h == nil {
		h = &Hooks{}
	}
	ended := c.healthOfAttempt // made once: without hooks an attempt allocates nothing for this
	return session.Events{
		Protocol: func(ctx context.Context, host string, p Protocol, why error) {
			if h.Protocol != nil {
				h.Protocol(ctx, ProtocolInfo{ID: c.idOf(ctx), Host: host, Protocol: p, Chosen: why == nil, Err: why})
			}
		},
		Moved: func(ctx context.Context, to, from string, why error) {
			c.stats.failovers.Add(1)
			if h.Host != nil {
				h.Host(ctx, HostInfo{ID: c.idOf(ctx), Host: to, Previous: from, Err: why})
			}
		},
		Attempt: func(ctx context.Context, t task, number int) (context.Context, func(session.AttemptEnd)) {
			if !c.numbered {
				return ctx, ended
			}
			return c.onAttempt(ctx, t, number)
		},
		Acquire: c.onAcquire,
		Retry:   c.onRetry,
		Breaker: func(ctx context.Context, b session.BreakerState) {
			if h.Breaker != nil {
				h.Breaker(ctx, BreakerInfo{ID: c.idOf(ctx), Host: b.Host, Protocol: b.Proto, Open: b.Open, Until: b.Until, Err: b.Why})
			}
		},
		Limit: func(ctx context.Context, host string, conns int) {
			if h.Limit != nil {
				h.Limit(ctx, LimitInfo{ID: c.idOf(ctx), Host: host, Conns: conns, Max: c.cfg.Limits.Conns})
			}
		},
		Released:   c.healthOfLease,
		Lost:       func() { c.stats.lost.Add(1) },
		Ended:      c.onEnded,
		NoProtocol: c.noProtocol,
		NoHost:     func(hosts []string, errs []error) error { return &HostsError{Hosts: hosts, Errs: errs} },
	}
}

func (c *client) onAttempt(ctx context.Context, t task, number int) (context.Context, func(session.AttemptEnd)) {
	op := c.operationOf(ctx)
	var finish func(AttemptEnd)
	if f := c.hooks.Attempt; f != nil {
		var inside context.Context
		inside, finish = f(ctx, AttemptInfo{ID: c.idOf(ctx), Op: t.Op, Local: t.Local, Remote: t.Remote, Attempt: number})
		if inside != nil {
			ctx = inside
		}
	}
	return ctx, func(e session.AttemptEnd) {
		defer c.healthOfAttempt(e) // also where the hook panics
		end := attemptEnd(t, e)
		op.attempted(end)
		if finish != nil {
			finish(end)
		}
	}
}

func attemptEnd(t task, e session.AttemptEnd) AttemptEnd {
	end := AttemptEnd{Offset: t.At(), Duration: e.Duration, DataConns: e.Data.Opened, DataLost: e.Data.Lost, Err: e.Err}
	if e.Host != nil {
		end.Host = e.Host.Name
	}
	if l := e.Lease; l != nil {
		link := l.Link()
		end.Conn, end.Host, end.Protocol, end.Addr = link.ID, l.Host.Name, l.Proto, link.Info().Addr
		end.Fresh, end.Shared, end.DialContext = l.Fresh, l.WasShared(), link.Context
	}
	return end
}

func (c *client) onAcquire(ctx context.Context, w session.Waiting) (context.Context, func(error)) {
	if c.hooks == nil || c.hooks.Acquire == nil {
		return ctx, nil
	}
	begin := time.Now()
	inside, finish := c.hooks.Acquire(ctx, AcquireInfo{ID: c.idOf(ctx), Host: w.Host, Wait: Wait(w.Wait)})
	if inside != nil {
		ctx = inside
	}
	if finish == nil {
		return ctx, nil
	}
	return ctx, func(err error) { finish(AcquireEnd{Duration: time.Since(begin), Err: err}) }
}

func (c *client) onRetry(ctx context.Context, t task, e retry.Event, failed session.AttemptEnd) {
	c.stats.retries.Add(1)
	c.recordOfAttempt(failed).Retry()
	if c.hooks == nil || c.hooks.Retry == nil {
		return
	}
	c.hooks.Retry(ctx, RetryInfo{ID: c.idOf(ctx), Conn: connOf(failed.Lease), Op: t.Op, Local: t.Local, Remote: t.Remote,
		Attempt: e.Attempt, Err: e.Err, Class: e.Class, Delay: e.Delay, Offset: t.At()})
}

// connOf is the number of a lease's connection, 0 for none.
func connOf(l *lease) uint64 {
	if l == nil {
		return 0
	}
	return l.Link().ID
}

func (c *client) onEnded(e session.Ended) {
	c.healthOfEnd(e)
	if c.hooks == nil || c.hooks.Conn == nil {
		return
	}
	c.hooks.Conn(connInfo(e, time.Now()))
}

func connInfo(e session.Ended, now time.Time) ConnInfo {
	info, moved := e.Info(), e.Traffic.Total()
	i := ConnInfo{Conn: e.ID, Host: e.Host.Name, Protocol: e.Proto, Addr: info.Addr, Peer: info.Peer,
		Opened: e.Opened, Age: now.Sub(e.Opened), Idle: e.Idle, InUse: e.InUse, Direction: e.Direction,
		Sent: moved.Sent, Received: moved.Received, Operations: e.Uses, Cause: Cause(e.Cause), Err: e.Err, TCP: moved.TCP}
	if e.Err != nil {
		i.Kind = KindOf(e.Err)
	}
	return i
}

// newEnv is what transfers need of the client.
func (c *client) newEnv() transfer.Env {
	return transfer.Env{
		Session: c.sess,
		Sent:    func(n int64) { c.stats.sent.Add(n) }, Received: func(n int64) { c.stats.received.Add(n) },
		Resumed: func(l *lease, t task, at transfer.Position, proof string) {
			c.stats.resumes.Add(1)
			c.recordOf(l).Saved(at.Offset)
			if c.hooks != nil && c.hooks.Resume != nil {
				c.hooks.Resume(l.Context(), ResumeInfo{ID: c.idOf(l.Context()), Conn: connOf(l), Op: t.Op, Local: t.Local, Remote: t.Remote,
					Offset: at.Offset, Size: at.Size, Proof: proof})
			}
		},
		Progress: func(l *lease, t task, at transfer.Position) {
			if c.hooks != nil && c.hooks.Progress != nil {
				c.hooks.Progress(l.Context(), c.progressInfo(l, t, at))
			}
		},
		Verified: func(l *lease, t task, ch transfer.Check) {
			if c.hooks != nil && c.hooks.Verify != nil {
				c.hooks.Verify(l.Context(), VerifyInfo{ID: c.idOf(l.Context()), Conn: connOf(l), Op: t.Op, Local: t.Local, Remote: t.Remote,
					Verified: verified(ch), Duration: ch.Took, Err: ch.Err})
			}
		},
	}
}

// verified is what a check has shown.
func verified(ch transfer.Check) Verified {
	if ch.Err != nil {
		return Verified{}
	}
	return Verified(ch.Verified)
}

func (c *client) progressInfo(l *lease, t task, at transfer.Position) ProgressInfo {
	return ProgressInfo{ID: c.idOf(l.Context()), Conn: connOf(l), Op: t.Op, Local: t.Local, Remote: t.Remote, Offset: at.Offset, Size: at.Size}
}

// progress makes a caller's function one of a transfer, nil for nil.
func (c *client) progress(t task, f func(ProgressInfo)) func(*lease, transfer.Position) {
	if f == nil {
		return nil
	}
	return func(l *lease, at transfer.Position) { f(c.progressInfo(l, t, at)) }
}

// trace has the hooks told of what goes over a connection, nil where they do not want to
// know.
func (c *client) trace(conn uint64) *transport.Trace {
	h := c.hooks
	if h == nil || h.Command == nil && h.Reply == nil {
		return nil
	}
	t := &transport.Trace{Conn: conn}
	if h.Command != nil {
		t.Command = func(ctx context.Context, i transport.TraceCommand) {
			h.Command(ctx, CommandInfo{ID: c.idOf(ctx), Conn: i.Conn, Seq: i.Seq, Protocol: i.Protocol, Addr: i.Addr, Line: i.Line})
		}
	}
	if h.Reply != nil {
		t.Reply = func(ctx context.Context, i transport.TraceReply) {
			h.Reply(ctx, ReplyInfo{ID: c.idOf(ctx), Conn: i.Conn, Seq: i.Seq, Protocol: i.Protocol, Addr: i.Addr, Code: i.Code, Text: i.Text})
		}
	}
	return t
}
