package ftpdriver

import (
	"context"
	"errors"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Two calls of Do may be there at once. One has the session, the other waits for it, so
// that the end of one batch and the beginning of the next leave together: the rename at
// the end of a file is a round trip of its own, in which nothing else happens; sent with
// the first commands of the next batch it costs none.

// turns is who has the session, who waits for it, and what may be asked at any moment.
type turns struct {
	mu     sync.Mutex // guards all of it
	caps   transport.Caps
	closed bool
	calls  int     // calls of Do
	held   bool    // one of them has the session
	next   *waiter // another waits for it
	// chained: the session was handed to a call that had waited with a transfer. Who gave
	// it up is likely to come back with another, a moment too late to be seen waiting.
	chained bool
}

// waiter is a call of Do that waits for the session.
type waiter struct {
	transfers bool          // it begins with a transfer
	turn      chan struct{} // closed when it has the session
	carries   *trailing     // what it has to send for the one before it
}

// trailing is the rename at the end of a batch that leaves with the beginning of the
// next one. Conn.mu guards it until done is closed.
type trailing struct {
	ctx      context.Context // of its batch
	from, to string
	sent     bool // or about to be
	withdrew bool // it is not to be sent
	// done is closed when it is settled: err tells how, or back says that it was not
	// sent and that the session is with the batch that it belongs to.
	done chan struct{}
	err  *transport.Error
	back bool
}

var errBusy = errors.New("the connection is in use by another call: it takes no more at once")

// acquire waits for the session.
func (c *Conn) acquire(ctx context.Context, transfers bool) (*trailing, error) {
	c.mu.Lock()
	switch {
	case c.closed:
		c.mu.Unlock()
		return nil, errClosed
	case c.ctl.broken.Load():
		c.mu.Unlock()
		return nil, errBroken
	case c.calls >= max(c.caps.Overlap, 1):
		c.mu.Unlock()
		return nil, errBusy
	}
	c.calls++
	if !c.held {
		c.held = true
		c.mu.Unlock()
		return nil, nil
	}
	w := &waiter{transfers: transfers, turn: make(chan struct{})}
	c.next = w
	c.mu.Unlock()
	select {
	case <-w.turn:
	case <-ctx.Done():
		c.mu.Lock()
		if c.next == w {
			c.next = nil
			c.calls--
			c.mu.Unlock()
			return nil, ctx.Err()
		}
		c.mu.Unlock() // it was given the session a moment ago
	}
	if err := ctx.Err(); err != nil {
		c.release(w.carries)
		return nil, err
	}
	if c.ctl.broken.Load() {
		c.release(w.carries)
		return nil, errBroken
	}
	return w.carries, nil
}

// release gives the session up: to the batch that t belongs to, if t has not been sent,
// or to whoever waits for it.
func (c *Conn) release(t *trailing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls--
	if t != nil && !t.sent && !t.withdrew {
		t.back = true // it is still there, and waits
		close(t.done)
		return
	}
	c.pass()
}

// pass gives the session to whoever waits for it. It is called with mu locked.
func (c *Conn) pass() {
	w := c.next
	c.chained = w != nil && w.transfers
	if c.next = nil; w == nil {
		c.held = false
		return
	}
	close(w.turn)
}

// handOver gives the session to the call that waits for it, together with t, if there
// is one.
func (c *Conn) handOver(t *trailing) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		return false
	}
	c.next.carries = t
	c.pass()
	return true
}

// transferFollows reports whether the call that waits begins with a transfer, or is
// likely to when it comes, so that the port for it may be asked for.
func (c *Conn) transferFollows() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next != nil {
		return c.next.transfers
	}
	return c.chained
}

// claim marks t as sent, unless it has been withdrawn.
func (c *Conn) claim(t *trailing) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.sent = !t.withdrew
	return t.sent
}

// wasSent reports whether t was.
func (c *Conn) wasSent(t *trailing) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return t.sent
}

// withdraw takes t back, unless it has been sent.
func (c *Conn) withdraw(t *trailing) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.withdrew = !t.sent && !t.back
	return t.withdrew
}

// leave ends a call that has handed the session over.
func (c *Conn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls--
}
