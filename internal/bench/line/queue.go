//go:build linux

package line

import (
	"sync"
	"time"
)

const (
	// chunkSize is the largest read.
	chunkSize = 256 << 10
	// small is up to which size a read is copied, so that a queue of short
	// messages is not one of large buffers.
	small = 8 << 10
	// capacity is how many bytes one direction of a connection holds.
	capacity = 64 << 20
	// batch is how many chunks are written at once.
	batch = 64
)

var buffers = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// An end says how a direction ended.
type end int

const (
	open  end = iota
	fin       // the sender has closed its side
	reset     // the sender is gone
)

// chunk is what was read at once, or the end.
type chunk struct {
	data []byte
	from *[chunkSize]byte // to be given back, nil if there is none
	due  time.Time
	end  end
}

func (c *chunk) release() {
	if c.from != nil {
		buffers.Put(c.from)
		c.from = nil
	}
}

// queue holds what is on its way. One goroutine pushes and one pops.
type queue struct {
	mu     sync.Mutex
	chunks []chunk
	bytes  int
	dead   bool
	pushed chan struct{} // has a token after a push
	popped chan struct{} // has a token after a pop
}

func newQueue() *queue {
	return &queue{pushed: make(chan struct{}, 1), popped: make(chan struct{}, 1)}
}

// push adds a chunk, waiting while the queue is full; false means that nobody
// takes anything any more.
func (q *queue) push(c chunk) bool {
	for {
		q.mu.Lock()
		if q.dead {
			q.mu.Unlock()
			c.release()
			return false
		}
		if q.bytes < capacity {
			q.chunks = append(q.chunks, c)
			q.bytes += len(c.data)
			q.mu.Unlock()
			token(q.pushed)
			return true
		}
		q.mu.Unlock()
		<-q.popped
	}
}

// head returns when the first chunk is due, waiting for one; false means that
// the queue was killed.
func (q *queue) head() (time.Time, bool) {
	for {
		q.mu.Lock()
		if q.dead {
			q.mu.Unlock()
			return time.Time{}, false
		}
		if len(q.chunks) > 0 {
			due := q.chunks[0].due
			q.mu.Unlock()
			return due, true
		}
		q.mu.Unlock()
		<-q.pushed
	}
}

// pop appends to into the chunks that are due, batch at most.
func (q *queue) pop(now time.Time, into []chunk) []chunk {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for n < len(q.chunks) && n < batch && !q.chunks[n].due.After(now) {
		q.bytes -= len(q.chunks[n].data)
		n++
	}
	into = append(into, q.chunks[:n]...)
	q.chunks = q.chunks[:copy(q.chunks, q.chunks[n:])]
	token(q.popped)
	return into
}

// kill empties the queue and frees both sides.
func (q *queue) kill() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dead = true
	for i := range q.chunks {
		q.chunks[i].release()
	}
	q.chunks, q.bytes = nil, 0
	token(q.pushed)
	token(q.popped)
}

func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
