package fleet

import (
	"context"
	"errors"
	"strings"
	"time"
)

// expire ends jobs whose deadline passes while nobody does them: of a target that is paused
// or down, for instance. The engine says when.
func (w *Worker) expire() {
	for w.begin.Err() == nil {
		c, err := w.consumer(w.f.control, "expired")
		if err != nil {
			w.pause(w.f.time.sweep)
			continue
		}
		msgs, asked := fetch(w.begin, c, 1, w.f.time.fence/2)
		if msgs == nil {
			w.pause(50 * time.Millisecond) // an engine that is away answers at once
			continue
		}
		l := w.f.hold(msgs[0], asked)
		if err := w.expired(string(msgs[0].Data())); err != nil {
			l.giveBack(w.f.time.extend)
		} else {
			l.settle(w.work, "")
		}
	}
}

func (w *Worker) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.begin.Done():
	}
}

var (
	errStillRunning = errors.New("a worker is doing it, and knows its deadline")
	errNotYet       = errors.New("the engine's clock is ahead of this worker's")
)

// skew is how far the engine's clock may be ahead and be waited for. If it is further, the
// engine's clock decides, as it does about when a job begins.
const skew = time.Minute

// scheduleDeadline has the engine say when a job's deadline has passed, in place of an older one.
func (f *Fleet) scheduleDeadline(ctx context.Context, j *Job) error {
	return f.schedule(ctx, f.newMsg(deadlineSubject(j.ID), []byte(j.ID+" "+stampOf(j.Deadline))), j.Deadline, expiredSubject)
}

func stampOf(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// expired ends one, unless it has ended, or was replayed with another deadline.
func (w *Worker) expired(told string) error {
	id, deadline, _ := strings.Cut(told, " ")
	if !idPattern.MatchString(id) {
		return nil // published by who is no fleet
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.work), 10*time.Second)
	defer cancel()
	r, err := w.f.change(ctx, id, func(r *Record) (bool, error) {
		switch {
		case r.State.Ended(), r.Job.Deadline.IsZero(), deadline != "" && stampOf(r.Job.Deadline) != deadline:
			return false, nil
		case time.Now().Before(r.Job.Deadline) && time.Until(r.Job.Deadline) < skew:
			return false, errNotYet
		case r.State == Running:
			return false, errStillRunning
		}
		// The dead-letter stream first, as in try.end.
		dead := *r
		dead.State, dead.Reason, dead.Ended = Dead, errDeadline.Error(), time.Now().UTC()
		if err := w.f.deadLetter(ctx, &dead); err != nil {
			return false, err
		}
		*r = dead
		return true, nil
	})
	switch {
	case errors.Is(err, ErrNoJob):
		return nil // it was never accepted
	case err != nil:
		return err
	}
	if r.State == Dead {
		w.f.clear(ctx, r)
		w.f.tell(r)
		w.count(func(s *Stats) { s.Dead++ })
		w.event(Event{What: "job", Target: r.Job.Target, Record: r})
	}
	return nil
}
