package folder

import "sync"

// crew is goroutines whose panic is that of whoever waits for them: code of the caller's,
// such as a hook of the client's, runs in them.
type crew struct {
	all  sync.WaitGroup
	stop func() // told that one will not return

	mu       sync.Mutex // guards panicked
	panicked any
}

func (c *crew) Go(f func()) {
	c.all.Go(func() {
		returned := false
		defer func() {
			if returned {
				return
			}
			panicked := recover()
			c.mu.Lock()
			if c.panicked == nil {
				c.panicked = panicked
			}
			c.mu.Unlock()
			c.stop()
		}()
		f()
		returned = true
	})
}

// Wait waits for all, and panics if one of them has.
func (c *crew) Wait() {
	c.all.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.panicked != nil {
		panic(c.panicked)
	}
}
