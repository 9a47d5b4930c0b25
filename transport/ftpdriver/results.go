package ftpdriver

import (
	"errors"
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// outcome is what became of one request of a write.
type outcome struct {
	*part
	err     error
	pending []string // what has been sent of it and not answered
}

// outcomes lists them in the order of the batch.
func (w *flight) outcomes(ctl *control) (all []outcome) {
	of := func(parts []*part) {
		for _, p := range parts {
			o := outcome{part: p, err: p.err, pending: p.pending()}
			if p.judged {
				o.pending = ctl.waiting // of a second look
			}
			all = append(all, o)
		}
	}
	of(w.parts)
	if w.move != nil {
		all = append(all, outcome{&part{q: w.move, judged: w.moved, broke: true}, w.failed, ctl.until(commandOf(w.move))})
	}
	of(w.behind)
	return all
}

// conclude gives the requests of a write their results. err is why the session has
// ended, if it has.
func (r *run) conclude(w *flight, err error) {
	c := r.c
	inStep := c.ctl.inStep()
	stalled := errors.Is(err, transport.ErrStalled)
	because := func(err error) error {
		if stalled && err != nil && !errors.Is(err, transport.ErrStalled) {
			err = fmt.Errorf("%w (%w)", transport.ErrStalled, err)
		}
		return err
	}
	if w.lost != nil {
		err = because(w.lost)
	} else if err == nil {
		err = errBroken
	}
	for _, o := range w.outcomes(c.ctl) {
		if !o.judged {
			o.err = err
		}
		if q, ok := o.q.(*transport.Rename); ok && !o.judged {
			o.err = c.renamed(o.replies, err, q.From, q.To)
		}
		o.err = because(o.err)
		var own *transport.Error
		switch {
		case o.q == nil: // the rename of the batch before
			if !o.judged {
				r.settleCarried(o.replies, o.err, o.sent)
			}
			continue
		case o.err != nil:
			own = c.failure(r.ctx, o.q, o.err, o.pending)
			if !o.judged && own == err { // it is another's, with which the session has ended
				other := *own
				_, other.Path = nameOf(o.q)
				own = &other
			}
		}
		switch {
		case own == nil || inStep || r.lost != nil:
		case !o.judged:
			r.lost = c.failure(r.ctx, o.q, err, o.pending)
		case o.broke: // another refusal is not why the session has ended
			r.lost = own
		}
		if !o.judged && !o.sent {
			return // it is still to be sent, if the session lasts
		}
		o.q.Common().Err = nil
		if own != nil {
			o.q.Common().Err = own
		}
		r.advance(1)
	}
	if !inStep && r.lost == nil && r.next < len(r.reqs) && !w.skip {
		r.lost = c.failure(r.ctx, r.reqs[r.next], err, nil)
	}
}
