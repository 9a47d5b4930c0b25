package fleet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// try is one try of a job by a worker: from the message to what is written about it.
type try struct {
	w      *Worker
	lease  *lease
	class  Class
	target string
	job    Job   // as the message has it
	bad    error // why it is none

	r *Record // nil until the job is this worker's
}

func (w *Worker) newTry(job inHand, target string) *try {
	t := &try{w: w, lease: job.lease, class: job.class, target: target}
	t.job, t.bad = Decode(job.lease.msg.Data())
	if t.bad == nil && (t.job.Target != t.target || t.job.Class != t.class) {
		t.bad = wrong("target", "%s %s came as one of %s %s: submit it under its own", t.job.Class, t.job.Target, t.class, t.target)
	}
	return t
}

// little reports whether it may share a connection.
func (t *try) little() bool {
	return t.bad == nil && (t.job.Op == Delete || t.job.Op == Upload && t.job.Size > 0 && t.job.Size <= small)
}

// within bounds what is asked of the engine, also when the worker is to end.
func (t *try) within(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(t.w.work), d)
}

// claim makes the job this worker's, by its record. It returns false when the message has
// been dealt with: the job is elsewhere, has ended, has to wait, or is none.
func (t *try) claim() bool {
	ctx, cancel := t.within(t.w.f.time.ackWait)
	defer cancel()
	if t.bad != nil {
		t.invalid(ctx, t.bad)
		return false
	}
	meta, err := t.lease.msg.Metadata()
	if err != nil {
		t.lease.giveBack(time.Second)
		return false
	}
	n, _ := strconv.Atoi(t.lease.msg.Headers().Get(headerTry)) // 0 for who submits without it
	n = max(n, 0)
	if meta.NumDelivered > 1 {
		t.w.count(func(s *Stats) { s.Redelivered++ })
	}
	for {
		took, err := t.take(ctx, t.job, n, meta.Sequence.Stream)
		switch {
		case errors.Is(err, errTaken) && t.lease.holds():
			continue
		case err != nil:
			t.lease.giveBack(time.Second)
			return false
		}
		return took && t.ready(ctx)
	}
}

// take asks the record what is to be done about the message, and does that.
func (t *try) take(ctx context.Context, job Job, n int, seq uint64) (bool, error) {
	f := t.w.f
	r, err := f.record(ctx, job.ID)
	if err != nil {
		return false, err
	}
	v := judge(r, n, seq)
	if v == takeIfGone {
		_, st := f.jobsOf(t.target)
		v = drop
		if _, err := st.GetMsg(ctx, r.Seq); errors.Is(err, jetstream.ErrMsgNotFound) {
			v = take
		} else if err != nil {
			return false, err
		}
	}
	switch v {
	case drop:
		t.lease.settle(ctx, "")
		t.w.count(func(s *Stats) { s.Duplicates++ })
		return false, nil
	case again:
		if _, err := f.enqueue(ctx, r); err != nil {
			return false, err
		}
		t.lease.settle(ctx, "")
		return false, nil
	}
	if r == nil {
		r = &Record{Job: job, Submitted: time.Now().UTC()}
	}
	r.State, r.Worker, r.Instance, r.Try, r.Seq, r.Reason, r.Until = Running, t.w.o.Name, t.w.instance, n, seq, "", time.Time{}
	if err := f.write(ctx, r); err != nil {
		return false, err
	}
	t.r = r
	f.tell(r)
	return true, nil
}

// ready looks at what the job itself says about when it may be done.
func (t *try) ready(ctx context.Context) bool {
	j := &t.r.Job
	switch {
	case t.r.Cancel:
		t.end(Cancelled, "cancelled")
		return false
	case !j.Deadline.IsZero() && !time.Now().Before(j.Deadline):
		t.end(Dead, errDeadline.Error())
		return false
	case time.Now().Before(j.NotBefore): // submitted by who did not schedule it
		t.later(j.NotBefore, "not before")
		return false
	}
	for _, id := range j.After {
		r, err := t.w.f.record(ctx, id)
		switch {
		case err != nil:
			t.back(err)
			return false
		case r == nil:
			t.end(Dead, "after: there is no job "+id)
			return false
		case r.State == Dead || r.State == Cancelled:
			t.end(Dead, fmt.Sprintf("after: job %s is %s", id, r.State))
			return false
		case r.State != Done:
			t.later(time.Now().Add(vary(2*t.w.f.time.first, chance())), "after job "+id)
			return false
		}
	}
	return true
}

// invalid makes a dead job of a message that is none, so that somebody sees it. It has an id
// of its own: one that it names may be that of a good job.
func (t *try) invalid(ctx context.Context, why error) {
	id := "invalid-" + (&Job{Dest: string(t.lease.msg.Data())}).hash()
	t.r = &Record{Job: Job{ID: id, Target: t.target, Class: t.class}, State: Running, Submitted: time.Now().UTC()}
	old, err := t.w.f.record(ctx, id)
	switch {
	case err != nil:
		t.lease.giveBack(time.Second)
		return
	case old != nil && old.State.Ended():
		t.lease.settle(ctx, "")
		return
	case old != nil:
		t.r.revision = old.revision
	}
	t.end(Dead, cut(why))
}

// do does the job. It returns false when the connection is not to be used any more.
func (t *try) do(h *holder) bool {
	w, j := t.w, &t.r.Job
	ctx, cancel := leased(w.work, h.slot, t.lease)
	defer cancel()
	if !j.Deadline.IsZero() {
		var end context.CancelFunc
		ctx, end = context.WithDeadlineCause(ctx, j.Deadline, errDeadline)
		defer end()
	}
	if w.o.Extract != nil {
		ctx = w.o.Extract(ctx, t.lease.msg.Headers().Get)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	w.mu.Lock()
	w.running[j.ID] = stop
	w.mu.Unlock()
	if t.r.Began.IsZero() {
		t.r.Began = time.Now().UTC() // written with the end
	}
	res, err := w.perform(ctx, h.client, j)
	w.mu.Lock()
	delete(w.running, j.ID)
	w.mu.Unlock()
	t.r.Result = res
	w.count(func(s *Stats) { s.Moved += res.Moved })
	return t.conclude(ctx, h, err)
}

// conclude writes what became of the job.
func (t *try) conclude(ctx context.Context, h *holder, err error) bool {
	w := t.w
	switch fateOf(ctx, &t.r.Job, err) {
	case fateDone:
		w.count(func(s *Stats) { s.Needed += t.r.Result.Size - t.r.Result.Kept })
		w.loginWorked(context.WithoutCancel(ctx), h.t.Name)
		t.end(Done, "")
	case fateCancelled:
		t.removePartial(ctx, h.client, err)
		t.end(Cancelled, "cancelled while it was being done")
	case fateDead:
		t.end(Dead, t.why(ctx, err))
	case fateUnknown:
		t.r.Unknown = true
		t.end(Dead, "unknown: "+cut(err))
	case fateLost:
		w.count(func(s *Stats) { s.Lost++ })
		w.event(Event{What: "lost", Target: t.target, Record: t.r, Err: err})
		t.lease.end()
		return false
	case fateBack:
		t.back(err)
		if !ftpx.EndsAll(err) {
			return false // the worker ends
		}
		if !w.refused(context.WithoutCancel(ctx), t.target, err) {
			w.down(context.WithoutCancel(ctx), t.target, err)
		}
		return false
	case fateAgain:
		if errors.Is(err, errBusy) { // which is no failure
			t.later(time.Now().Add(pauseAfter(0, w.f.time.first, chance())), cut(err))
			break
		}
		t.r.Failures++
		if t.r.Failures >= w.o.Tries {
			t.end(Dead, fmt.Sprintf("it has failed %d times, last: %s", t.r.Failures, cut(err)))
			return true
		}
		w.count(func(s *Stats) { s.Again++ })
		t.later(time.Now().Add(pauseAfter(t.r.Failures-1, w.f.time.first, chance())), cut(err))
	}
	return h.slot.holds()
}

// why is the reason of a death: the deadline's, if that was it.
func (t *try) why(ctx context.Context, err error) string {
	if errors.Is(context.Cause(ctx), errDeadline) {
		return errDeadline.Error() + " while it was being done"
	}
	return cut(err)
}

// removePartial takes away what a cancelled upload has left.
func (t *try) removePartial(ctx context.Context, c ftpx.Client, err error) {
	var e *ftpx.Error
	if !t.r.Job.up() || !errors.As(err, &e) || e.Partial == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_ = c.Remove(ctx, e.Partial)
}
