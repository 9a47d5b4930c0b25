package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The order in what follows is what makes one end of each job: the record is written first,
// and only who could write it says more. A worker that dies in between leaves a message that
// is delivered again, and the record then says what is left to do.

// end writes how a job has ended.
func (t *try) end(state State, why string) {
	r := t.r
	r.State, r.Reason, r.Ended, r.Until, r.Cancel = state, why, time.Now().UTC(), time.Time{}, false
	if state == Dead && !t.deadLetter() || !t.save() {
		t.lease.end()
		return
	}
	ctx, cancel := t.within(t.w.f.time.ackWait)
	defer cancel()
	reason := ""
	if state != Done {
		reason = string(state) + ": " + why
	}
	t.lease.settle(ctx, reason)
	if !r.Job.Deadline.IsZero() {
		_ = t.w.f.control.Purge(ctx, jetstream.WithPurgeSubject(deadlineSubject(r.Job.ID)))
	}
	if state != Dead {
		t.w.forget(r.Job.ID)
	}
	t.w.count(func(s *Stats) {
		switch state {
		case Done:
			s.Done++
		case Dead:
			s.Dead++
		case Cancelled:
			s.Cancelled++
		}
	})
	t.w.f.tell(r)
	t.w.event(Event{What: "job", Target: t.target, Record: r})
}

func (t *try) deadLetter() bool {
	return t.insist(func() error {
		ctx, cancel := t.within(t.w.f.time.extend)
		defer cancel()
		return t.w.f.deadLetter(ctx, t.r)
	})
}

// deadLetter publishes a dead job to the dead-letter stream. It comes before the record: a job that
// is there and not dead by its record is not shown, and one that is dead and not there would
// be missed.
func (f *Fleet) deadLetter(ctx context.Context, r *Record) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = f.js.Publish(ctx, deadSubject(r.Job.Class, r.Job.Target, r.Job.ID), b, jetstream.WithMsgID(r.Job.ID+"."+strconv.Itoa(r.Try)))
	return err
}

// later schedules the job again, in nobody's window.
func (t *try) later(at time.Time, why string) {
	r := t.r
	old := *r
	r.State, r.Reason, r.Until = Waiting, why, at.UTC()
	r.Try, r.Seq = r.Try+1, 0
	if !t.saveAs(&old) {
		t.lease.end()
		return
	}
	ctx, cancel := t.within(t.w.f.time.ackWait)
	defer cancel()
	if !t.insist(func() error { _, err := t.w.f.enqueue(ctx, r); return err }) {
		t.lease.end() // the message comes again, and is scheduled then
		return
	}
	t.lease.settle(ctx, "")
	t.w.f.tell(r)
	t.w.event(Event{What: "job", Target: t.target, Record: r})
}

// back gives the job to whoever is next, as it was.
func (t *try) back(why error) {
	t.r.State = Queued
	if why != nil {
		t.r.Reason = cut(why)
	}
	if t.save() {
		t.w.f.tell(t.r)
		t.lease.giveBack(0)
		return
	}
	t.lease.end()
}

// save writes the record, as long as the job is this worker's.
func (t *try) save() bool { return t.saveAs(t.r) }

// saveAs is save for a record whose Try and Seq have been changed from those of old.
func (t *try) saveAs(old *Record) bool {
	return t.insist(func() error {
		ctx, cancel := t.within(t.w.f.time.extend)
		defer cancel()
		err := t.w.f.write(ctx, t.r)
		if !errors.Is(err, errTaken) {
			return err
		}
		// Somebody has asked for it to be cancelled, or has taken it over, or the answer
		// to an earlier write was lost.
		now, rerr := t.w.f.record(ctx, t.r.Job.ID)
		switch {
		case rerr != nil:
			return rerr
		case now == nil:
			t.r.revision = 0
			return errTaken
		case now.Instance == t.w.instance && now.State == t.r.State && now.Try == t.r.Try && now.Seq == t.r.Seq && now.Ended.Equal(t.r.Ended):
			t.r.revision = now.revision
			return nil
		case now.Instance == t.w.instance && now.Try == old.Try && now.Seq == old.Seq && !now.State.Ended():
			t.r.revision = now.revision
			return errTaken // and once more
		}
		return errLost
	})
}

// insist does something until it works, or until the job may not be this worker's any more.
func (t *try) insist(do func() error) bool {
	pause := 20 * time.Millisecond
	for t.lease.holds() {
		err := do()
		if err == nil {
			return true
		}
		if errors.Is(err, errLost) {
			return false
		}
		if !errors.Is(err, errTaken) {
			select {
			case <-time.After(pause):
			case <-t.lease.lost:
			}
			pause = min(2*pause, time.Second)
		}
	}
	return false
}
