package faultproxy

import (
	"bytes"
	"sync"
)

// trigger counts down to the moment of a fault that depends on what its own
// connection has forwarded. Both pumps of the connection use it.
type trigger struct {
	dir   Dir
	unit  unit
	fired chan struct{} // closed once the fault has been inflicted

	mu      sync.Mutex
	left    int64
	hit     bool          // left was used up; the pump that did it is inflicting the fault
	writing int           // pumps that have taken bytes and not yet written them
	quiet   chan struct{} // when not nil, closed once writing is 0
}

// unit is what a trigger counts.
type unit uint8

const (
	countBytes unit = iota
	countLines
	countChunks
)

// newTrigger returns nil for faults that come at the start or with an event.
func newTrigger(f *Fault) *trigger {
	t := &trigger{dir: f.Dir.orBoth(), fired: make(chan struct{})}
	switch w := f.When; {
	case f.Kind == None || f.beforeDial():
		return nil
	case w.Bytes > 0:
		t.unit, t.left = countBytes, w.Bytes
	case w.Lines > 0:
		t.unit, t.left, t.dir = countLines, int64(w.Lines), Down
	case w.Chunks > 0:
		t.unit, t.left = countChunks, int64(w.Chunks)
	default:
		return nil
	}
	return t
}

// settled returns an event: nobody is writing bytes that were taken. A fault that
// counts both directions waits for it, since the other pump may have taken bytes
// and not written them; only for a while, because that write may be blocked.
func (t *trigger) settled() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.quiet = make(chan struct{})
	quiet := t.quiet
	if t.writing == 0 {
		close(quiet)
		t.quiet = nil
	}
	return quiet
}

// written follows each take that returned bytes or a hit.
func (t *trigger) written() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writing--
	if t.writing == 0 && t.quiet != nil {
		close(t.quiet)
		t.quiet = nil
	}
}

// take returns how many bytes of the chunk p, or of what is left of it, may be
// forwarded before the fault, and whether the fault follows them. Both zero means
// that the other pump has used up the count: wait for t.fired and ask again.
func (t *trigger) take(dir Dir, p []byte) (n int, hit bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hit {
		select {
		case <-t.fired:
			t.writing++
			return len(p), false
		default:
			return 0, false
		}
	}
	t.writing++
	if !t.dir.has(dir) {
		return len(p), false
	}
	n = t.count(p)
	t.hit = t.left == 0
	return n, t.hit
}

// count takes from left what p has and returns how much of p that is.
func (t *trigger) count(p []byte) int {
	switch t.unit {
	case countLines:
		n := 0
		for t.left > 0 {
			i := bytes.IndexByte(p[n:], '\n')
			if i < 0 {
				return len(p)
			}
			n += i + 1
			t.left--
		}
		return n
	case countChunks:
		t.left--
		return len(p)
	default:
		n := int(min(int64(len(p)), t.left))
		t.left -= int64(n)
		return n
	}
}
