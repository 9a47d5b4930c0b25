package ftpx

import (
	"context"
	"errors"
	"path/filepath"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// writers are the partials that are being written, so that two calls with the
// same source and destination do not write into each other's: those on its server
// of each client, and those on the local disk of all clients together.
type writers struct {
	mu   sync.Mutex // guards busy
	busy map[string]chan struct{}
}

// claim makes the caller the one writer of a partial until it calls release. It
// waits for another, or fails, as told.
func (w *writers) claim(ctx context.Context, partial string, on OtherWriter) (release func(), err error) {
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
		if on == OtherWriterFail {
			return nil, otherWriter("upload", partial, on)
		}
		select {
		case <-other:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// downloads are the local files that this process is fetching. Other processes
// are kept out by the lock on the part; this is for two calls here, which then
// wait for each other exactly as long as need be.
var downloads writers

// localKey is one name for all ways to name a local file, as far as they can be
// known: two names that it does not bring together still meet at the lock.
func localKey(local string) string {
	abs, err := filepath.Abs(local)
	if err != nil {
		return local
	}
	dir, base := filepath.Split(abs)
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return filepath.Join(dir, base)
}

// otherWriter is the error for a partial that somebody else is writing.
func otherWriter(op, partial string, on OtherWriter) error {
	err := &transport.Error{Op: op, Path: partial, Kind: transport.KindLocked,
		Err: errors.New("the partial grows although nothing is being sent from here: another writer is uploading the same file")}
	if on == OtherWriterFail {
		return retry.Stop(err)
	}
	return err
}
