package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// layout is what all who use an engine must agree on, in the state bucket.
type layout struct {
	Version int `json:"version"`
	Shards  int `json:"shards"`
	Records int `json:"records,omitempty"` // buckets; 0 means 8
}

const (
	layoutKey = "layout"
	// layoutVersion is the newest layout: 2 says in how many buckets the records are.
	layoutVersion = 2
)

// agree finds out how the engine was laid out, or lays it out.
func (f *Fleet) agree(ctx context.Context) error {
	mine := layout{Version: layoutVersion, Shards: max(f.o.Shards, 1), Records: recordBuckets}
	b, err := json.Marshal(mine)
	if err != nil {
		return err
	}
	_, err = f.state.Create(ctx, layoutKey, b)
	if err != nil && !errors.Is(err, jetstream.ErrKeyExists) {
		return err
	}
	e, err := f.state.Get(ctx, layoutKey)
	if err != nil {
		return err
	}
	var theirs layout
	if err := json.Unmarshal(e.Value(), &theirs); err != nil {
		return fmt.Errorf("the layout in bucket %s cannot be read: %w", stateBucket, err)
	}
	switch {
	case theirs.Version > layoutVersion:
		return fmt.Errorf("the engine was laid out by a newer version (%d) of this program, which knows %d: update it", theirs.Version, layoutVersion)
	case theirs.Records < 0 || theirs.Records > oldRecordBuckets:
		return fmt.Errorf("the layout in bucket %s has %d buckets of records: use 1 to %d", stateBucket, theirs.Records, oldRecordBuckets)
	case f.o.Shards > 0 && f.o.Shards != theirs.Shards:
		return fmt.Errorf("Options.Shards is %d, and the engine was laid out with %d: use that, or a new store", f.o.Shards, theirs.Shards)
	}
	f.o.Shards, f.buckets = max(theirs.Shards, 1), theirs.Records
	if f.buckets == 0 {
		f.buckets = oldRecordBuckets
	}
	return nil
}
