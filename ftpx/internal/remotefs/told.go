package remotefs

import "sync"

// told is what is told of a file when it is closed, or its context has ended. Where a piece
// is being read then it is told when that has ended.
type told struct {
	end func(moved int64, err error) // nil where nobody wants to know

	mu    sync.Mutex // guards what follows
	under int        // pieces being read
	over  bool
	did   bool // it has been told
	moved int64
	err   error // of the last piece
}

// begin begins to read a piece.
func (t *told) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.under++
}

// read ends that.
func (t *told) read(n int64, err error) {
	t.mu.Lock()
	t.under--
	t.moved += n
	if !t.over {
		t.err = err
	}
	t.mu.Unlock()
	t.tell()
}

// finish says that no more will be read.
func (t *told) finish() {
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	t.tell()
}

// tell tells, once, when all is over.
func (t *told) tell() {
	t.mu.Lock()
	due := t.end != nil && t.over && t.under == 0 && !t.did
	t.did = t.did || due
	moved, err := t.moved, t.err
	t.mu.Unlock()
	if due {
		t.end(moved, err)
	}
}
