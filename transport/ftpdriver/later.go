package ftpdriver

import (
	"context"
	"errors"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// laterRename is a rename that goes out with the commands of the next operation.
// RNFR and RNTO are a round trip of their own, in which nothing else happens; sent
// before the STOR of the next file, they cost none.
type laterRename struct {
	from, to string
	late     *Late
}

func (l *laterRename) lines() []string { return []string{"RNFR " + l.from, "RNTO " + l.to} }

var errUnsent = errors.New("whoever had the connection next did not send the rename")

// RenameLater implements [transport.LateRenamer].
func (c *Conn) RenameLater(from, to string) (*Late, bool) {
	if transport.CheckPath(from) != nil || transport.CheckPath(to) != nil || c.serial {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.busy || c.later != nil || c.ctl.broken.Load() {
		return nil, false
	}
	l := &laterRename{from: from, to: to}
	l.late = NewLate(func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		mine := c.later == l
		if mine {
			c.later = nil
		}
		return mine
	})
	c.later = l
	return l.late, true
}

// Flush implements [transport.LateRenamer].
func (c *Conn) Flush(ctx context.Context) error {
	return c.do(ctx, "RNFR", "", func(*transport.Op) error { return nil })
}

// flush sends the rename that the operation has found waiting.
func (c *Conn) flush(ctx context.Context) error {
	l := c.carried
	if l == nil {
		return nil
	}
	err := c.ctl.send(l.lines()...)
	if err != nil {
		c.settle(ctx, nil, err, len(c.ctl.waiting) > 0)
	} else {
		err = c.delivered(ctx)
	}
	c.unsent = err != nil
	return err
}

// carriedLines are what has to be sent before an operation's own commands.
func (c *Conn) carriedLines() []string {
	if c.carried == nil {
		return nil
	}
	return c.carried.lines()
}

// delivered reads the replies to the rename that was sent. An error is about the
// connection.
func (c *Conn) delivered(ctx context.Context) error {
	if c.carried == nil {
		return nil
	}
	var replies []reply
	for range c.carried.lines() {
		r, _, err := c.ctl.final()
		if err != nil {
			c.settle(ctx, replies, err, true)
			return err
		}
		replies = append(replies, r)
	}
	c.settle(ctx, replies, nil, true)
	return nil
}

// settle tells whoever waits for the rename what became of it.
func (c *Conn) settle(ctx context.Context, replies []reply, err error, sent bool) {
	l := c.carried
	c.carried = nil
	if err = c.renamed(replies, err, l.from, l.to); err == nil {
		l.late.Settle(nil)
		return
	}
	var e *transport.Error
	if !errors.As(err, &e) {
		kind := c.kindOf("RNTO", err)
		if ctx.Err() != nil {
			kind = transport.KindLost // it was another's operation that was canceled
		}
		e = c.ep.Fail("RNTO", l.to, kind, err)
		e.MayHaveActed = sent
	}
	l.late.Settle(e)
}

// renamed judges the replies to RNFR and RNTO.
func (c *Conn) renamed(replies []reply, err error, from, to string) error {
	switch {
	case len(replies) > 0 && replies[0].code/100 != 3:
		// Without it RNTO (503) cannot have acted, answered or not.
		return c.refused(replies[0], from)
	case err != nil:
		return err
	case !replies[1].positive() || replies[1].code == 202:
		return c.refused(replies[1], to)
	}
	return nil
}

// pickUp hands the rename that waits to the operation that begins.
func (c *Conn) pickUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.carried, c.later = c.later, nil
}

// leftOver is for the end of an operation: a rename that it has not sent goes back to
// whoever waits for it, who could no longer withdraw it.
func (c *Conn) leftOver() {
	l := c.carried
	c.carried = nil
	c.drop(l)
}

// drop settles a rename that will not be sent.
func (c *Conn) drop(l *laterRename) {
	if l != nil {
		l.late.Settle(c.ep.Fail("RNTO", l.to, transport.KindLost, errUnsent))
	}
}
