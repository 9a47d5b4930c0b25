package tunnel

import (
	"sync"
	"time"
)

// A deadline is a time that can be moved while somebody waits for it, as that of
// a net.Conn can.
type deadline struct {
	mu    sync.Mutex // guards timer and due
	timer *time.Timer
	due   chan struct{} // closed when the time has come
}

func newDeadline() *deadline { return &deadline{due: make(chan struct{})} }

// set moves the deadline; the zero time means never.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.due // the timer's function is about to close it
	}
	d.timer = nil
	passed := isDone(d.due)
	if t.IsZero() {
		if passed {
			d.due = make(chan struct{})
		}
		return
	}
	if left := time.Until(t); left > 0 {
		if passed {
			d.due = make(chan struct{})
		}
		due := d.due
		d.timer = time.AfterFunc(left, func() { close(due) })
		return
	}
	if !passed {
		close(d.due)
	}
}

// wait returns a channel that is closed when the time has come. After a set
// while somebody waits it is the same one, unless the time had come.
func (d *deadline) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.due
}

func (d *deadline) passed() bool { return isDone(d.wait()) }

func isDone(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
