package session

import (
	"sync"
	"time"
)

// tripKeep is for how long a round trip says something about the next one.
const tripKeep = 10 * time.Minute

// Trip is the shortest round trip that was seen to a host. What a single connection has
// seen may be longer: a busy server takes its time over the first answers.
type Trip struct {
	mu       sync.Mutex // guards what follows
	shortest time.Duration
	until    time.Time // when that is forgotten
	asked    time.Time // until when it need not be asked for
}

// Shortest takes note of a round trip and returns the shortest.
func (t *Trip) Shortest(d time.Duration) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := time.Now(); d <= t.shortest || now.After(t.until) {
		t.shortest, t.until = d, now.Add(tripKeep)
	}
	return t.shortest
}

// Ask reports whether it is worth asking the server something to know its round trip.
// Whoever is told so does.
func (t *Trip) Ask() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if now.Before(t.asked) {
		return false
	}
	t.asked = now.Add(tripKeep)
	return true
}
