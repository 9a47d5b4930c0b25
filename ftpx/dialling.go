package ftpx

import (
	"context"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/health"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// dial opens a connection.
func (c *client) dial(ctx context.Context, t session.Target, l *session.Link, answered func()) (conn transport.Conn, err error) {
	ep := c.endpoint(t)
	d := &dialling{c: c, target: t, begin: time.Now()}
	ep.Answered, ep.Traffic, ep.Trace, ep.Phase = answered, &l.Traffic, c.trace(l.ID), d.phase
	if c.hooks != nil && c.hooks.Dial != nil {
		var inside context.Context
		inside, d.finish = c.hooks.Dial(ctx, DialInfo{ID: c.idOf(ctx), Conn: l.ID, Host: ep.Host, Protocol: ep.Protocol, Addr: ep.Addr()})
		if inside != nil {
			ctx, l.Context = inside, inside
		}
	}
	err = ErrNoReturn
	defer func() {
		told := false
		defer func() {
			if !told && conn != nil {
				_ = conn.Close()
				c.record(t.Host, t.Protocol).Ended(false, health.End{})
			}
		}()
		d.end(conn, err)
		told = true
	}()
	if conn, err = c.login(ctx, ep); err != nil {
		return nil, err
	}
	return conn, nil
}

// dialling is a connection that is being opened.
type dialling struct {
	c      *client
	target session.Target
	begin  time.Time
	phases []DialPhase
	finish func(DialEnd)
}

func (d *dialling) phase(name string, took time.Duration, err error) {
	d.phases = append(d.phases, DialPhase{Name: name, Duration: took, Err: err})
}

// end tells of the end. conn is nil if err is not.
func (d *dialling) end(conn transport.Conn, err error) {
	d.c.stats.dials.Add(1)
	if err != nil {
		d.c.stats.dialsFailed.Add(1)
	}
	if d.finish == nil {
		d.c.healthOfDial(d, conn, err)
		return
	}
	defer d.c.healthOfDial(d, conn, err)
	e := DialEnd{Duration: time.Since(d.begin), Phases: d.phases, Err: err}
	if err == nil {
		e.Info = conn.Info()
	}
	d.finish(e)
}
