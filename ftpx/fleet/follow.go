package fleet

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/nats-io/nats.go"
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
