package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrEnded: a job has ended, so that what was asked cannot be done about it.
var ErrEnded = errors.New("the job has ended")

// ErrNoTarget: no worker has ever had a target of this name.
var ErrNoTarget = errors.New("no worker has such a target")

// Cancel ends a job that nobody wants any more. One that is being done ends as soon as its
// worker hears of it, unless it is done by then: the record tells. It may be repeated.
func (f *Fleet) Cancel(ctx context.Context, id string) (*Record, error) {
	r, err := f.change(ctx, id, func(r *Record) (bool, error) {
		switch {
		case r.State == Cancelled || r.Cancel:
			return false, nil
		case r.State.Ended():
			return false, fmt.Errorf("job %s is %s: %w", id, r.State, ErrEnded)
		case r.State == Running:
			r.Cancel = true
		default:
			r.State, r.Ended, r.Reason = Cancelled, time.Now().UTC(), "cancelled"
		}
		return true, nil
	})
	if err != nil {
		return r, err
	}
	if r.State == Cancelled {
		f.tell(r)
		f.clear(ctx, r)
		return r, nil
	}
	return r, f.nc.Publish(cancelPrefix+id, nil)
}

// clear takes what is left of a job that has ended out of the engine. What fails is found
// by the worker that it is given to.
func (f *Fleet) clear(ctx context.Context, r *Record) {
	shard, st := f.jobsOf(r.Job.Target)
	if r.Seq > 0 {
		_ = st.DeleteMsg(ctx, r.Seq)
	}
	if r.Try > 0 || !r.Job.NotBefore.IsZero() {
		_ = st.Purge(ctx, jetstream.WithPurgeSubject(laterSubject(shard, r.Job.Class, r.Job.Target, r.Job.ID)))
	}
	if !r.Job.Deadline.IsZero() {
		_ = f.control.Purge(ctx, jetstream.WithPurgeSubject(deadlineSubject(r.Job.ID)))
	}
}

// ReplayOptions are the options of [Fleet.Replay]; nil is the zero value.
type ReplayOptions struct {
	// Unknown replays jobs that may have taken effect, too: the receiver may get the file twice.
	Unknown bool
	// Deadline replaces the job's, which may be why it is dead; zero removes it.
	Deadline time.Time
}

// Replay puts a dead or cancelled job to work again.
func (f *Fleet) Replay(ctx context.Context, id string, opts *ReplayOptions) (*Record, error) {
	if opts == nil {
		opts = &ReplayOptions{}
	}
	r, err := f.change(ctx, id, func(r *Record) (bool, error) {
		switch {
		case r.State != Dead && r.State != Cancelled:
			return false, fmt.Errorf("job %s is %s: only dead and cancelled ones are replayed", id, r.State)
		case r.Unknown && !opts.Unknown:
			return false, fmt.Errorf("job %s may have been delivered (%s): look at the other side, and replay it as unknown to send it again", id, r.Reason)
		}
		// Waiting, as if it had failed: if this dies before the job is published, a second
		// Replay finds it so.
		r.State, r.Try, r.Seq, r.Until = Waiting, r.Try+1, 0, time.Now().UTC()
		r.Reason, r.Unknown, r.Cancel, r.Ended = "replayed", false, false, time.Time{}
		r.Job.Deadline = opts.Deadline
		return true, nil
	})
	if err != nil {
		return r, err
	}
	if !r.Job.Deadline.IsZero() {
		if err := f.scheduleDeadline(ctx, &r.Job); err != nil {
			return r, err
		}
	}
	if _, err := f.enqueue(ctx, r); err != nil {
		return r, fmt.Errorf("job %s was not replayed: reconcile will submit it: %w", id, err)
	}
	_ = f.dead.Purge(ctx, jetstream.WithPurgeSubject(deadSubject(r.Job.Class, r.Job.Target, id)))
	f.tell(r)
	return r, nil
}

// Dead returns the dead jobs of a target, "" for all, in the order of their deaths.
func (f *Fleet) Dead(ctx context.Context, target string) ([]*Record, error) {
	var dead []*Record
	for r, err := range f.DeadJobs(ctx, target) {
		if err != nil {
			return dead, err
		}
		dead = append(dead, r)
	}
	return dead, nil
}

// DeadJobs are the dead jobs of a target, "" for all, in the order of their deaths. The engine
// is asked for each as it is wanted. An error is the last pair.
func (f *Fleet) DeadJobs(ctx context.Context, target string) iter.Seq2[*Record, error] {
	filter := "ftpx.dead.*.*.*"
	if target != "" {
		filter = "ftpx.dead.*." + target + ".*"
	}
	return func(yield func(*Record, error) bool) {
		if target != "" && CheckName(target) != nil {
			yield(nil, fmt.Errorf("%w: %q: status lists them", ErrNoTarget, target))
			return
		}
		for seq := uint64(1); ; {
			r, at, err := f.nextDead(ctx, filter, seq)
			if r == nil && err == nil && at == 0 {
				return
			}
			if (r != nil || err != nil) && !yield(r, err) || err != nil {
				return
			}
			seq = at + 1
		}
	}
}

// nextDead is the first dead job from a message on, and that message's number; 0 is the end.
// The job is nil if it is not dead any more.
func (f *Fleet) nextDead(ctx context.Context, filter string, seq uint64) (*Record, uint64, error) {
	m, err := f.dead.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(filter))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("stream %s: %w", deadStream, err)
	}
	told := &Record{}
	if json.Unmarshal(m.Data, told) != nil || !idPattern.MatchString(told.Job.ID) {
		return nil, m.Sequence, nil // published by who is no worker: it hides no other
	}
	r, err := f.record(ctx, told.Job.ID)
	switch {
	case err != nil:
		return nil, 0, err
	case r == nil:
		return told, m.Sequence, nil // the record has aged out
	case r.State == Dead:
		return r, m.Sequence, nil
	}
	return nil, m.Sequence, nil
}

// Pause is why a target is paused.
type Pause struct {
	// Reason is one line.
	Reason string `json:"reason"`
	// By is the person or the worker.
	By string `json:"by"`
	// At is since when.
	At time.Time `json:"at"`
}

// forever is until when consumers are paused.
func forever() time.Time { return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }

// Pause keeps workers from beginning jobs of a target; what is under way ends as it may. It
// may be repeated; the first reason stays.
func (f *Fleet) Pause(ctx context.Context, target string, p Pause) error {
	if err := f.isTarget(ctx, target); err != nil {
		return err
	}
	if p.At.IsZero() {
		p.At = time.Now().UTC()
	}
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if _, err := f.state.Create(ctx, pauseKey(target), b); err != nil && !errors.Is(err, jetstream.ErrKeyExists) {
		return err
	}
	shard, _ := f.jobsOf(target)
	for _, c := range classes() {
		if _, err := f.js.PauseConsumer(ctx, jobStream(shard), jobConsumer(c, target), forever()); err != nil {
			return fmt.Errorf("pausing %s: %w", target, err)
		}
	}
	_ = f.nc.Publish(eventPrefix+"paused."+target, b)
	return nil
}

// Resume lets workers begin jobs of a target again, and forgets what was known of why they
// should not. It may be repeated.
func (f *Fleet) Resume(ctx context.Context, target string) error {
	if err := f.isTarget(ctx, target); err != nil {
		return err
	}
	shard, _ := f.jobsOf(target)
	for _, c := range classes() {
		if _, err := f.js.ResumeConsumer(ctx, jobStream(shard), jobConsumer(c, target)); err != nil {
			return fmt.Errorf("resuming %s: %w", target, err)
		}
	}
	for _, key := range []string{downKey(target), loginKey(target), pauseKey(target)} {
		if err := f.state.Purge(ctx, key); err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
			return err
		}
	}
	_ = f.nc.Publish(eventPrefix+"resumed."+target, nil)
	return nil
}

func (f *Fleet) isTarget(ctx context.Context, target string) error {
	if CheckName(target) == nil {
		if known, err := f.knows(ctx, targetKey(target)); err != nil || known {
			return err
		}
	}
	return fmt.Errorf("%w: %q: status lists them", ErrNoTarget, target)
}

// Drain tells workers to end: each does what it has begun and takes nothing new. "" means
// all that listen now.
func (f *Fleet) Drain(worker string) error {
	if err := f.nc.Publish(drainSubject, []byte(worker)); err != nil {
		return err
	}
	return f.nc.Flush()
}
