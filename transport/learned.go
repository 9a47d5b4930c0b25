package transport

import (
	"encoding/json"
	"fmt"
	"math"
	"sync"
)

// Learned remembers what servers have turned out to be like, for as long as the
// program keeps it, so that each connection does not find it out anew: commands that
// are announced and refused, mostly. What it holds is in the drivers' own words, and
// wrong at worst by one more round trip: a driver that does without is slower and no
// less right. The zero value is ready for use, a nil one remembers nothing, and its
// methods are safe for concurrent use.
//
// It is bounded: of too many servers, or too much of one, something is forgotten.
type Learned struct {
	mu    sync.Mutex                // guards hosts
	hosts map[string]map[string]int // by address, host:port, then by word
}

// How much a [Learned] holds. A server has a say in some words.
const (
	maxLearnedHosts = 1000
	maxLearnedWords = 200
	maxLearnedWord  = 200
)

// Lacks reports whether the server at addr, host:port, is known to lack something.
func (l *Learned) Lacks(addr, what string) bool { return l.Count(addr, what) > 0 }

// Note takes note that it lacks something, or does not after all.
func (l *Learned) Note(addr, what string, lacks bool) {
	l.change(addr, what, func(int) int {
		if lacks {
			return 1
		}
		return 0
	})
}

// Count returns how often something was added up of the server at addr.
func (l *Learned) Count(addr, what string) int {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hosts[addr][what]
}

// Add adds up how often something was seen of the server at addr.
func (l *Learned) Add(addr, what string, n int) {
	l.change(addr, what, func(old int) int { return old + min(n, math.MaxInt32-old) })
}

func (l *Learned) change(addr, what string, f func(old int) int) {
	if l == nil || len(addr) > maxLearnedWord || len(what) > maxLearnedWord {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set(addr, what, f(l.hosts[addr][what]))
}

// set replaces a count, 0 or less means none. It is called with mu locked.
func (l *Learned) set(addr, what string, n int) {
	if n <= 0 {
		delete(l.hosts[addr], what)
		if len(l.hosts[addr]) == 0 {
			delete(l.hosts, addr)
		}
		return
	}
	if l.hosts == nil {
		l.hosts = map[string]map[string]int{}
	}
	words := l.hosts[addr]
	if words == nil {
		forgetOne(l.hosts, maxLearnedHosts)
		words = map[string]int{}
		l.hosts[addr] = words
	}
	if _, known := words[what]; !known {
		forgetOne(words, maxLearnedWords)
	}
	words[what] = n
}

// forgetOne makes room for one more.
func forgetOne[V any](m map[string]V, limit int) {
	for key := range m {
		if len(m) < limit {
			return
		}
		delete(m, key)
	}
}

// learnedVersion is that of the form that Save writes.
const learnedVersion = 1

// savedLearned is that form.
type savedLearned struct {
	Version int                       `json:"version"`
	Hosts   map[string]map[string]int `json:"hosts,omitempty"`
}

// Save returns all of it for [Learned.Load], in a form that is nobody else's business.
func (l *Learned) Save() ([]byte, error) {
	saved := savedLearned{Version: learnedVersion}
	if l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		saved.Hosts = l.hosts
	}
	data, err := json.Marshal(saved)
	if err != nil {
		return nil, fmt.Errorf("save what was learned of servers: %w", err)
	}
	return data, nil
}

// Load adds what Save has returned, perhaps in another version of this package. What is
// not understood is refused as a whole, and nothing is changed.
func (l *Learned) Load(data []byte) error {
	var saved savedLearned
	if err := json.Unmarshal(data, &saved); err != nil {
		return fmt.Errorf("load what was learned of servers: %w", err)
	}
	if saved.Version != learnedVersion {
		return fmt.Errorf("load what was learned of servers: version %d is not known here, only %d: leave it out, it is learned again", saved.Version, learnedVersion)
	}
	for addr, words := range saved.Hosts {
		for what, n := range words {
			l.change(addr, what, func(int) int { return min(n, math.MaxInt32) })
		}
	}
	return nil
}
