package transport

import "sync"

// Learned remembers what servers have turned out to lack, for as long as the
// program keeps it, so that each connection does not find it out anew: commands
// that are announced and refused, mostly. What it holds is in the drivers' own
// words, and wrong at worst by one more way round: a driver that goes without is
// slower and no less right. The zero value is ready for use, a nil one remembers
// nothing, and its methods are safe for concurrent use.
type Learned struct {
	mu    sync.Mutex // guards lacks
	lacks map[learned]struct{}
}

type learned struct{ addr, what string }

// Lacks reports whether the server at addr, host:port, is known to lack something.
func (l *Learned) Lacks(addr, what string) bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.lacks[learned{addr, what}]
	return ok
}

// Note takes note that it lacks something, or does not after all. What is noted
// must come from a fixed set of words, never from a server: nothing bounds it.
func (l *Learned) Note(addr, what string, lacks bool) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !lacks {
		delete(l.lacks, learned{addr, what})
		return
	}
	if l.lacks == nil {
		l.lacks = map[learned]struct{}{}
	}
	l.lacks[learned{addr, what}] = struct{}{}
}
