package ftpdriver

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// A file is asked for by RETR, part of it by REST, or RANG, and RETR, in one write with
// what is asked before it, while its data connection is dialled. RETR changes nothing: a
// server that refuses REST sends the file from its beginning, and one that is not wanted
// after all sends what nobody has asked for; either is cut off, and nothing is lost by
// that, as it would be by STOR.
//
// The end of the data connection proves nothing: a file that was cut off looks just like
// it, and all three big servers say 226 to it. Callers compare the size.

// download is one Retrieve under way.
type download struct {
	r        *run
	op       *wire.Op
	w        *flight
	q        *transport.Retrieve
	at       int // its place in the batch
	ranged   bool
	prefetch []string // the question for the next port, where it was sent
	// decided: the condition has been asked, or cannot be yet; unwanted: nothing is to
	// come, because it was not met or because of that.
	decided, unwanted bool
}

// retrieve carries out a Retrieve, and what leaves with it.
func (r *run) retrieve(op *wire.Op, w *flight, q *transport.Retrieve) error {
	c := r.c
	g := &download{r: r, op: op, w: w, q: q, at: r.indexOf(q)}
	g.decided = g.at == r.next
	g.ranged = c.asksRange(q)
	port, prefetched, err := c.nextPort()
	if err != nil && len(w.parts) > 0 && c.ctl.inStep() {
		w.move = nil // it fails when they are over
		return r.plain(w)
	}
	if err == nil {
		err = g.retrieve(port, prefetched)
	}
	if g.decided && !g.unwanted && allJudged(w.parts) && c.deniesPath(q.Path, err) {
		err = c.retrieveInside(op, q, err)
	}
	r.look(w.parts)
	if g.unwanted {
		// Where a second look was needed it is sent again, if that and the condition say so.
		w.skip, w.move, w.lost = g.decided, nil, err
		return err
	}
	w.moved, w.failed = g.decided && allJudged(w.parts), err
	return err
}

// asksRange reports whether RETR is to be told where to end (draft-bryan-ftp-range), which
// ProFTPD takes: otherwise what is on its way when the limit is reached is sent for nothing.
func (c *Conn) asksRange(q *transport.Retrieve) bool {
	return q.Limit > 0 && q.Limit <= math.MaxInt64-q.Offset && !q.Last && strings.EqualFold(c.feats["RANG"], "STREAM")
}

// rangeLine is the command for it.
func rangeLine(q *transport.Retrieve) string {
	return fmt.Sprintf("RANG %d %d", q.Offset, q.Offset+q.Limit-1)
}

// errUnranged: RANG, or RETR after it, was refused.
var errUnranged = as(transport.KindRestart, fmt.Errorf("the server does not send that range"))

// noRange takes note of a RANG that was refused.
func (c *Conn) noRange(r reply) {
	if r.code != 554 { // which is about the file
		c.never("RANG")
	}
}

func (g *download) retrieve(port int, prefetched bool) error {
	c := g.r.c
	for {
		again, err := g.through(port, prefetched)
		switch {
		case again:
			prefetched = false
			port, err = c.otherPort()
		case err == errUnranged && g.ranged && g.q.Received == 0 && c.ctl.inStep():
			g.ranged = false
			port, prefetched, err = c.nextPort()
		default:
			return err
		}
		if err != nil {
			return err
		}
	}
}

// through reads the file by a data connection to port. again says that it may be tried
// with another port.
func (g *download) through(port int, prefetched bool) (again bool, err error) {
	c := g.r.c
	ended := g.short()
	data := newDataConn(c.ctl, g.op)
	data.firstChunk = c.traits.firstChunk
	d := c.dialConcurrently(data, port, func() {
		if ended {
			c.nothingToSend(data)
		}
	})
	d.prefetched = prefetched
	defer d.free()
	begins, first, err := g.ask(d)
	data.hears = len(g.prefetch) > 0 && c.traits.disorders // a refusal may be of those
	if err == nil && first.preliminary() {
		d.hear()
	}
	if err != nil || !first.preliminary() || g.begins() != "" && begins.code != 350 {
		return g.refused(d, begins, first, err)
	}
	c.tookPath(g.q.Path)
	d.join()
	d.inVain()
	stopped := g.unwanted
	if d.err == nil && g.unwanted {
		d.cutOff()
	} else if d.err == nil {
		if !d.ended && g.short() {
			c.nothingToSend(data)
		}
		if stopped, err = receive(g.op, g.q, data, data); err != nil && data.err == nil {
			data.cutOff() // it was Dst that failed: the rest must not come
			_ = data.fail(err)
		}
		_ = data.Close()
	}
	last, _, ferr := c.ctl.final()
	if ferr == nil {
		last, ferr = g.ordered(last)
	}
	if ferr == nil && !last.positive() {
		ferr = last.err()
	}
	g.drain(last)
	if stopped {
		return false, nil // whatever became of the session: the bytes are there
	}
	if d.unreached(last) {
		return d.again, d.err
	}
	if size, ok := g.expected(); ok && size == 0 && ferr == nil && g.q.Received == 0 && d.wire != nil {
		return false, nil // some servers close its connection without a word of TLS
	}
	return false, c.retrieveError(data, joinErr(err, ferr), g.q.Offset)
}

// begins is the command that says where the part begins, "" if it is the file's
// beginning.
func (g *download) begins() string {
	switch {
	case g.ranged:
		return rangeLine(g.q)
	case g.q.Offset > 0 || g.r.c.ctl.restLeft:
		return "REST " + strconv.FormatInt(g.q.Offset, 10)
	}
	return ""
}

// ask sends RETR, with what comes before it and what may go with it, and returns the
// reply to where it begins and the first one to RETR.
func (g *download) ask(d *dialling) (begins, first reply, err error) {
	c := g.r.c
	var before []*part
	if !allJudged(g.w.parts) {
		before = g.w.parts
	}
	var lines []string
	if begins := g.begins(); begins != "" {
		lines = append(lines, begins)
	}
	lines = append(lines, "RETR "+g.q.Path)
	g.prefetch = nil
	if prefetch := []string{"EPSV"}; c.mayPrefetch() && g.r.portWanted(g.at+1) && (g.toEnd() || !c.traits.disorders) &&
		c.readsLater(append(linesOf(before), lines...), prefetch) {
		g.prefetch = prefetch
	}
	c.ctl.readBack = g.q.Written
	if err := g.r.send(before, append(lines, g.prefetch...)...); err != nil {
		return reply{}, reply{}, err
	}
	if err := g.r.answers(before); err != nil {
		return reply{}, reply{}, err
	}
	g.decide()
	if len(lines) > 1 {
		if begins, _, err = c.ctl.final(); err != nil {
			return begins, reply{}, err
		}
	}
	c.ctl.asked.Store(true)
	if !g.unwanted && g.short() {
		select {
		case <-d.ready:
			if d.err == nil && !d.ended {
				c.nothingToSend(d.dataConn)
			}
		default: // when it has begun
		}
	}
	first, err = c.ctl.receive()
	return begins, first, err
}

// decide asks the condition, if all is known that it may depend on.
func (g *download) decide() {
	if g.decided {
		return
	}
	if g.open() {
		g.unwanted = true
		return
	}
	g.decided = true
	for _, p := range g.w.parts { // what the condition may look at
		if p.q == nil {
			continue
		}
		if p.q.Common().Err = nil; p.err != nil {
			p.q.Common().Err = g.r.c.failure(g.r.ctx, p.q, p.err, nil)
		}
	}
	if h := g.q.Common(); h.If != nil {
		g.op.Aside(func() { g.unwanted = !h.If() })
	}
}

// open reports whether a second look is needed at what was asked before it.
func (g *download) open() bool {
	for _, p := range g.w.parts {
		if p.look != nil {
			return true
		}
	}
	return false
}

// refused judges the replies where they are not those that were hoped for, or what came
// instead of them.
func (g *download) refused(d *dialling, begins, first reply, err error) (again bool, _ error) {
	c, offset := g.r.c, g.q.Offset
	sends := err == nil && first.preliminary()
	if sends {
		d.join()
	} else {
		d.giveUp()
	}
	d.inVain()
	if err != nil {
		d.excuse(err)
		return false, c.retrieveError(d.dataConn, err, offset)
	}
	none := d.unreached(first)
	g.agreed(first)
	if sends {
		if d.err == nil {
			d.cutOff() // what comes is not what was asked for
		}
		if _, _, err := c.ctl.final(); err != nil {
			return false, c.retrieveError(d.dataConn, err, offset)
		}
	}
	g.drain(first)
	c.ctl.lengthenWait()
	if none {
		return d.again && !g.unwanted, d.err
	}
	d.err = nil // it was given up here
	switch {
	case g.unwanted:
		return false, nil
	case g.ranged && begins.code != 350:
		c.noRange(begins)
		return false, errUnranged
	case g.ranged && first.code == 554:
		return false, errUnranged // the file ends before the range does
	case offset > 0 && begins.code != 350:
		c.ctl.last = begins
		return false, c.retrieveError(d.dataConn, begins.err(), offset)
	case first.positive():
		return false, c.unbegun(first)
	}
	again = d.forgotten(first)
	return again, c.clarify("RETR", g.q.Path, c.retrieveError(d.dataConn, first.err(), offset))
}

// ordered finds the final reply among those to what was sent with RETR.
func (g *download) ordered(last reply) (reply, error) {
	last, inOrder, err := g.r.c.ordered(last, len(g.prefetch))
	if !inOrder {
		g.prefetch = nil
	}
	return last, err
}

// drain reads the reply to what was sent with RETR for the time after it; last is to stay
// the last. The next request finds the session lost, if it is.
func (g *download) drain(last reply) {
	_ = g.r.c.tookPrefetch(g.prefetch)
	g.prefetch = nil
	g.r.c.ctl.last = last
}
