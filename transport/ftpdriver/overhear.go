package ftpdriver

import "time"

// A transfer that the server refuses while it is under way (150, and 450 at once) is over,
// whether the server closes its data connection or not. Nobody would notice: the operation
// is busy with the data. So another goroutine waits for the reply meanwhile.

// overhear waits for the next reply in another goroutine, until attend, and calls refused
// there if it is a refusal. It reads nothing: the reply is still to be received.
func (c *control) overhear(refused func()) {
	done := make(chan struct{})
	c.overheard = done
	go func() {
		defer close(done)
		if b, err := c.br.Peek(1); err == nil && (b[0] == '4' || b[0] == '5') {
			refused()
		}
	}()
}

// attend ends that: it waits until the reply has begun to come. What bounds the wait for
// the reply bounds it too.
func (c *control) attend() {
	if c.overheard != nil {
		<-c.overheard
		c.overheard = nil
	}
}

// silent reports whether no reply has come yet.
func (c *control) silent() bool {
	if c.overheard != nil {
		select {
		case <-c.overheard:
			c.attend()
		default:
			return true
		}
	}
	return c.br.Buffered() == 0
}

// hear has the connection cut when the server refuses the transfer while it is under way.
func (d *dataConn) hear() {
	if !d.hears && len(d.ctl.waiting) > 0 {
		d.hears = true
		d.ctl.overhear(d.refused)
	}
}

// doneWith says that the connection is not used any more.
func (d *dataConn) doneWith() {
	if d.over != nil {
		d.unused.Do(func() { close(d.over) })
	}
}

// refused cuts the connection of a transfer that was refused; of a download when nothing
// has come for a while, because what is on its way is what there will be of the file. It is
// called from another goroutine than all else.
func (d *dataConn) refused() {
	if d.dialled != nil {
		<-d.dialled
	}
	if d.wire == nil {
		return
	}
	for before := int64(-1); !d.upload && before != d.wire.BytesRead(); {
		before = d.wire.BytesRead()
		select {
		case <-d.over:
			return
		case <-time.After(d.ctl.grace):
		}
	}
	d.wire.Reset()
}
