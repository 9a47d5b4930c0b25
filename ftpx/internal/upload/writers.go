package upload

import (
	"context"
	"errors"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Writers are the partials that are being written, so that two calls with the
// same source and destination do not write into each other's: those on its server
// of each client, and those on the local disk of all clients together.
type Writers struct {
	mu   sync.Mutex // guards busy
	busy map[string]chan struct{}
}

// Claim makes the caller the one writer of a partial until it calls release. It
// waits for another, or fails, as told.
func (w *Writers) Claim(ctx context.Context, partial string, fail bool) (release func(), err error) {
	for {
		w.mu.Lock()
		if w.busy == nil {
			w.busy = map[string]chan struct{}{}
		}
		other, taken := w.busy[partial]
		if !taken {
			done := make(chan struct{})
			w.busy[partial] = done
			w.mu.Unlock()
			return func() {
				w.mu.Lock()
				delete(w.busy, partial)
				w.mu.Unlock()
				close(done)
			}, nil
		}
		w.mu.Unlock()
		if fail {
			return nil, otherWriter("upload", partial, true)
		}
		select {
		case <-other:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// otherWriter is the error for a partial that somebody else is writing.
func otherWriter(op, partial string, fail bool) error {
	err := &transport.Error{Op: op, Path: partial, Kind: transport.KindLocked,
		Err: errors.New("the partial grows although nothing is being sent from here: another writer is uploading the same file")}
	if fail {
		return retry.Stop(err)
	}
	return err
}
