package testserver

import "sync"

// tracker knows what a server has running, so that closing the server can end
// all of it and wait. Unlike a sync.WaitGroup it allows work to arrive while the
// wait is on: late arrivals are refused.
type tracker struct {
	mu     sync.Mutex
	idle   sync.Cond // signalled when live and held become empty
	live   map[any]func()
	held   int
	closed bool
}

func newTracker() *tracker {
	t := &tracker{live: make(map[any]func())}
	t.idle.L = &t.mu
	return t
}

// add registers key, which end makes finish; remove follows when it has. It
// reports false, without registering, when the tracker is shut.
func (t *tracker) add(key any, end func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.live[key] = end
	return true
}

// remove may be called more than once for one key.
func (t *tracker) remove(key any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.live, key)
	t.idle.Broadcast()
}

// hold registers something that ends by itself once everything added has ended.
func (t *tracker) hold() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.held++
	return true
}

// release ends a hold.
func (t *tracker) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held--
	t.idle.Broadcast()
}

// cut ends everything that is registered now and goes on accepting.
func (t *tracker) cut() int {
	t.mu.Lock()
	ends := t.ends()
	t.mu.Unlock()
	for _, end := range ends {
		end()
	}
	return len(ends)
}

// shut refuses what comes from now on, ends what is registered, and waits until
// nothing is left. It may be called more than once and from several goroutines.
func (t *tracker) shut() {
	t.mu.Lock()
	t.closed = true
	ends := t.ends()
	t.mu.Unlock()
	// Outside the lock: an end function may call remove.
	for _, end := range ends {
		end()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.live) > 0 || t.held > 0 {
		t.idle.Wait()
	}
}

// ends is called with mu held.
func (t *tracker) ends() []func() {
	ends := make([]func(), 0, len(t.live))
	for _, end := range t.live {
		ends = append(ends, end)
	}
	return ends
}
