package ftpdriver

import (
	"context"
	"errors"
	"slices"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// Do carries out a batch, see [transport.Conn]: in as few writes as the server takes, or
// one request after the other where nothing is known to be taken, see library.go.
func (c *Conn) Do(ctx context.Context, b *transport.Batch) error {
	if len(b.Requests) == 0 {
		return nil
	}
	if ctx.Err() != nil {
		b.Unsent(0)
		return c.unsent(b.Requests[0], transport.KindCanceled, cause(ctx))
	}
	carries, err := c.acquire(ctx, transfers(b.Requests))
	if err != nil {
		b.Unsent(0)
		kind := transport.KindLost
		switch {
		case errors.Is(err, errBusy):
			kind = transport.KindInvalid
		case ctx.Err() != nil:
			kind, err = transport.KindCanceled, cause(ctx)
		}
		return c.unsent(b.Requests[0], kind, err)
	}
	r := &run{c: c, ctx: ctx, batch: b, reqs: b.Requests, carries: carries}
	defer r.end()
	if !c.pipelines() {
		err = transport.InTurn(ctx, b, c.Usable, c.serially)
	} else {
		err = r.all()
	}
	r.returned = true
	return err
}

// end gives the session up, which is closed where code of the caller's has panicked or ended
// its goroutine.
func (r *run) end() {
	if !r.returned {
		r.c.lose()
		if r.carries != nil && r.c.wasSent(r.carries) {
			r.settleCarried(nil, errBroken, true)
		}
	}
	if r.left {
		r.c.leave()
	} else {
		r.c.release(r.carries)
	}
}

// unsent is the error of a batch of which nothing was sent.
func (c *Conn) unsent(q transport.Request, kind transport.Kind, err error) error {
	cmd, path := nameOf(q)
	return c.ep.Fail(cmd, path, kind, err)
}

// run is one call of Do while it has the session.
type run struct {
	c     *Conn
	ctx   context.Context
	batch *transport.Batch
	reqs  []transport.Request
	// next is the first request without a result, and asked says that its condition has
	// been asked and met.
	next  int
	asked bool
	// carries is what has to be sent for the batch before this one.
	carries *trailing
	// lost is why the session has ended.
	lost error
	// left: the session has been handed over.
	left bool
	// returned: no code of the caller's has panicked.
	returned bool
}

// all carries out what there is.
func (r *run) all() error {
	for r.next < len(r.reqs) {
		// A condition may take its time: what is carried for another goes out first.
		if first := r.carries != nil && r.reqs[r.next].Common().If != nil; !first && !r.wanted() {
			r.batch.Skip(r.next)
			return nil
		}
		if err := r.ctx.Err(); err != nil {
			r.batch.Unsent(r.next)
			return r.c.unsent(r.reqs[r.next], transport.KindCanceled, cause(r.ctx))
		}
		if r.handsOver() {
			break
		}
		r.step()
		if r.lost == nil && r.next < len(r.reqs) && !r.c.Usable() {
			r.lost = r.c.unsent(r.reqs[r.next], transport.KindLost, errBroken)
		}
		if r.lost != nil {
			r.batch.Unsent(r.next)
			break
		}
	}
	return r.lost
}

// wanted asks the condition of the next request, once.
func (r *run) wanted() bool {
	if h := r.reqs[r.next].Common(); !r.asked && h.If != nil && !h.If() {
		return false
	}
	r.asked = true
	return true
}

// advance says that n more requests have their results.
func (r *run) advance(n int) {
	if r.next += n; n > 0 {
		r.asked = false
	}
}

// step makes one write and reads what it brings, or carries out one request that takes
// more than that.
func (r *run) step() {
	c := r.c
	defer c.settle()
	if r.carries == nil && (c.noPaths || isText(r.reqs[r.next])) { // the first since a moment ago
		q := r.reqs[r.next]
		err := c.serially(r.ctx, q)
		if q.Common().Err = err; err != nil && !c.ctl.inStep() {
			r.lost = err
		}
		r.advance(1)
		return
	}
	if r.carries == nil && c.takesMore(r.reqs[r.next]) && r.part(r.reqs[r.next]) == nil {
		q := r.reqs[r.next]
		err := c.own(r.ctx, q)
		if q.Common().Err = err; err != nil && !c.ctl.inStep() {
			r.lost = err
		}
		r.advance(1)
		return
	}
	var w *flight
	err := c.operate(r.ctx, wire.WatchOf(c.ep), func(op *wire.Op) error {
		w = r.plan()
		if err := r.shape(w); err != nil {
			return err
		}
		switch q := w.move.(type) {
		case *transport.Store:
			return r.store(op, w, q)
		case *transport.Retrieve:
			return r.retrieve(op, w, q)
		}
		return r.plain(w)
	})
	r.conclude(w, err)
	if w.skip {
		r.batch.Skip(r.next)
		r.next = len(r.reqs)
	}
}

// indexOf returns the place of a request in the batch.
func (r *run) indexOf(q transport.Request) int { return slices.Index(r.reqs, q) }

// plain carries out a write without a transfer.
func (r *run) plain(w *flight) error {
	var prefetch []string
	if w.port && len(linesOf(w.parts)) > 0 {
		prefetch = []string{"EPSV"}
	}
	if err := r.send(w.parts, prefetch...); err != nil {
		return err
	}
	err := r.answers(w.parts)
	if err == nil {
		err = r.c.tookPrefetch(prefetch)
	}
	r.look(w.parts)
	return err
}

// send sends the lines of parts, and others behind them.
func (r *run) send(parts []*part, others ...string) error {
	lines := append(linesOf(parts), others...)
	if len(lines) == 0 {
		return nil
	}
	r.c.ctl.halfAnswered = false
	before := len(r.c.ctl.waiting)
	err := r.c.ctl.send(lines...)
	for _, p := range parts {
		p.sent = len(r.c.ctl.waiting) > before
	}
	return err
}

// answers reads the replies to parts that have been sent, and judges them. An error is
// about the session.
func (r *run) answers(parts []*part) error {
	ctl := r.c.ctl
	for i, p := range parts {
		if len(p.lines) > 0 && ctl.broken.Load() {
			return ctl.why()
		}
		var err error
		if p.replies, err = ctl.answersTo(len(p.lines)); err != nil {
			ctl.halfAnswered = len(p.replies) > 0 || i > 0 && len(parts[i-1].replies) > 0
			return err
		}
		if p.sent = true; p.judge != nil {
			p.look, p.err = p.judge(p.replies)
		}
		p.judged, p.broke = true, ctl.broken.Load()
		if p.err != nil && ctl.broken.Load() && len(ctl.waiting) > 0 {
			return p.err // nobody knows what the replies that follow are about
		}
	}
	return nil
}

// look takes the second looks that replies have left open.
func (r *run) look(parts []*part) {
	for _, p := range parts {
		if look := p.look; look != nil {
			p.look = nil
			p.err = look()
			p.broke = r.c.ctl.broken.Load()
		}
	}
}
