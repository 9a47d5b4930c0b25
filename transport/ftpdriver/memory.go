package ftpdriver

import "sync"

// memory is what all connections of the process remember, by host or by a folder of
// one, because it was learned at a price. Keys may be a server's choice, so that it
// forgets everything beyond a thousand.
type memory[T any] struct {
	mu sync.Mutex
	of map[string]T
}

func (m *memory[T]) get(key string) T {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of[key]
}

// change replaces what is remembered of key, and returns what it was.
func (m *memory[T]) change(key string, f func(T) T) (before T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil || len(m.of) > 1000 {
		m.of = map[string]T{}
	}
	before = m.of[key]
	m.of[key] = f(before)
	return before
}

// hostSet is a set of hosts.
type hostSet struct{ hosts memory[bool] }

func (s *hostSet) has(addr string) bool { return s.hosts.get(addr) }
func (s *hostSet) add(addr string)      { s.hosts.change(addr, func(bool) bool { return true }) }
