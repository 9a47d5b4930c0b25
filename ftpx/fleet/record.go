package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// State is where a job is.
type State string

// The states. The last three are ends.
const (
	// Queued: it waits for a connection.
	Queued State = "queued"
	// Waiting: it waits for its time, for other jobs, or for another try.
	Waiting State = "waiting"
	// Running: a worker does it.
	Running State = "running"
	// Done: it is done, and that was checked.
	Done State = "done"
	// Dead: it will not be done unless it is replayed. Record.Reason says why.
	Dead State = "dead"
	// Cancelled: somebody did not want it any more.
	Cancelled State = "cancelled"
)

// Ended reports whether a state is an end.
func (s State) Ended() bool { return s == Done || s == Dead || s == Cancelled }

// ErrNoJob: no job has this id, or its record is no longer kept.
var ErrNoJob = errors.New("there is no such job, or it ended so long ago that its record is gone")

// Record is what is known of a job. It is the truth about its end: a job has ended when its
// record says so, and changes of it compare and swap.
type Record struct {
	// Job is the job as it was accepted.
	Job Job `json:"job"`
	// State is where it is.
	State State `json:"state"`
	// Try counts from 0 how often it was scheduled again or replayed.
	Try int `json:"try"`
	// Failures counts the tries that failed.
	Failures int `json:"failures,omitempty"`
	// Worker is the one that does it, or did it last.
	Worker string `json:"worker,omitempty"`
	// Instance tells that worker from another of the same name.
	Instance string `json:"instance,omitempty"`
	// Reason says why it waits, is dead or was cancelled. What servers said is quoted in it.
	Reason string `json:"reason,omitempty"`
	// Unknown says of a dead job that it may have taken effect: the server has acknowledged
	// all of it and nothing could be looked at. It is never sent again by itself.
	Unknown bool `json:"unknown,omitempty"`
	// Cancel says that it is to end as soon as its worker hears of it.
	Cancel bool `json:"cancel,omitempty"`
	// Result is what was moved.
	Result Result `json:"result,omitzero"`
	// Submitted, Began, Until and Ended are when it was accepted, was first begun, will be
	// tried again and has ended.
	Submitted time.Time `json:"submitted,omitzero"`
	Began     time.Time `json:"began,omitzero"` // see Submitted
	Until     time.Time `json:"until,omitzero"` // see Submitted
	Ended     time.Time `json:"ended,omitzero"` // see Submitted

	// Seq is the message that the job is done for, 0 where any of this Try may be.
	Seq uint64 `json:"seq,omitempty"`

	revision uint64 // in the bucket
}

// Result is what a job has moved.
type Result struct {
	// Size is the size of the file, or of all files of a mirror.
	Size int64 `json:"size"`
	// Kept is how many of its bytes were there already, proven.
	Kept int64 `json:"kept,omitempty"`
	// Moved is how many were sent or fetched in the last try.
	Moved int64 `json:"moved"`
	// Unchanged says that the very file was there.
	Unchanged bool `json:"unchanged,omitempty"`
	// Verified says what was checked, as ftpx.Verified prints it.
	Verified string `json:"verified,omitempty"`
	// Addr and Protocol are those of the last connection.
	Addr     string `json:"addr,omitempty"`
	Protocol string `json:"protocol,omitempty"` // see Addr
}

// verdict is what a worker does with a message that it was given.
type verdict uint8

const (
	take       verdict = iota // do the job
	drop                      // somebody else does it, or it has ended: acknowledge
	again                     // it was to be scheduled again: see to it that it is
	takeIfGone                // do it if the message that its record names is no longer there
)

// judge decides about a message by the record. r is nil where there is none. It is what
// makes one job of all messages that carry it.
func judge(r *Record, try int, seq uint64) verdict {
	switch {
	case r == nil:
		return take // submitted, and whoever did has not written the record yet
	case r.State.Ended():
		return drop
	case try > r.Try:
		return take // the record is older than the store: it was restored
	case try < r.Try:
		// The worker wrote the record, and died before or after it scheduled the job.
		if r.State == Waiting && try == r.Try-1 {
			return again
		}
		return drop
	case r.Seq == 0 || r.Seq == seq:
		return take
	}
	return takeIfGone // given twice beyond the engine's window
}

// Record returns what is known of a job, or [ErrNoJob].
func (f *Fleet) Record(ctx context.Context, id string) (*Record, error) {
	if !idPattern.MatchString(id) {
		return nil, wrong("id", "%q is not a valid id: use 1 to 64 letters, digits, - and _", id)
	}
	r, err := f.record(ctx, id)
	if err == nil && r == nil {
		err = fmt.Errorf("%s: %w", id, ErrNoJob)
	}
	return r, err
}

// record is nil where there is none.
func (f *Fleet) record(ctx context.Context, id string) (*Record, error) {
	e, err := f.recordsOf(id).Get(ctx, id)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the record of job %s: %w", id, err)
	}
	return readRecord(e)
}

func readRecord(e jetstream.KeyValueEntry) (*Record, error) {
	r := &Record{revision: e.Revision()}
	if err := json.Unmarshal(e.Value(), r); err != nil {
		return nil, fmt.Errorf("the record of job %s cannot be read: %w", e.Key(), err)
	}
	return r, nil
}

// errTaken: somebody else has changed the record meanwhile.
var errTaken = errors.New("the record has been changed by somebody else")

// write puts a record in place of the one that it was read as, or makes it. It fails with
// errTaken if there is another by now.
func (f *Fleet) write(ctx context.Context, r *Record) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	rev, err := f.recordsOf(r.Job.ID).swap(ctx, r.Job.ID, b, r.revision)
	if errors.Is(err, errTaken) {
		return err
	}
	if err != nil {
		return fmt.Errorf("the record of job %s: %w", r.Job.ID, err)
	}
	r.revision = rev
	return nil
}

func isWrongSequence(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// change reads a record, changes it and writes it, until nobody has come between. change
// returns false to leave it.
func (f *Fleet) change(ctx context.Context, id string, change func(*Record) (bool, error)) (*Record, error) {
	for {
		r, err := f.Record(ctx, id)
		if err != nil {
			return nil, err
		}
		ok, err := change(r)
		if err != nil || !ok {
			return r, err
		}
		if err = f.write(ctx, r); !errors.Is(err, errTaken) {
			return r, err
		}
		if ctx.Err() != nil {
			return r, context.Cause(ctx)
		}
	}
}
