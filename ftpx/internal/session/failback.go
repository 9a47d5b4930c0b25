package session

import "time"

const (
	// homeEvery is how often a better host is looked at, while work goes to a standby,
	// and homeAfter is for how long it must have been well.
	homeEvery = 10 * time.Second
	homeAfter = 30 * time.Second
)

// watchPreferred looks, while work goes to a standby, whether a better host has come
// back. It costs one login in ten seconds, closed at once. A host that refuses the
// login, or is not the one that it should be, is not tried any more: servers lock
// accounts.
func (s *Session) watchPreferred() {
	h := &s.hosts
	since := make([]time.Time, len(h.list))
	barred := make([]bool, len(h.list))
	timer := time.NewTimer(homeEvery)
	defer timer.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-timer.C:
		}
		h.mu.Lock()
		at := h.at
		if at == 0 {
			h.watching = false
		}
		h.mu.Unlock()
		if at == 0 {
			return
		}
		for i, better := range h.list[:at] {
			if barred[i] || better.rank == h.list[at].rank {
				continue
			}
			link, err := s.connect(s.ctx, better, hostTimeout)
			if err != nil {
				since[i], barred[i] = time.Time{}, !elsewhere(err)
				continue
			}
			s.discard(better, link)
			if since[i].IsZero() {
				since[i] = time.Now()
			}
			if time.Since(since[i]) >= homeAfter {
				if b := better.breaker(); b.succeeded() {
					s.tellBreaker(s.ctx, better, b)
				}
				s.move(s.ctx, h.list[at], better, nil)
				since[i] = time.Time{}
				break
			}
		}
		timer.Reset(homeEvery)
	}
}
