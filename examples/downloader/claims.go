package main

import "sync"

// claims keeps two downloads from using one local name at the same time: a server
// may list a name twice, two URLs may bring the same, and beside "a" lies "a.part"
// while it is fetched, which may be a file's own name too.
// It is no help where "a.part" is done before "a" begins, see clashes.
type claims struct {
	mu    sync.Mutex // guards names
	freed sync.Cond
	names map[string]bool
}

func newClaims() *claims {
	c := &claims{names: map[string]bool{}}
	c.freed.L = &c.mu
	return c
}

// claim waits until nobody uses a name or those of its partial; release gives them
// back. Nobody waits while holding one, so all get their turn.
func (c *claims) claim(name string) (release func()) {
	names := []string{name, name + ".part", name + ".part.state"}
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.names[names[0]] || c.names[names[1]] || c.names[names[2]] {
		c.freed.Wait()
	}
	c.set(names, true)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.set(names, false)
		c.freed.Broadcast()
	}
}

func (c *claims) set(names []string, used bool) {
	for _, n := range names {
		if used {
			c.names[n] = true
		} else {
			delete(c.names, n)
		}
	}
}
