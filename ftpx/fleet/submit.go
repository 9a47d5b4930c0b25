package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Receipt is what became of a job that was submitted.
type Receipt struct {
	// ID is the job's, also where it was given none.
	ID string `json:"id"`
	// Duplicate says that the very job had been accepted before: nothing was added.
	Duplicate bool `json:"duplicate,omitempty"`
	// State is where it is.
	State State `json:"state"`
}

// Submit hands a job in. When it returns without an error, the job is stored, as durably as
// the server stores: in its journal on disk, of a majority where there are replicas. The call
// may be repeated: a job that is known is not added. An error that is an [ErrJob] is the
// job's; after any other it is not known whether the job was accepted: submit it again.
func (f *Fleet) Submit(ctx context.Context, j Job) (Receipt, error) {
	j.fill()
	if err := f.acceptable(ctx, &j); err != nil {
		return Receipt{}, err
	}
	old, err := f.record(ctx, j.ID)
	if err != nil {
		return Receipt{}, err
	}
	if old != nil {
		if old.Job.hash() != j.hash() {
			return Receipt{}, wrong("id", "%q is that of another job (%s %s): give this one another id, or none", j.ID, old.Job.Op, old.Job.Dest)
		}
		return Receipt{ID: j.ID, Duplicate: true, State: old.State}, nil
	}
	if id, err := f.circle(ctx, &j); err != nil {
		return Receipt{}, err
	} else if id != "" {
		return Receipt{}, wrong("after", "job %s waits for this one, so that neither would ever begin: leave one of the two out", id)
	}
	return f.put(ctx, &Record{Job: j, Submitted: time.Now().UTC()})
}

// circle is a job that waits for j and that j would wait for, "" for none. It looks at as many
// as one job may name.
func (f *Fleet) circle(ctx context.Context, j *Job) (string, error) {
	seen := map[string]bool{}
	for left := j.After; len(left) > 0 && len(seen) < maxAfter; {
		id := left[0]
		left = left[1:]
		if seen[id] {
			continue
		}
		seen[id] = true
		r, err := f.record(ctx, id)
		switch {
		case err != nil:
			return "", err
		case r == nil || r.State.Ended():
			continue
		case slices.Contains(r.Job.After, j.ID):
			return id, nil
		}
		left = append(slices.Clone(left), r.Job.After...)
	}
	return "", nil
}

// acceptable refuses what could not be done, as far as that is known here.
func (f *Fleet) acceptable(ctx context.Context, j *Job) error {
	if err := j.Check(); err != nil {
		return err
	}
	if b, err := json.Marshal(j); err != nil || len(b) > MaxJob {
		return wrong("", "it has %d bytes, and %d are the most", len(b), MaxJob)
	}
	if !j.Deadline.IsZero() && !j.Deadline.After(time.Now()) {
		return wrong("deadline", "%s has passed: write a later one, or leave it out", j.Deadline.Format(time.RFC3339))
	}
	targets := []string{j.Target}
	if j.Op == Copy {
		name, _, _ := splitPlace(j.Source)
		targets = append(targets, name)
	}
	for i, name := range targets {
		if known, err := f.knows(ctx, targetKey(name)); err != nil {
			return err
		} else if !known {
			return wrong([]string{"target", "source"}[i], "no worker has a target %q: add [[target]] name = %q to the workers' configuration and start one", name, name)
		}
	}
	if place := j.local(); place != "" {
		name, _, _ := splitPlace(place)
		field := "dest"
		if j.up() {
			field = "source"
		}
		if known, err := f.knows(ctx, rootKey(name)); err != nil {
			return err
		} else if !known {
			return wrong(field, "no worker has a root %q: add [[root]] name = %q to the workers' configuration and start one", name, name)
		}
	}
	return nil
}

// knows reports whether a worker has told of a target or root. They are not forgotten, so
// that each is asked for once.
func (f *Fleet) knows(ctx context.Context, key string) (bool, error) {
	if _, ok := f.told.Load(key); ok {
		return true, nil
	}
	_, err := f.state.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return false, nil
	}
	if err == nil {
		f.told.Store(key, true)
	}
	return err == nil, err
}

// put stores a job's message and its record. The record comes last: what has one has been
// accepted, and what was accepted and has none yet gets it from the worker.
func (f *Fleet) put(ctx context.Context, r *Record) (Receipt, error) {
	j := &r.Job
	if !j.Deadline.IsZero() {
		// Before the job: a deadline of a job that was not accepted finds no record.
		if err := f.scheduleDeadline(ctx, j); err != nil {
			return Receipt{}, fmt.Errorf("the deadline of job %s: %w", j.ID, err)
		}
	}
	r.State = Queued
	if j.NotBefore.After(time.Now()) {
		r.State, r.Until, r.Reason = Waiting, j.NotBefore, "not before"
	}
	ack, err := f.enqueue(ctx, r)
	if err != nil {
		return Receipt{}, fmt.Errorf("job %s may not have been accepted: submit it again: %w", j.ID, err)
	}
	receipt := Receipt{ID: j.ID, State: r.State, Duplicate: ack.Duplicate}
	if r.State == Queued && !ack.Duplicate {
		r.Seq = ack.Sequence
	}
	switch err := f.write(ctx, r); {
	case errors.Is(err, errTaken): // a worker was faster, or the same was submitted elsewhere
		if now, err := f.record(ctx, j.ID); err == nil && now != nil {
			receipt.State = now.State
		}
	case err == nil:
		f.tell(r)
	}
	// Without its record the job is accepted all the same.
	return receipt, nil
}

// enqueue publishes a job at once or for its time, as its record says.
func (f *Fleet) enqueue(ctx context.Context, r *Record) (*jetstream.PubAck, error) {
	b, err := json.Marshal(&r.Job)
	if err != nil {
		return nil, err
	}
	shard, _ := f.jobsOf(r.Job.Target)
	subject := jobSubject(shard, r.Job.Class, r.Job.Target)
	m := f.newMsg(subject, b)
	m.Header.Set(headerTry, strconv.Itoa(r.Try))
	if f.o.Inject != nil {
		f.o.Inject(ctx, m.Header.Set)
	}
	m.Header.Set(nats.MsgIdHdr, r.Job.ID+"."+strconv.Itoa(r.Try))
	if r.State == Waiting {
		m.Subject = laterSubject(shard, r.Job.Class, r.Job.Target, r.Job.ID)
		onSchedule(m, r.Until, subject)
		return f.js.PublishMsg(ctx, m)
	}
	return f.storing[shard].publish(ctx, m)
}

// schedule publishes a message that the engine publishes again at its time, in place of one
// of the same subject.
func (f *Fleet) schedule(ctx context.Context, m *nats.Msg, at time.Time, target string) error {
	onSchedule(m, at, target)
	_, err := f.js.PublishMsg(ctx, m)
	return err
}

// onSchedule makes a message one that the engine publishes at its time. The client's own
// option cuts the time to the second, which would be too early.
func onSchedule(m *nats.Msg, at time.Time, target string) {
	m.Header.Set("Nats-Schedule", "@at "+at.UTC().Format(time.RFC3339Nano))
	m.Header.Set("Nats-Schedule-Target", target)
}

func (f *Fleet) newMsg(subject string, data []byte) *nats.Msg {
	return &nats.Msg{Subject: subject, Data: data, Header: nats.Header{}}
}

// tell publishes an event. Whoever does not listen misses it: the record is the truth.
func (f *Fleet) tell(r *Record) {
	if b, err := json.Marshal(r); err == nil {
		_ = f.nc.Publish(eventPrefix+string(r.State)+"."+r.Job.Target+"."+r.Job.ID, b)
	}
}

// Cut makes text of a server fit for a record: one line, nothing that controls a terminal.
func cut(err error) string {
	const most = 1000
	s := transport.Printable(err.Error())
	if len(s) > most {
		s = s[:most] + "..."
	}
	return s
}
