package health

import (
	"sync"
	"time"
)

// The phases of handshakes that are counted.
const (
	TCP = iota
	TLS
	SSH
	phases
)

var phaseNames = [phases]string{"tcp", "tls", "ssh"}

// PhaseOf returns the number of a phase by its name, -1 for one that is not counted.
func PhaseOf(name string) int {
	for i, n := range phaseNames {
		if n == name {
			return i
		}
	}
	return -1
}

// Book is the records of a client.
type Book struct {
	limits Limits
	tell   func(*Record, Alarm)

	mu      sync.Mutex // guards what follows
	records []*Record
	timer   *time.Timer
	closed  bool
}

// New returns an empty book. tell is told of alarms, without a lock, from whatever
// goroutine has changed something, or one of the book's own.
func New(l Limits, tell func(*Record, Alarm)) *Book { return &Book{limits: l, tell: tell} }

// Close ends the book's timer.
func (b *Book) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.timer != nil {
		b.timer.Stop()
	}
}

// Record returns that of a host and protocol, by their numbers.
func (b *Book) Record(host, proto int) *Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.records {
		if r.Host == host && r.Proto == proto {
			return r
		}
	}
	r := &Record{Host: host, Proto: proto, book: b}
	b.records = append(b.records, r)
	return r
}

// Records returns all, in the order in which they came up.
func (b *Book) Records() []*Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*Record(nil), b.records...)
}

// watch sees to it that raised alarms are judged again, each minute.
func (b *Book) watch() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.timer != nil {
		return
	}
	b.timer = time.AfterFunc(time.Minute, func() {
		b.mu.Lock()
		b.timer = nil
		b.mu.Unlock()
		for _, r := range b.Records() {
			r.change(func(time.Time) bool { return true })
		}
	})
}

// Record is how a host does in one protocol. Its methods are safe for concurrent use.
type Record struct {
	// Host and Proto are the numbers that it goes by.
	Host, Proto int
	book        *Book

	mu                       sync.Mutex // guards what follows
	rings                    rings
	open                     int // connections
	worked                   bool
	expiry                   time.Time
	lastSuccess, lastFailure time.Time
	levels                   [alarms]level
	cut                      cut
}

// change has f change something. Where it reports that this may be bad, alarms are judged;
// what is good costs no look at the rings, and the book's timer clears.
func (r *Record) change(f func(now time.Time) (bad bool)) {
	now := time.Now()
	r.mu.Lock()
	if !f(now) {
		r.mu.Unlock()
		return
	}
	changed := r.evaluate(now)
	raised := false
	for i := range r.levels {
		raised = raised || r.levels[i].raised && i != Certificate
	}
	r.mu.Unlock()
	if raised {
		r.book.watch()
	}
	for _, a := range changed {
		r.book.tell(r, a)
	}
}

// Dialled is the end of a dial.
type Dialled struct {
	// Phases are the handshakes that were made, by number; Failed is the one that failed,
	// -1 for none.
	Phases []int
	Failed int
	// Worked: the login succeeded. Expiry is when the server's certificate ends, zero for none.
	Worked bool
	Expiry time.Time
	// Anomaly: it failed in a way that should not be.
	Anomaly bool
	// Counts: failures count even if this protocol has never worked here.
	Counts bool
}

// Dialled takes note of a dial. Of a protocol that has never worked on a host a failure says
// nothing, unless there is no other: it is not offered.
func (r *Record) Dialled(d Dialled) {
	r.change(func(now time.Time) bool {
		r.worked = r.worked || d.Worked
		if !r.worked && !d.Counts {
			return false
		}
		r.rings.attempt(now, d.Worked)
		r.rings.note(now, func(c *counts) {
			for _, p := range d.Phases {
				c.shakes[p].all++
				if p == d.Failed {
					c.shakes[p].failed++
				}
			}
			if d.Anomaly {
				c.anomalies++
			}
		})
		if d.Worked {
			r.open++
			r.expiry = d.Expiry
		}
		return true // dials are few, and a certificate comes nearer to its end
	})
}

// Ended takes note of the end of a connection; used: something was done on it.
func (r *Record) Ended(used bool, e End) {
	r.change(func(now time.Time) bool {
		r.open--
		if !used {
			return false
		}
		r.rings.note(now, func(c *counts) {
			c.used++
			if e.Lost {
				c.lost++
			}
		})
		r.cut.note(e)
		return e.Lost
	})
}

// DataConns takes note of FTP's data connections that are over: so many were used, of which
// so many were lost. e is what they had in common. No alarm is judged.
func (r *Record) DataConns(used, lost int, e End) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rings.note(time.Now(), func(c *counts) {
		c.used += uint32(used)
		c.lost += uint32(lost)
	})
	for i := range max(used, lost) {
		e.Lost = i < lost
		r.cut.note(e)
	}
}

// Attempt takes note of an attempt on a connection. unwell: it failed for the sake of the
// host or the line; anomaly: in a way that should not be.
func (r *Record) Attempt(ok, unwell, anomaly bool) {
	r.change(func(now time.Time) bool {
		if !ok && !unwell && !anomaly {
			return false
		}
		r.rings.attempt(now, ok)
		if ok {
			r.lastSuccess = now
		} else if unwell {
			r.lastFailure = now
		}
		if anomaly {
			r.rings.note(now, func(c *counts) { c.anomalies++ })
		}
		return anomaly
	})
}

// Retry takes note of an attempt that is followed by another.
func (r *Record) Retry() { r.count(func(c *counts) { c.retries++ }) }

// Moved takes note of payload, and of how long it took.
func (r *Record) Moved(n int64, busy time.Duration) {
	r.count(func(c *counts) { c.moved, c.busy = c.moved+n, c.busy+busy })
}

// Saved takes note of bytes that need not be moved again.
func (r *Record) Saved(n int64) { r.count(func(c *counts) { c.saved += n }) }

// count is change for what no alarm is about.
func (r *Record) count(f func(*counts)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rings.note(time.Now(), f)
}

// Minute is what a minute has seen.
type Minute struct {
	Start      time.Time
	Used, Lost int64
	Bytes      int64
	Busy       time.Duration
}

// State is how a record stands.
type State struct {
	Events                           [2]int64 // lost of used
	Handshakes                       [phases][2]int64
	Anomalies, Retries               int64
	Moved, Saved                     int64
	Busy                             time.Duration
	Available                        [2]int64
	Expiry, LastSuccess, LastFailure time.Time
	Alarms                           []Alarm
	Cut                              Cut
	Minutes                          []Minute
}

// State returns how it stands now, over the window of the limits.
func (r *Record) State() State {
	r.change(func(time.Time) bool { return true })
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.rings.sum(now, r.book.limits.Window)
	s := State{Events: [2]int64{int64(c.lost), int64(c.used) + int64(r.open)}, Retries: int64(c.retries), Moved: c.moved, Saved: c.saved, Busy: c.busy,
		Anomalies: int64(r.rings.sum(now, hours*time.Hour).anomalies), Available: [2]int64{int64(c.worked), int64(c.tried)},
		Expiry: r.expiry, LastSuccess: r.lastSuccess, LastFailure: r.lastFailure, Cut: r.cut.find()}
	for i, h := range c.shakes {
		s.Handshakes[i] = [2]int64{int64(h.all - h.failed), int64(h.all)}
	}
	for _, l := range r.levels {
		if l.raised {
			s.Alarms = append(s.Alarms, l.now)
		}
	}
	for i := int64(minutes - 1); i >= 0; i-- {
		m := &r.rings.minutes[(r.rings.minute-i)%minutes]
		s.Minutes = append(s.Minutes, Minute{Start: time.Unix((r.rings.minute-i)*60, 0), Used: int64(m.used), Lost: int64(m.lost), Bytes: m.moved, Busy: m.busy})
	}
	return s
}
