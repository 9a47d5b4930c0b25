package session

import "time"

const (
	// probeFirst is how long a learned limit stands before one connection more is tried;
	// each refusal doubles it, up to probeMax.
	probeFirst = 30 * time.Second
	probeMax   = 10 * time.Minute
)

// slots is how many connections may be open at once. It begins with as many as the
// caller allows, and lives within what the server is found to take: a refusal while n
// connections are open sets the limit to n, and the work that was refused queues up. Now
// and then one more is tried.
type slots struct {
	most, limit int // limit is at most most
	held        int
	probeAt     time.Time // when limit+1 may be tried; set while limit < most
	probe       time.Duration

	// shareWait is how long work that may share waits for that before a connection is
	// opened for it: a quarter of what opening takes, since others get on meanwhile.
	shareWait time.Duration
	opened    time.Time // when that was done last
}

func newSlots(size int) slots { return slots{most: size, limit: size, probe: probeFirst} }

// room is how many there are now.
func (s *slots) room() int {
	if s.limit < s.most && !time.Now().Before(s.probeAt) {
		return s.limit + 1
	}
	return s.limit
}

// probeIn is how long it is until one more than now may be tried, 0 where time does not
// change that.
func (s *slots) probeIn() time.Duration {
	if s.limit == s.most {
		return 0
	}
	return max(time.Until(s.probeAt), 0)
}

func (s *slots) free() bool { return s.held < s.room() }

// refused takes note of a server that refused one connection more than the open ones. It
// reports whether to wait for one of these. If there are none, or fewer than are known
// to work, the server is busy with others, or has not yet noticed that we closed one:
// that is for the retry policy.
func (s *slots) refused(open int) bool {
	if open == 0 || open < s.limit && s.limit < s.most {
		return false
	}
	if now := time.Now(); s.limit == s.most || !now.Before(s.probeAt) {
		if s.limit < s.most {
			s.probe = min(2*s.probe, probeMax) // it was a probe that was refused
		}
		s.probeAt = now.Add(s.probe)
	}
	s.limit = min(s.limit, open)
	return true
}

// proven takes note that so many connections are open at once.
func (s *slots) proven(open int) {
	if open > s.limit {
		s.limit = min(open, s.most)
		s.probe = probeFirst
		s.probeAt = time.Now().Add(s.probe)
	}
}

// took takes note of how long it takes to open a connection.
func (s *slots) took(d time.Duration) { s.shareWait = d / 4 }

// waitedEnough reports whether work that may share has waited long enough for a connection of
// its own, which it then gets.
func (s *slots) waitedEnough(w *waiter) bool {
	if s.due(w) > 0 {
		return false
	}
	s.opened = time.Now()
	return true
}

// due is how long it is until then.
func (s *slots) due(w *waiter) time.Duration {
	since := w.since
	if s.opened.After(since) {
		since = s.opened
	}
	return time.Until(since.Add(s.shareWait))
}

// refused is that of the slots.
func (p *pool) refused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() { p.limit.Store(int32(p.slots.limit)) }()
	return p.slots.refused(len(p.conns))
}

// excess reports whether more slots are held than there are now.
func (p *pool) excess() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.slots.held > p.slots.room()
}

// trySlot takes a slot if there is one and nobody waits for it.
func (p *pool) trySlot() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queue.Len() > 0 || !p.slots.free() {
		return false
	}
	p.slots.held++
	return true
}

// freeSlot gives a slot back.
func (p *pool) freeSlot() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slots.held--
	p.grant()
}

// tookToOpen is took of the slots.
func (p *pool) tookToOpen(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slots.took(d)
}
