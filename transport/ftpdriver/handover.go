package ftpdriver

import (
	"errors"
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// handsOver leaves the rename at the end of a batch to the batch that waits, if there is
// one, and waits for what becomes of it. It is false if the rename is still to be sent.
func (r *run) handsOver() bool {
	q, ok := r.reqs[r.next].(*transport.Rename)
	if !ok || r.c.noPaths || r.next < len(r.reqs)-1 || r.carries != nil || r.c.check(q) != nil {
		return false
	}
	t := &trailing{ctx: r.ctx, from: q.From, to: q.To, done: make(chan struct{})}
	if !r.c.handOver(t) {
		return false
	}
	canceled := false
	select {
	case <-t.done:
	case <-r.ctx.Done():
		canceled = true
		if r.c.withdraw(t) {
			r.left = true
			q.Err = r.c.unsent(q, transport.KindCanceled, cause(r.ctx))
			r.lost = q.Err
			r.advance(1)
			return true
		}
		r.c.lose()
		<-t.done
	}
	switch {
	case t.back && canceled:
		t.err = r.c.ep.Fail("RNTO", t.to, transport.KindCanceled, cause(r.ctx))
	case t.back:
		return false
	}
	r.left = !t.back
	r.advance(1)
	if q.Err = nil; t.err == nil {
		return true
	}
	if canceled && t.err.MayHaveActed {
		t.err.Kind, t.err.Err = transport.KindCanceled, fmt.Errorf("%w (%w)", cause(r.ctx), t.err.Err)
	}
	if q.Err = t.err; !r.c.Usable() {
		r.lost = t.err
	}
	return true
}

// settleCarried tells the batch before what became of its rename.
func (r *run) settleCarried(replies []reply, err error, sent bool) {
	c, t := r.c, r.carries
	if t == nil {
		return
	}
	r.carries = nil
	defer close(t.done)
	if err = c.renamed(replies, err, t.from, t.to); err == nil || errors.As(err, &t.err) {
		return
	}
	kind := c.kindOf("RNTO", err)
	if r.ctx.Err() != nil {
		kind = transport.KindLost // it was another's batch that was canceled
	}
	t.err = c.ep.Fail("RNTO", t.to, kind, err)
	t.err.MayHaveActed = sent
}

// carriesAlong reports whether the rename of the batch before leaves with the first
// requests of this one. What would change something leaves after it, so that it is known
// not to have been sent where the session ends with the rename; a transfer needs its port
// first, and a source may wait for anything, the end of the batch before included.
func (r *run) carriesAlong() bool {
	if r.c.noPaths {
		return false
	}
	for i := r.next; i < len(r.reqs); i++ {
		q := r.reqs[i]
		_, get := q.(*transport.Retrieve)
		if get {
			return r.c.hasPort()
		}
		if i > r.next && q.Common().If != nil {
			return true
		}
		switch q := q.(type) {
		case *transport.Store:
			return i > r.next || q.Offset == 0 && !q.Append && r.c.hasPort() && readsAtOnce(q.Src)
		case *transport.Stat, *transport.Ping:
		default:
			return false
		}
	}
	return true
}

// carriedPart is that rename.
func (r *run) carriedPart() *part {
	c, t := r.c, r.carries
	if !c.claim(t) {
		r.carries = nil
		return &part{judge: func([]reply) (func() error, error) { return nil, nil }}
	}
	lines := []string{"RNFR " + t.from, "RNTO " + t.to}
	c.ctl.carried, c.ctl.carrier = lines, t.ctx
	return &part{lines: lines, judge: func(replies []reply) (func() error, error) {
		r.settleCarried(replies, nil, true)
		return nil, nil
	}}
}
