package ftpdriver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// RetrieveLook implements [transport.Looker]: what Stat asks, and RETR, leave in one
// write, and the data connection is dialled while they are on their way.
func (c *Conn) RetrieveLook(ctx context.Context, name string, dst io.Writer, opt *IO, more bool, seen func(transport.Entry) error) (int64, error) {
	var got int64
	err := c.doPath(ctx, "RETR", name, func(op *transport.Op) (err error) {
		if !c.together() {
			return ErrNoLook
		}
		if !c.isVSFTPD() && (!c.feats.has("MLST") || c.noMLST) {
			if err := c.wayHome(); err != nil {
				return besides(ErrNoLook, err)
			}
		}
		look := &look{c: c, op: op, name: name, dst: op.Writer(dst), seen: seen, more: more}
		if opt != nil && opt.Progress != nil {
			look.moved = func(n int64) { op.Aside(func() { opt.Report(n) }) }
		}
		got, err = look.retrieve()
		return err
	})
	if errors.Is(err, ErrNoLook) {
		return 0, ErrNoLook
	}
	return got, err
}

// look is one call of RetrieveLook.
type look struct {
	c     *Conn
	op    *transport.Op
	name  string
	dst   io.Writer
	seen  func(transport.Entry) error
	moved func(int64)
	more  bool
	ends  []string // sent with RETR, their replies to be read after its own
	// refused: it ended before the content, by seen or for want of an answer.
	refused bool
}

// lines are what is asked before RETR: as in stat, without its second thoughts. vsftpd
// tells the size of files alone, so that it need not be asked for a folder.
func (k *look) lines() []string {
	c := k.c
	switch {
	case c.feats.has("MLST") && !c.noMLST:
		return []string{"MLST " + k.name}
	case c.isVSFTPD():
		return []string{"SIZE " + k.name, "MDTM " + k.name}
	}
	return []string{"SIZE " + k.name, "MDTM " + k.name, "CWD " + k.name, "CWD " + c.home}
}

// wayHome is findHome in the round trip in which a port is asked for.
func (c *Conn) wayHome() error {
	if c.home != "" || c.aheadPort > 0 || !c.mayAskAhead() {
		return c.findHome()
	}
	replies, err := c.exchange("PWD", "EPSV")
	if err != nil {
		return err
	}
	c.took(replies[1], nil, false)
	return c.tookHome(replies[0])
}

func (k *look) retrieve() (int64, error) {
	c := k.c
	port, early, err := c.nextPort()
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(k.op.Context(), c.ep.ConnectBudget())
	d := &dataConn{ctl: c.ctl, op: k.op}
	dialled := make(chan struct{})
	go func() {
		defer close(dialled)
		c.reach(ctx, d, port)
	}()
	defer func() {
		cancel()
		<-dialled
		if d.wire != nil {
			d.release()
		}
	}()
	lines := append(k.lines(), "RETR "+k.name)
	if ends := []string{"EPSV"}; k.more && c.mayAskAhead() && c.readsLater(lines, ends) {
		k.ends = ends
	}
	if err := c.ctl.send(append(lines, k.ends...)...); err != nil {
		return 0, err
	}
	entry, err := k.entry(len(lines) - 1)
	if err != nil {
		return 0, err
	}
	got, begun, err := k.content(d, dialled, cancel, entry)
	last := c.ctl.last
	for range k.ends {
		r, _, rerr := c.ctl.final()
		if rerr != nil {
			c.halfAnswered = true
			break // whoever uses the session next finds it lost
		}
		c.took(r, nil, false)
	}
	c.ctl.last = last
	if !k.refused {
		if err = c.retrieveError(d, err, 0); err != nil && !begun {
			err = c.clarify("RETR", k.name, err)
		}
	}
	if early && d.err != nil && d.wire == nil && k.op.Context().Err() == nil {
		lateHosts.add(c.addr)
	}
	return got, err
}

// entry reads the replies to lines. It is nil if they do not tell enough.
func (k *look) entry(n int) (*transport.Entry, error) {
	replies := make([]reply, n)
	for i := range replies {
		r, _, err := k.c.ctl.final()
		if err != nil {
			return nil, err
		}
		replies[i] = r
	}
	if n == 1 {
		if e, ok := parseMLST(replies[0].text); ok && replies[0].positive() && !maybeLink(e) && e.Type == transport.TypeFile {
			e.Name = path.Base(k.name)
			return &e, nil
		}
		return nil, nil
	}
	e, ok := k.c.sizeAndTime(replies[0], replies[1])
	if n > 2 {
		cwd, home := replies[2], replies[3]
		if cwd.positive() && !home.positive() {
			k.c.ctl.broken.Store(true)
			return nil, home.err()
		}
		if cwd.positive() && !k.c.noCWD || cwd.kind() == transport.KindPermission {
			return nil, nil // a folder, it seems: Stat makes sure
		}
		k.c.notEntered(cwd)
	}
	if !ok || e.Size < 0 {
		return nil, nil
	}
	e.Name = path.Base(k.name)
	return &e, nil
}

// content takes what RETR brings. begun tells whether the server had begun.
func (k *look) content(d *dataConn, dialled <-chan struct{}, cancel func(), entry *transport.Entry) (got int64, begun bool, err error) {
	c := k.c
	// vsftpd and ProFTPD end a transfer when both directions are ended, and a small file
	// has no round trip to spare for that. Of a large one it would be held against us:
	// what stands on the way forgets connections that are half closed.
	endOurs := entry != nil && entry.Size <= smallFile && (c.isVSFTPD() || c.isProFTPD())
	if endOurs && c.tls == nil {
		select {
		case <-dialled:
			if endOurs = false; d.err == nil {
				c.nothingToSend(d)
			}
		default:
		}
	}
	first, err := c.ctl.receive()
	if err != nil {
		cancel()
		<-dialled
		d.excuse(err)
		return 0, true, err
	}
	if !first.preliminary() {
		cancel()
		<-dialled
		d.err = nil // that was we
		switch {
		case first.positive():
			c.ctl.broken.Store(true)
			return 0, true, as(transport.KindProtocol, fmt.Errorf("the server ended a transfer that it had not begun: %w", first.err()))
		case entry == nil:
			k.refused = true
			return 0, false, ErrNoLook // Stat finds out what there is
		}
		return 0, false, first.err()
	}
	<-dialled
	if d.err == nil {
		if endOurs {
			c.nothingToSend(d)
		}
		seen := ErrNoLook
		if entry != nil {
			k.op.Aside(func() { seen = k.seen(*entry) })
		}
		if seen != nil {
			k.refused = true
			d.cut()
			_, _, _ = c.ctl.final() // if it comes, the session goes on
			return 0, true, seen
		}
		buf := transport.GetBuffer()
		defer transport.PutBuffer(buf)
		got, err = transport.CopyBuffer(k.dst, d, *buf, k.moved)
		if errors.Is(err, transport.ErrEnough) {
			d.cut()
			_, _, _ = c.ctl.final() // if it comes, the session goes on
			return got, true, nil
		}
		if err != nil {
			_ = d.fail(err)
		}
		_ = d.Close()
	}
	last, _, ferr := c.ctl.final()
	if ferr == nil {
		last, k.ends, ferr = c.ordered(last, k.ends)
	}
	if ferr == nil && !last.positive() {
		ferr = last.err()
	}
	return got, true, besides(err, ferr)
}

// excuse forgets why a data connection was not had where that follows from what became
// of the control connection: from our giving up, or from the server's.
func (d *dataConn) excuse(lost error) {
	canceled := errors.Is(d.err, context.Canceled) && d.op.Context().Err() == nil
	if canceled || lost != nil && d.wire == nil && !errors.Is(lost, errHurry) {
		d.err = nil
	}
}

// nothingToSend ends our direction of a download, under TLS with close_notify. That
// ProFTPD would leave unread, which makes a reset of the end of its own direction; it
// waits for the end of the socket.
func (c *Conn) nothingToSend(d *dataConn) {
	if d.tls != nil && !c.isProFTPD() {
		_ = d.tls.CloseWrite()
	}
	_ = d.wire.CloseWrite()
	d.ended = true
}

// mayAskAhead reports whether the next port may be asked for before it is needed.
func (c *Conn) mayAskAhead() bool {
	return !c.noEPSV && !c.wantsPRET() && c.ep.ActiveAddr == "" && !lateHosts.has(c.addr)
}
