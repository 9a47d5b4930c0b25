package health

import "time"

// counts are what is counted in a minute or an hour.
type counts struct {
	used, lost         uint32 // connections that have ended, and those lost while used
	shakes             [phases]shake
	anomalies, retries uint32
	tried, worked      uint32 // minutes in which something was tried, and worked
	moved, saved       int64  // bytes
	busy               time.Duration
}

// shake is handshakes of a phase.
type shake struct{ all, failed uint32 }

func (c *counts) add(o *counts) {
	c.used += o.used
	c.lost += o.lost
	for i, s := range o.shakes {
		c.shakes[i].all += s.all
		c.shakes[i].failed += s.failed
	}
	c.anomalies += o.anomalies
	c.retries += o.retries
	c.tried += o.tried
	c.worked += o.worked
	c.moved += o.moved
	c.saved += o.saved
	c.busy += o.busy
}

const (
	minutes = 60
	hours   = 24
)

// rings are the last minutes and hours, the one under way included. What they hold of a
// time is found at its number since 1970; a clock that is set back stays where it was.
type rings struct {
	minute, hour int64 // the newest
	minutes      [minutes]counts
	hours        [hours]counts
}

// advance makes room for now.
func (r *rings) advance(now time.Time) {
	at := now.Unix() / 60
	if r.minute == 0 {
		r.minute, r.hour = at, at/60
	}
	for n := 0; r.minute < at && n < minutes; n++ {
		r.minute++
		r.minutes[r.minute%minutes] = counts{}
	}
	for n := 0; r.hour < at/60 && n < hours; n++ {
		r.hour++
		r.hours[r.hour%hours] = counts{}
	}
	if r.minute < at { // all of it is older
		r.realign(at)
	}
	r.hour = max(r.hour, at/60)
}

// realign is for a pause longer than the ring: all places are empty.
func (r *rings) realign(at int64) {
	r.minute = at
	r.minutes = [minutes]counts{}
	if at/60-r.hour > 0 {
		r.hour = at / 60
		r.hours = [hours]counts{}
	}
}

// note has f count in the minute and the hour under way.
func (r *rings) note(now time.Time, f func(*counts)) {
	r.advance(now)
	f(&r.minutes[r.minute%minutes])
	f(&r.hours[r.hour%hours])
}

// attempt notes that something was tried, and whether it worked, once a minute each.
func (r *rings) attempt(now time.Time, worked bool) {
	r.advance(now)
	m, h := &r.minutes[r.minute%minutes], &r.hours[r.hour%hours]
	if m.tried == 0 {
		m.tried = 1
		h.tried++
	}
	if worked && m.worked == 0 {
		m.worked = 1
		h.worked++
	}
}

// sum adds up a window that ends now: minutes up to an hour, else hours.
func (r *rings) sum(now time.Time, window time.Duration) (c counts) {
	r.advance(now)
	if window <= time.Hour {
		for i := range min(max(int64(window/time.Minute), 1), minutes) {
			c.add(&r.minutes[(r.minute-i)%minutes])
		}
		return c
	}
	for i := range min(max(int64((window+time.Hour-1)/time.Hour), 1), hours) {
		c.add(&r.hours[(r.hour-i)%hours])
	}
	return c
}
