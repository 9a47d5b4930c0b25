package ftpdriver

import "time"

// This is how long [control] waits for replies, and what changes that from another
// goroutine.

// hasten bounds the wait for replies from now on, also one that is under way in
// another goroutine.
func (c *control) hasten() {
	c.hurry.Store(int64(c.grace))
	_ = c.wire.SetReadDeadline(time.Now().Add(c.grace))
}

// unhurry takes the bound of hasten away.
func (c *control) unhurry() {
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
