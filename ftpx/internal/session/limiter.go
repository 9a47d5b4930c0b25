package session

import (
	"container/list"
	"context"
	"sync"
)

// limiter is a semaphore whose size may change. It serves in order of arrival.
type limiter struct {
	mu      sync.Mutex // guards what follows
	limit   int
	held    int
	waiting list.List // of *ticket
}

// ticket is a place in the queue, or a place.
type ticket struct {
	granted chan struct{} // closed when it is
	elem    *list.Element // nil when it is, and when it was given back
	over    bool          // it was given back
}

func newLimiter(limit int) *limiter { return &limiter{limit: limit} }

// try takes a place if there is one and nobody waits for it.
func (l *limiter) try() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting.Len() > 0 || l.held >= l.limit {
		return false
	}
	l.held++
	return true
}

// queue gets in line.
func (l *limiter) queue() *ticket {
	t := &ticket{granted: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	t.elem = l.waiting.PushBack(t)
	l.grant()
	return t
}

// await waits until ctx ends, or closed does, which is [ErrClosed].
func (l *limiter) await(ctx, closed context.Context, t *ticket) error {
	err := await(ctx, closed, t.granted)
	if err != nil {
		l.leave(t)
	}
	return err
}

// await waits for an event, until ctx ends, or closed does, which is [ErrClosed].
func await[T any](ctx, closed context.Context, event <-chan T) error {
	select {
	case <-event:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-closed.Done():
		return ErrClosed
	}
}

// leave gives up a ticket, granted or not. It may be called again.
func (l *limiter) leave(t *ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case t.over:
	case t.elem != nil:
		l.waiting.Remove(t.elem)
	default: // granted, perhaps in the same moment: pass it on
		l.held--
		l.grant()
	}
	t.over, t.elem = true, nil
}

func (l *limiter) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held--
	l.grant()
}

// grant wakes as many as there is room for. It is called with mu held.
func (l *limiter) grant() {
	for e := l.waiting.Front(); e != nil && l.held < l.limit; e = l.waiting.Front() {
		l.held++
		t := e.Value.(*ticket)
		t.elem = nil
		l.waiting.Remove(e)
		close(t.granted)
	}
}
