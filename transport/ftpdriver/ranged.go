package ftpdriver

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A part of a file is asked for by REST, or RANG, and RETR in one write, while its data
// connection is dialled. A server that refuses the first of them sends the file from its
// beginning, which is cut off: nothing is lost by that, as it would be by STOR.

// halfClosed is up to which length our direction of a data connection to vsftpd or ProFTPD,
// which end a transfer when both have ended, is ended before the part has come, see
// [look.content].
const halfClosed = 128 << 10

// part is one such call of Retrieve.
type part struct {
	retrieval
	c    *Conn
	op   *transport.Op
	ends []string // what went with RETR for the time after it
	cut  bool     // it was ended before the end of the file
	// enough: by the destination, not by the limit
	enough bool
}

func (p *part) retrieve() (int64, error) {
	got, err := p.once()
	if p.ranged && got == 0 && err == errUnranged && p.c.ctl.inStep() {
		p.ranged = false
		got, err = p.once()
	}
	return got, err
}

// errUnranged: RANG, or RETR after it, was refused.
var errUnranged = as(transport.KindRestart, fmt.Errorf("the server does not send that range"))

func (p *part) once() (int64, error) {
	c := p.c
	port, early, err := c.nextPort()
	if err != nil {
		return 0, err
	}
	got, again, err := p.through(port, early)
	if again {
		lateHosts.add(c.addr)
		c.ctl.unhurry()
		c.aheadPort = 0
		if port, err = c.passive(); err == nil {
			got, _, err = p.through(port, false)
		}
	}
	return got, err
}

// through reads the part by a data connection to port. again says that it may be tried
// with another port.
func (p *part) through(port int, early bool) (got int64, again bool, err error) {
	c := p.c
	d := c.dialBeside(p.op, port, p.short() && (c.isVSFTPD() || c.isProFTPD()))
	defer d.free()
	var lines []string
	switch {
	case p.ranged:
		lines = append(lines, fmt.Sprintf("RANG %d %d", p.offset, p.offset+p.limit-1))
	case p.offset > 0:
		lines = append(lines, "REST "+strconv.FormatInt(p.offset, 10))
	}
	lines = append(lines, "RETR "+p.path)
	p.ends = nil
	if ends := []string{"EPSV"}; p.part.More && c.mayAskAhead() && (p.toEnd() || !c.isProFTPD()) && c.readsLater(lines, ends) {
		p.ends = ends
	}
	// Part of a file is asked for to prove what was being written.
	c.ctl.readBack = p.proof
	if err := c.ctl.send(append(lines, p.ends...)...); err != nil {
		return 0, false, err
	}
	var begins, first reply
	asked := len(lines) > 1
	if asked {
		begins, _, err = c.ctl.final()
	}
	c.ctl.asked.Store(true)
	if err == nil {
		first, err = c.ctl.receive()
	}
	if err != nil || !first.preliminary() || asked && begins.code != 350 {
		return p.refused(d, begins, first, err, early)
	}
	d.join()
	d.inVain(early)
	if d.err == nil {
		got, err = p.content(d)
	}
	stopped := err == nil && (p.enough || p.limit > 0 && got == p.limit)
	last, _, ferr := c.ctl.final()
	if ferr == nil {
		last, p.ends, ferr = c.ordered(last, p.ends)
	}
	if ferr == nil && !last.positive() {
		ferr = last.err()
	}
	p.drain(last)
	if stopped {
		return got, false, nil // whatever became of the session: the bytes are there
	}
	if unreached(d.dataConn, last) {
		return 0, early, d.err
	}
	return got, false, c.retrieveError(d.dataConn, besides(err, ferr), p.offset)
}

// short reports whether the part goes into the buffers of the kernel.
func (p *part) short() bool { return p.limit > 0 && p.limit <= halfClosed }

// toEnd reports whether the server is expected to come to the end of what it sends:
// where a transfer is cut off, ProFTPD's replies could not be told apart.
func (p *part) toEnd() bool { return p.limit <= 0 || p.ranged || p.part.Last }

// content takes what comes, up to the limit. If that is the end of the file all is in
// order; else the connection is cut, and whether the session survives depends on the
// server.
func (p *part) content(d *beside) (int64, error) {
	buf := transport.GetBuffer()
	defer transport.PutBuffer(buf)
	from := io.Reader(d.dataConn)
	if p.limit > 0 {
		from = io.LimitReader(from, p.limit)
	}
	got, err := transport.CopyBuffer(p.dst, from, *buf, p.moved)
	switch {
	case errors.Is(err, transport.ErrEnough):
		err, p.enough, p.cut = nil, true, true
		d.dataConn.cut()
	case err != nil:
		_ = d.fail(err) // where it was dst that failed, the rest must not come
	case got == p.limit && !p.atEnd(d.dataConn):
		p.cut = true
		d.dataConn.cut()
	default:
		_ = d.Close()
	}
	return got, err
}

// refused judges the replies where they are not those that were hoped for, or what came
// instead of them.
func (p *part) refused(d *beside, begins, first reply, err error, early bool) (got int64, again bool, _ error) {
	c := p.c
	if err != nil {
		d.giveUp()
		d.inVain(early)
		d.excuse(err)
		return 0, false, c.retrieveError(d.dataConn, err, p.offset)
	}
	d.giveUp()
	none := unreached(d.dataConn, first)
	if first.preliminary() {
		if d.wire != nil {
			d.cut() // what comes is not what was asked for
		}
		if _, _, err := c.ctl.final(); err != nil {
			return 0, false, c.retrieveError(d.dataConn, err, p.offset)
		}
	}
	p.drain(first)
	c.ctl.unhurry()
	if none {
		return 0, early, d.err
	}
	d.err = nil // that was we
	switch {
	case p.ranged && begins.code != 350:
		if begins.code != 554 { // which is about the file
			c.never("RANG")
		}
		return 0, false, errUnranged
	case p.ranged && first.code == 554:
		return 0, false, errUnranged // the file ends before the range does
	case p.offset > 0 && begins.code != 350:
		c.ctl.last = begins
		return 0, false, c.retrieveError(d.dataConn, begins.err(), p.offset)
	case first.positive():
		c.ctl.broken.Store(true)
		return 0, false, as(transport.KindProtocol, fmt.Errorf("the server ended a transfer that it had not begun: %w", first.err()))
	}
	return 0, early && first.code == 425, c.clarify("RETR", p.path, c.retrieveError(d.dataConn, first.err(), p.offset))
}

// drain reads the replies to what was sent for the time after the transfer, whose last
// reply is to stay the last.
func (p *part) drain(last reply) {
	c := p.c
	for range p.ends {
		r, _, err := c.ctl.final()
		if err != nil {
			break // whoever uses the session next finds it lost
		}
		c.took(r, nil, false)
	}
	c.ctl.last = last
}
