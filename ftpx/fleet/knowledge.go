package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Keys of the state bucket.
func targetKey(target string) string  { return "target." + target }
func rootKey(root string) string      { return "root." + root }
func pauseKey(target string) string   { return "pause." + target }
func downKey(target string) string    { return "down." + target }
func loginKey(target string) string   { return "login." + target }
func learnedKey(target string) string { return "learned." + target }

// Down is what is known of a target that could not be reached.
type Down struct {
	// Until is when the next worker tries.
	Until time.Time `json:"until"`
	// Failures counts in a row.
	Failures int `json:"failures"`
	// Reason is the last error.
	Reason string `json:"reason"`
}

// login is how the last attempt to log in to a target has gone.
type login struct {
	At     time.Time `json:"at"`
	Worker string    `json:"worker"`
	OK     bool      `json:"ok"` // false: it is being tried, or failed
}

// told is an entry, and when this worker has heard of it.
type told struct {
	jetstream.KeyValueEntry
	heard time.Time
}

// known is a worker's copy of the state bucket, which the engine keeps up to date.
type known struct {
	watcher jetstream.KeyWatcher

	mu      sync.Mutex // guards what follows
	values  map[string]told
	changed chan struct{} // closed at the next change
}

// learn begins to watch, and returns when all is known that was written before.
func (f *Fleet) learn(ctx context.Context) (*known, error) {
	w, err := f.state.WatchAll(ctx)
	if err != nil {
		return nil, err
	}
	k := &known{watcher: w, values: map[string]told{}, changed: make(chan struct{})}
	for {
		select {
		case e := <-w.Updates():
			if e == nil { // that was all
				go k.follow(ctx)
				return k, nil
			}
			k.put(e)
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), w.Stop())
		}
	}
}

func (k *known) follow(ctx context.Context) {
	for {
		select {
		case e, ok := <-k.watcher.Updates():
			if !ok {
				return
			}
			if e != nil {
				k.put(e)
			}
		case <-ctx.Done():
			_ = k.watcher.Stop()
			return
		}
	}
}

func (k *known) put(e jetstream.KeyValueEntry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e.Operation() == jetstream.KeyValuePut {
		k.values[e.Key()] = told{e, time.Now()}
	} else {
		delete(k.values, e.Key())
	}
	close(k.changed)
	k.changed = make(chan struct{})
}

// get reads an entry, and reports whether there is one. next is closed when anything changes.
func (k *known) get(key string, to any) (revision uint64, found bool, next <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.values[key]
	if !ok || to != nil && json.Unmarshal(e.Value(), to) != nil {
		return 0, false, k.changed
	}
	return e.Revision(), true, k.changed
}

// age is how long ago an entry was written, 0 if there is none. It grows by this worker's clock
// from when the entry was heard of, so that nothing lasts because another clock is wrong.
func (k *known) age(key string) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.values[key]
	if !ok {
		return 0
	}
	return max(time.Since(e.heard), time.Since(e.Created()))
}

// bytes returns an entry as it is.
func (k *known) bytes(key string) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e, ok := k.values[key]; ok {
		return e.Value()
	}
	return nil
}

// closed says why no job of a target is to be begun now, "" if there is no reason.
func (k *known) closed(target string, now time.Time) string {
	var p Pause
	if _, ok, _ := k.get(pauseKey(target), &p); ok {
		return "paused: " + p.Reason
	}
	var d Down
	if _, ok, _ := k.get(downKey(target), &d); ok && now.Before(d.Until) && k.age(downKey(target)) < mostDown {
		return "down: " + d.Reason
	}
	return ""
}

// share writes what a worker has found out. What cannot be written is found out again.
func (f *Fleet) share(ctx context.Context, key string, value any) {
	if b, err := json.Marshal(value); err == nil {
		_, _ = f.state.Put(ctx, key, b)
	}
}
