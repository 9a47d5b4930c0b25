package ftpdriver

import (
	"sync/atomic"
	"time"
)

// timeouts says how long [control] waits for replies, and what changes that from another
// goroutine.
type timeouts struct {
	// silence bounds the wait for the first reply to STOR, see errLocked, and to
	// RETR where readBack says that it is of a file that was being written.
	silence  time.Duration
	readBack bool
	// dialling is how much longer STOR may go unanswered until its data connection is
	// there: servers accept that first. reached says that it is.
	dialling time.Duration
	reached  atomic.Bool
	asked    atomic.Bool // STOR has been sent
	// hurry bounds the wait for replies after a failure, 0 for no bound, and
	// grace is what it then becomes. See shortenWait.
	hurry atomic.Int64
	grace time.Duration
}

// shortenWait bounds the wait for replies from now on, also one that is under way in
// another goroutine.
func (c *control) shortenWait() {
	c.hurry.Store(int64(c.grace))
	_ = c.wire.SetReadDeadline(time.Now().Add(c.grace))
}

// lengthenWait takes the bound of shortenWait away.
func (c *control) lengthenWait() {
	if c.hurry.Swap(0) > 0 {
		_ = c.wire.SetReadDeadline(time.Time{})
	}
}

// dials says that a data connection is being dialled for the STOR that comes, for no
// longer than budget; with 0 that no other goroutine does so any more.
func (c *control) dials(budget time.Duration) {
	c.dialling = budget
	c.reached.Store(false)
	c.asked.Store(false)
	if budget == 0 && c.hurry.Load() == 0 {
		_ = c.wire.SetReadDeadline(time.Time{}) // what dialled may have set when nobody waited
	}
}

// dialled says, from the goroutine that has dialled, that the data connection is there.
func (c *control) dialled() {
	c.reached.Store(true)
	if c.asked.Load() { // else receive does it, when it comes to that
		_ = c.wire.SetReadDeadline(time.Now().Add(c.silence))
	}
}
