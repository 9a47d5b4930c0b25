package health

import (
	"math"
	"time"
)

// Limits are the thresholds of alarms.
type Limits struct {
	Off                  bool
	Window               time.Duration
	ResetRate, Handshake float64
	Anomalies            int
	Certificate          time.Duration
}

// The alarms, in the order of [Record].
const (
	ResetRate = iota
	Handshake
	Anomalies
	Certificate
	alarms
)

const (
	// leastEvents is how many must speak for an alarm.
	leastEvents = 3
	// calmFor is how long a rate must be under half of its threshold.
	calmFor = 10 * time.Minute
	// z is the quantile of a 95 % interval.
	z = 1.959963984540054
)

// Alarm is one that is raised or cleared.
type Alarm struct {
	// Which is one of the constants.
	Which  int
	Raised bool
	// At is when, Since when it was raised.
	At, Since time.Time
	// Phase is that of a handshake alarm.
	Phase string
	// Value is compared with Threshold, and was computed of Events of Of in a Window.
	Value, Threshold float64
	Events, Of       int64
	Window           time.Duration
}

// level is what has become of an alarm.
type level struct {
	raised bool
	since  time.Time
	calm   time.Time // since when it would be cleared, zero for not
	now    Alarm
}

// judge takes note of how it is now. above: it is to be raised; below: it is calm, for long
// if it has been for calm. It reports whether it was raised or cleared.
func (l *level) judge(now time.Time, above, below bool, calm time.Duration) bool {
	switch {
	case !l.raised && above:
		l.raised, l.since, l.calm = true, now, time.Time{}
		return true
	case !l.raised:
		return false
	case !below:
		l.calm = time.Time{}
		return false
	case l.calm.IsZero():
		l.calm = now
	}
	if now.Sub(l.calm) < calm {
		return false
	}
	l.raised = false
	return true
}

// Lower is the lower end of the 95 % interval of a share, events of all (Wilson 1927).
func Lower(events, all int64) float64 {
	if all <= 0 {
		return 0
	}
	n := float64(all)
	p := min(float64(events)/n, 1)
	mid := p + z*z/(2*n)
	half := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max((mid-half)/(1+z*z/n), 0)
}

func share(events, all int64) float64 {
	if all <= 0 {
		return 0
	}
	return float64(events) / float64(all)
}

// evaluate judges all alarms and returns those that have changed. It is called with mu held.
func (r *Record) evaluate(now time.Time) (changed []Alarm) {
	lim := &r.book.limits
	if lim.Off {
		return nil
	}
	judge := func(which int, a Alarm, above, below bool, calm time.Duration) {
		l := &r.levels[which]
		moved := l.judge(now, above, below, calm)
		a.Which, a.Raised, a.At, a.Since = which, l.raised, now, l.since
		if l.now = a; moved {
			changed = append(changed, a)
		}
	}
	c := r.rings.sum(now, lim.Window)
	lost, used := int64(c.lost), int64(c.used)+int64(r.open)
	rate := share(lost, used)
	judge(ResetRate, Alarm{Value: rate, Threshold: lim.ResetRate, Events: lost, Of: used, Window: lim.Window},
		lost >= leastEvents && Lower(lost, used) > lim.ResetRate, rate < lim.ResetRate/2, calmFor)

	worst, phase := shake{}, 0
	for i, s := range c.shakes {
		if i == 0 || Lower(int64(s.failed), int64(s.all)) > Lower(int64(worst.failed), int64(worst.all)) {
			worst, phase = s, i
		}
	}
	failed, all := int64(worst.failed), int64(worst.all)
	most := 1 - lim.Handshake
	judge(Handshake, Alarm{Phase: phaseNames[phase], Value: 1 - share(failed, all), Threshold: lim.Handshake, Events: all - failed, Of: all, Window: lim.Window},
		failed >= leastEvents && Lower(failed, all) > most, share(failed, all) < most/2, calmFor)

	n := int64(r.rings.sum(now, hours*time.Hour).anomalies)
	judge(Anomalies, Alarm{Value: float64(n), Threshold: float64(lim.Anomalies), Events: n, Of: n, Window: hours * time.Hour},
		n >= leastEvents && n > int64(lim.Anomalies), 2*n < int64(lim.Anomalies), calmFor)

	left := r.expiry.Sub(now)
	soon := !r.expiry.IsZero() && left < lim.Certificate
	judge(Certificate, Alarm{Value: left.Hours() / 24, Threshold: lim.Certificate.Hours() / 24}, soon, !soon, 0)
	return changed
}
