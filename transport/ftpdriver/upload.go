package ftpdriver

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"strconv"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// A file is asked for by STOR, from an offset on by REST and STOR and never by APPE:
// after a reset a stale size would make it append in the wrong place. APPE is for a Store that
// is to append. Not a byte of that leaves before the server has agreed, so that who hears
// nothing knows that nothing was added.
//
// A small one, which costs round trips and next to no bandwidth, leaves as soon as its
// data connection stands, before the server has agreed to take it. Of a large one
// nothing leaves, and nothing is read, before that: a refusal finds the source where it
// was. The price is that a file may have been created, or emptied, when it turns out that
// its data connection is not to be had.

// smallFile is what is sent before the server has agreed to take it: it must go
// into the buffers of the kernel, so that nobody waits for a server that refuses.
const smallFile = 32 << 10

// stores reports whether a command sends a file.
func stores(verb string) bool { return verb == "STOR" || verb == "APPE" }

// storeVerb is the command that carries a Store out.
func storeVerb(q *transport.Store) string {
	if q.Append {
		return "APPE"
	}
	return "STOR"
}

// upload is one Store under way.
type upload struct {
	r        *run
	op       *wire.Op
	w        *flight
	q        *transport.Store
	next     int       // the request behind it
	small    bool      // data is all of the file
	data     []byte    // and leaves at once
	src      io.Reader // what is left of the source
	moved    func(int64)
	sent     int64
	prefetch []string // the question for the next port, where it was sent
	// asked: STOR has been sent. rested: the server has been told where the next STOR
	// begins, and no STOR came.
	asked, rested bool
}

// store carries out a Store, and what leaves with it.
func (r *run) store(op *wire.Op, w *flight, q *transport.Store) error {
	u := &upload{r: r, op: op, w: w, q: q, next: r.indexOf(q) + 1}
	if q.Progress != nil {
		u.moved = func(n int64) { op.Aside(func() { q.Progress(n) }) }
	}
	u.data, u.small, u.src = small(op, q)
	w.failed = u.store()
	if allJudged(w.parts) && r.c.deniesPath(q.Path, w.failed) {
		src := u.src
		if u.small {
			src = bytes.NewReader(u.data)
		}
		if w.failed = r.c.storeInside(op, q, src, w.failed); w.failed == nil {
			u.sent, w.behind = q.Stored, nil // they are asked for again
		}
	}
	if w.moved = u.asked || allJudged(w.parts); w.failed == nil {
		q.Stored = u.sent
	}
	r.look(w.parts)
	r.look(w.behind)
	return joinErr(w.failed, w.lost)
}

// small reads a source that is said to be small. What it has read of one that is not is
// put back.
func small(op *wire.Op, q *transport.Store) (data []byte, whole bool, rest io.Reader) {
	if q.Offset > 0 || q.Append || q.Size > smallFile || q.Size <= 0 {
		return nil, false, q.Src
	}
	data = make([]byte, q.Size+1)
	n, err := io.ReadFull(op.Reader(q.Src), data)
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		return data[:n], true, nil
	}
	rest = io.MultiReader(bytes.NewReader(data[:n]), q.Src)
	if err != nil {
		rest = io.MultiReader(bytes.NewReader(data[:n]), failsWith{err})
	}
	return nil, false, rest
}

type failsWith struct{ err error }

func (f failsWith) Read([]byte) (int, error) { return 0, f.err }

func (u *upload) store() error {
	c := u.r.c
	port, prefetched, err := c.nextPort()
	if err != nil {
		return err
	}
	again, err := u.through(port, prefetched)
	if again {
		if port, err = c.otherPort(); err == nil {
			_, err = u.through(port, false)
		}
	}
	if u.rested {
		c.ctl.broken.Store(true) // else the next file would begin there
	}
	return err
}

// through stores the file by a data connection to port. again says that it may be tried
// with another port: nothing has left.
func (u *upload) through(port int, prefetched bool) (again bool, err error) {
	c := u.r.c
	data := newDataConn(c.ctl, u.op)
	data.upload, data.moved = true, u.moved
	pipelined := u.small && c.pipelinesData()
	d := c.dialConcurrently(data, port, func() {
		if pipelined {
			u.sendAll(data)
		}
	})
	d.prefetched = prefetched
	defer d.free()
	first, err := u.ask(d)
	if err != nil || !first.preliminary() {
		d.giveUp()
		d.inVain()
		if d.wire != nil {
			d.wire.Reset() // this is not an empty file
		}
		return u.refused(d, first, err)
	}
	c.tookPath(u.q.Path)
	var last reply
	if u.small {
		if d.connected(); !pipelined {
			if d.join(); d.err == nil {
				u.sendAll(data)
			}
		}
		if last, err = u.final(d); err != nil || !last.positive() {
			d.giveUp() // what has not arrived by now is not wanted
		}
		d.join()
		if pipelined && u.op.Stalled() {
			c.lacksNow(lacksPipelinedData)
		}
		d.excuse(err)
		if u.moved != nil && d.sent > 0 {
			u.moved(d.sent)
		}
	} else {
		d.hear()
		d.join()
		var cut error
		if d.err == nil {
			_, cut = d.ReadFrom(sourceOf(u.op, u.src))
			_ = d.Close()
		}
		last, err = u.final(d)
		err = joinErr(cut, err)
	}
	d.inVain()
	if u.sent = d.sent; err == nil && !done(last) {
		err = last.err()
	}
	if err != nil && d.unreached(last) {
		return d.again, d.err
	}
	return false, c.transferError(d.dataConn, err, u.q.Offset)
}

// sendAll sends a small file, and ends it.
func (u *upload) sendAll(data *dataConn) {
	if _, err := data.Write(u.data); err == nil {
		_ = data.finish()
	}
}

// ask sends STOR, with what comes before it and what may go with it, and returns the
// first reply to it. REST has a round trip of its own: where it is refused and STOR is
// not, the server would have emptied the file. The reply to REST is then what is returned.
func (u *upload) ask(d *dialling) (reply, error) {
	c, w := u.r.c, u.w
	if u.q.Offset == 0 || u.q.Append {
		if err := c.forgetRest(); err != nil {
			return reply{}, err
		}
	}
	if u.q.Offset > 0 && !u.q.Append {
		r, err := c.ctl.command("REST " + strconv.FormatInt(u.q.Offset, 10))
		if err != nil || r.code != 350 {
			u.rested = err == nil && r.code < 400 // it may mean yes
			return r, err
		}
		u.rested = true
		select {
		case <-d.ready:
			if d.err != nil {
				return reply{}, errUnreached
			}
		default:
		}
	}
	var before []*part
	if !allJudged(w.parts) {
		before = w.parts
	}
	w.behind, u.prefetch = nil, nil
	lines := append(linesOf(before), storeVerb(u.q)+" "+u.q.Path)
	if u.small {
		u.plan(int64(len(u.data)))
		if !c.readsLater(lines, append(linesOf(w.behind), u.prefetch...)) {
			w.behind, u.prefetch = nil, nil
		}
	}
	ends := append(linesOf(w.behind), u.prefetch...)
	if err := u.r.send(before, append(lines[len(lines)-1:], ends...)...); err != nil {
		u.asked = len(c.ctl.waiting) > 0
		return reply{}, err
	}
	u.asked, u.rested = true, false
	for _, p := range w.behind {
		p.sent = true
	}
	if err := u.r.answers(before); err != nil {
		return reply{}, err
	}
	c.ctl.asked.Store(true)
	return c.ctl.receive()
}

// errUnreached: STOR was not sent, because the data connection had failed before.
var errUnreached = errors.New("the data connection was not had")

// plan decides what follows the file without waiting for the reply to STOR.
func (u *upload) plan(size int64) {
	u.w.behind = u.r.behind(u.next, u.q.Path, size)
	if c := u.r.c; c.mayPrefetch() && u.r.portWanted(u.next+len(u.w.behind)) {
		u.prefetch = []string{"EPSV"}
	}
}

// final reads the final reply. A server that reads no command before it has sent that
// gets those for the time after a large file at once, when all of it has left. An error
// is about the session.
func (u *upload) final(d *dialling) (reply, error) {
	c := u.r.c
	if !u.small && d.err == nil && c.traits.endsBehind && c.ctl.silent() { // else the reply is there
		u.plan(d.sent)
		if err := u.r.send(u.w.behind, u.prefetch...); err != nil {
			u.prefetch = nil // what follows tells
		}
	}
	last, _, err := c.ctl.final()
	if err != nil {
		return last, err
	}
	inOrder := true
	if u.small {
		if last, inOrder, err = c.ordered(last, len(linesOf(u.w.behind))+len(u.prefetch)); err != nil {
			return last, err
		}
	}
	if !inOrder {
		u.w.behind, u.prefetch = nil, nil // they are sent again
	}
	u.drain(last)
	return last, nil
}

// drain reads the replies to what was sent with STOR or behind the file; last is to stay
// the last. The caller finds the session lost, if it is.
func (u *upload) drain(last reply) {
	c := u.r.c
	if u.w.lost = u.r.answers(u.w.behind); u.w.lost == nil {
		u.w.lost = c.tookPrefetch(u.prefetch)
	}
	if u.small && u.w.lost != nil {
		c.ctl.halfAnswered = true
	}
	u.prefetch = nil
	c.ctl.last = last
}

// refused judges the first reply to STOR or REST, which is not the one that was hoped
// for, or what came instead of it.
func (u *upload) refused(d *dialling, first reply, err error) (again bool, _ error) {
	c := u.r.c
	if errors.Is(err, errUnreached) {
		return d.again, d.err
	}
	d.excuse(err)
	if err != nil {
		return false, c.transferError(d.dataConn, err, u.q.Offset)
	}
	u.drain(first)
	switch {
	case d.unreached(first):
		return d.again, d.err
	case stores(first.verb) && first.positive():
		return false, c.unbegun(first)
	}
	return d.forgotten(first), c.transferError(d.dataConn, first.err(), u.q.Offset)
}

// sourceOf prepares a source for io.Copy. A file must reach [dataConn.ReadFrom]
// as it is, for sendfile; but os.File has a WriteTo, which io.Copy would prefer,
// and which hands on something that is no *os.File. An io.LimitedReader has none.
func sourceOf(op *wire.Op, src io.Reader) io.Reader {
	switch r := src.(type) {
	case *os.File:
		return &io.LimitedReader{R: r, N: math.MaxInt64}
	case *io.LimitedReader:
		if _, ok := r.R.(*os.File); ok {
			return r
		}
	}
	return op.Reader(src)
}
