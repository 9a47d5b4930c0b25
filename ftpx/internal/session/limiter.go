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
	waiting list.List // of chan struct{}, closed when granted
}

func newLimiter(limit int) *limiter { return &limiter{limit: limit} }

// acquire waits until ctx ends, or closed does, which is [ErrClosed].
func (l *limiter) acquire(ctx, closed context.Context) error {
	granted := make(chan struct{})
	l.mu.Lock()
	e := l.waiting.PushBack(granted)
	l.grant()
	l.mu.Unlock()
	var err error
	select {
	case <-granted:
		return nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-closed.Done():
		err = ErrClosed
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-granted: // in the same moment: pass it on
		l.held--
		l.grant()
	default:
		l.waiting.Remove(e)
	}
	return err
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
		close(e.Value.(chan struct{}))
		l.waiting.Remove(e)
	}
}
