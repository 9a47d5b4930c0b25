package sftpdriver

import (
	"context"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// Do carries out a batch. What need not wait for an answer leaves in one write, see
// [run.reach]. Up to [transport.Caps.Overlap] batches may be under way at once.
func (c *Conn) Do(ctx context.Context, b *transport.Batch) error {
	r := &run{c: c, ctx: ctx, steps: make([]step, len(b.Requests))}
	for i, q := range b.Requests {
		r.steps[i] = step{run: r, i: i, req: q}
	}
	defer r.leave()
	for i := range r.steps {
		s := &r.steps[i]
		met, err := s.ask()
		if err == nil && !met {
			r.abandon(i)
			b.Skip(i)
			return nil
		}
		if err == nil {
			err = s.carryOut()
		}
		if err != nil {
			r.unsent(i + 1)
			return err
		}
	}
	return nil
}

// A run is one batch while it is carried out.
type run struct {
	c     *Conn
	ctx   context.Context
	steps []step
	sent  int // steps[:sent] have left, as far as they can before their turn

	op      *wire.Op // nil while no answer is waited for
	watch   wire.Watch
	stalled bool
	lost    error // with what the session ended
}

// ask asks the condition of a step, if it has one. No answer is waited for meanwhile, so
// that the end of the context leaves a session on which a guess can be taken back. The
// error is not nil if the session has ended.
func (s *step) ask() (bool, error) {
	f := s.req.Common().If
	if f == nil {
		return true, nil
	}
	if s.guessed {
		if err := s.judge(); err != nil {
			return false, s.settle(err)
		}
	}
	s.rest()
	for j := s.i; j < s.sent; j++ {
		s.steps[j].speculative = true
	}
	return f(), nil
}

// carryOut does what is left of a step. The error is not nil if the session has ended.
func (s *step) carryOut() error {
	if s.speculative && (s.bad != nil || s.changed()) {
		s.abandon(s.i) // a condition has changed what the step is about
	}
	if s.i >= s.sent {
		s.prepare()
	}
	if s.bad != nil {
		s.sent = max(s.sent, s.i+1)
		return s.settle(s.bad)
	}
	if s.i >= s.sent || s.speculative {
		if err := s.begin(); err != nil {
			s.abandon(s.i)
			return s.settle(err)
		}
	}
	s.watched(wire.WatchOf(s.c.ep))
	if s.i >= s.sent {
		s.send(s.i, &burst{p: s.c.pipe})
	}
	return s.settle(s.finish())
}

// begin sees that there is somebody to ask, before anything of a step has an effect.
func (s *step) begin() error {
	if s.ctx.Err() != nil {
		return s.error(transport.KindCanceled, 0, wire.Canceled(s.ctx))
	}
	if !s.c.Usable() {
		return s.error(transport.KindLost, 0, s.c.cause())
	}
	return nil
}

// watched sees to it that an operation of this watch is running.
func (r *run) watched(w wire.Watch) {
	if r.op != nil && r.watch == w {
		return
	}
	r.rest()
	r.op, r.watch = wire.StartOp(r.ctx, w, r.c.line.Wire).Share(), w
}

// rest ends the operation: no answer is waited for.
func (r *run) rest() {
	if r.op != nil {
		_ = r.over(nil)
	}
}

// over ends the operation, and says in err why if it was ended from outside. Then the
// socket may have been closed, even if all went well before.
func (r *run) over(err error) error {
	err = r.op.End(err)
	r.stalled = r.stalled || r.op.Stalled()
	if r.op = nil; r.ctx.Err() != nil || r.stalled {
		r.c.fail()
	}
	return err
}

// settle gives a step its result. It returns the error if the session has ended.
func (s *step) settle(err error) error {
	h := s.req.Common()
	if s.op != nil {
		s.op.Heard()
	}
	if err == nil {
		s.answered(fxOK, statusName(fxOK))
		h.Err = nil
		return nil
	}
	te, judged := err.(*transport.Error)
	if !judged {
		if s.op != nil && (s.ctx.Err() != nil || s.op.Stalled()) {
			err = s.over(err)
		}
		te = s.classify(err)
		if q, ok := s.req.(*transport.Store); ok && q.Offset > 0 && q.Stored == 0 && s.c.Usable() {
			notFrom(te)
		}
		s.answered(te.Code, te.Err.Error())
	}
	if h.Err = te; s.c.Usable() && s.ctx.Err() == nil {
		return nil
	}
	s.lost = err
	return te
}

// unsent is for the steps from i on, after the session has ended. One that has left and
// acts was carried out if its answer has come, and else may have been.
func (r *run) unsent(i int) {
	for ; i < len(r.steps); i++ {
		s := &r.steps[i]
		h := s.req.Common()
		switch {
		case i >= r.sent || !s.acts || s.bad != nil:
			h.Err = transport.ErrUnsent
		case s.rounds:
			h.Err = s.classify(r.lost)
		default:
			if h.Err = nil; s.finish() != nil {
				h.Err = s.classify(r.lost)
			}
		}
	}
}

// abandon gives up what has been asked ahead, from step i on: nothing but questions,
// and a file that was made on a guess.
func (r *run) abandon(i int) {
	for j := i; j < r.sent; j++ {
		s := &r.steps[j]
		switch {
		case s.guessed:
			s.takeBack()
		case s.reply != nil && s.opens():
			s.closeWhenOpen()
		case s.reply != nil:
			s.reply.drop()
		}
		*s = step{run: r, i: j, req: s.req}
	}
	r.sent = min(r.sent, i)
}

// leave ends what is left of a batch, however it ended.
func (r *run) leave() {
	for i := range r.steps {
		if s := &r.steps[i]; s.guessed {
			s.takeBack()
		}
	}
	r.rest()
}
