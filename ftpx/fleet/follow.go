package fleet

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Told is an event of a fleet.
type Told struct {
	// What is the state that a job has now, or "paused" or "resumed".
	What string `json:"what"`
	// Target is the one that it is about.
	Target string `json:"target"`
	// Record is the job's, nil if it is about none.
	Record *Record `json:"record,omitempty"`
}

// Follow calls fn with what happens from now on, until ctx ends. What is told while fn is slow
// or the engine is away is missed: [Fleet.Records] tells what is.
func (f *Fleet) Follow(ctx context.Context, fn func(Told)) error {
	messages := make(chan *nats.Msg, 4096)
	sub, err := f.nc.ChanSubscribe(eventPrefix+">", messages)
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }()
	for {
		select {
		case m := <-messages:
			parts := strings.Split(strings.TrimPrefix(m.Subject, eventPrefix), ".")
			if len(parts) < 2 {
				continue
			}
			t := Told{What: parts[0], Target: parts[1]}
			if len(parts) == 3 {
				t.Record = &Record{}
				if json.Unmarshal(m.Data, t.Record) != nil {
					continue
				}
			}
			fn(t)
		case <-ctx.Done():
			return nil
		}
	}
}

// Wait returns a job's record when it has ended.
func (f *Fleet) Wait(ctx context.Context, id string) (*Record, error) {
	w, err := f.recordsOf(id).Watch(ctx, id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.Stop() }()
	for first := true; ; first = false {
		select {
		case e, ok := <-w.Updates():
			switch {
			case !ok:
				return nil, ErrNoJob
			case e == nil:
				if first {
					return nil, ErrNoJob
				}
				continue
			case e.Operation() != jetstream.KeyValuePut:
				return nil, ErrNoJob
			}
			r, err := readRecord(e)
			if err != nil || r.State.Ended() {
				return r, err
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
