package ftpx

import (
	"container/list"
	"context"
	"sync"
	"time"
)

const (
	// probeFirst is how long a learned limit stands before one connection more
	// is tried; each refusal doubles it, up to probeMax.
	probeFirst = 30 * time.Second
	probeMax   = 10 * time.Minute
)

// gate hands out slots for connections, in order of arrival. It begins with as
// many as the caller allows, and lives within what the server is found to take:
// a refusal while n connections are open sets the limit to n, and the work that
// was refused queues up. Now and then one more is tried.
type gate struct {
	mu      sync.Mutex // guards what follows
	max     int
	limit   int // at most max
	held    int
	waiting list.List // of chan struct{}, closed to grant
	probeAt time.Time // when limit+1 may be tried; set while limit < max
	probe   time.Duration
}

func newGate(size int) *gate { return &gate{max: size, limit: size, probe: probeFirst} }

// room is how many slots there are now.
func (g *gate) room() int {
	if g.limit < g.max && !time.Now().Before(g.probeAt) {
		return g.limit + 1
	}
	return g.limit
}

// enter waits for a slot until ctx ends, or closed does, which is ErrClosed.
func (g *gate) enter(ctx, closed context.Context) error {
	g.mu.Lock()
	if g.waiting.Len() == 0 && g.held < g.room() {
		g.held++
		g.mu.Unlock()
		return nil
	}
	granted := make(chan struct{})
	e := g.waiting.PushBack(granted)
	g.mu.Unlock()
	var err error
	select {
	case <-granted:
		return nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-closed.Done():
		err = ErrClosed
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-granted: // in the same moment: pass it on
		g.held--
		g.grant()
	default:
		g.waiting.Remove(e)
	}
	return err
}

// leave frees a slot.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held--
	g.grant()
}

// hold takes a slot whether there is one or not, for a caller that is about to
// leave.
func (g *gate) hold() {
	g.mu.Lock()
	g.held++
	g.mu.Unlock()
}

// grant wakes as many as there is room for.
func (g *gate) grant() {
	for g.waiting.Len() > 0 && g.held < g.room() {
		g.held++
		close(g.waiting.Remove(g.waiting.Front()).(chan struct{}))
	}
}

// excess reports whether more slots are held than there are now.
func (g *gate) excess() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.held > g.room()
}

// refused takes note of a server that refused one connection more than the open
// ones. It reports whether to wait for one of these. If there are none, or
// fewer than are known to work, the server is busy with others, or has not yet
// noticed that we closed one: that is for the retry policy.
func (g *gate) refused(open int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if open == 0 || open < g.limit && g.limit < g.max {
		return false
	}
	if now := time.Now(); g.limit == g.max || !now.Before(g.probeAt) {
		if g.limit < g.max {
			g.probe = min(2*g.probe, probeMax) // it was a probe that was refused
		}
		g.probeAt = now.Add(g.probe)
	}
	g.limit = min(g.limit, open)
	return true
}

// proven takes note that so many connections are open at once.
func (g *gate) proven(open int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if open > g.limit {
		g.limit = min(open, g.max)
		g.probe = probeFirst
		g.probeAt = time.Now().Add(g.probe)
	}
}
