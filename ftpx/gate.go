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

// stuckEvery is how often work that waits for a seat looks whether a slot would do,
// for the case that no seat is ever given back. Else each that is given back tells.
const stuckEvery = 250 * time.Millisecond

// gate hands out slots for connections, in order of arrival. It begins with as
// many as the caller allows, and lives within what the server is found to take:
// a refusal while n connections are open sets the limit to n, and the work that
// was refused queues up. Now and then one more is tried.
type gate struct {
	mu      sync.Mutex // guards what follows
	max     int
	limit   int // at most max
	held    int
	seats   int       // how many may ride on the connections that are open
	riding  int       // of those, in use
	waiting list.List // of *waiter
	// patience is how long work that may ride waits for a seat before a connection
	// is opened for it: a quarter of what that takes, since others go on meanwhile.
	patience time.Duration
	opened   time.Time // when that was done last
	probeAt  time.Time // when limit+1 may be tried; set while limit < max
	probe    time.Duration
}

// waiter waits for a slot, or also for a seat if it may ride.
type waiter struct {
	rides   bool
	seated  bool // a seat was granted, not a slot
	since   time.Time
	granted chan struct{}
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
	_, err := g.wait(ctx, closed, false)
	return err
}

// wait is enter for work that may also ride: share a connection with others.
func (g *gate) wait(ctx, closed context.Context, rides bool) (seated bool, err error) {
	w := &waiter{rides: rides, granted: make(chan struct{}), since: time.Now()}
	g.mu.Lock()
	e := g.waiting.PushBack(w)
	g.grant()
	g.mu.Unlock()
	select {
	case <-w.granted:
		return w.seated, nil
	default:
	}
	var look <-chan time.Time
	if rides {
		tick := time.NewTicker(stuckEvery)
		defer tick.Stop()
		look = tick.C
	}
	for err == nil {
		select {
		case <-w.granted:
			return w.seated, nil
		case <-look: // the seats may all be stuck
			g.mu.Lock()
			g.grant()
			g.mu.Unlock()
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-closed.Done():
			err = ErrClosed
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-w.granted: // in the same moment: pass it on
		g.free(w.seated)
	default:
		g.waiting.Remove(e)
	}
	return false, err
}

func (g *gate) free(seated bool) {
	if seated {
		g.riding--
	} else {
		g.held--
	}
	g.grant()
}

// stand frees a seat.
func (g *gate) stand() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free(true)
}

// seat adds seats, or takes them away with their connection.
func (g *gate) seat(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seats += n
	g.grant()
}

// leave frees a slot.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free(false)
}

// try takes a slot if there is one and nobody waits for it.
func (g *gate) try() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting.Len() > 0 || g.held >= g.room() {
		return false
	}
	g.held++
	return true
}

// crowded reports whether work waits for a slot.
func (g *gate) crowded() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waiting.Len() > 0
}

// hold takes a slot whether there is one or not, for a caller that is about to
// leave.
func (g *gate) hold() {
	g.mu.Lock()
	g.held++
	g.mu.Unlock()
}

// grant wakes as many as there is room for, in order of arrival. Work that may
// ride does so where there is a seat; it opens a connection where there are no
// seats at all, or where it has waited for one for as long as that takes.
func (g *gate) grant() {
	for e := g.waiting.Front(); e != nil; {
		w, next := e.Value.(*waiter), e.Next()
		slot, seat := g.held < g.room(), g.riding < g.seats
		switch {
		case !slot && !seat:
			return
		case w.rides && seat:
			g.riding++
			w.seated = true
		case slot && (!w.rides || g.seats == 0):
			g.held++
		case slot && time.Since(w.since) >= g.patience && time.Since(g.opened) >= g.patience:
			g.held++
			g.opened = time.Now()
		default:
			e = next
			continue
		}
		close(w.granted)
		g.waiting.Remove(e)
		e = next
	}
}

// took takes note of how long it takes to open a connection.
func (g *gate) took(d time.Duration) {
	g.mu.Lock()
	g.patience = d / 4
	g.mu.Unlock()
}

// opening is about how long it takes to open a connection.
func (g *gate) opening() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return 4 * g.patience
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
