package forecast

import (
	"math"
	"time"
)

const (
	// hoursHalfLife is the age at which a connection counts for half.
	hoursHalfLife = 7 * 24 * time.Hour
	// hoursShrink is how many connections the overall rate counts for in each hour: an
	// hour of which little was seen is like the others.
	hoursShrink = 20
)

const day = 24 * 60 * 60

// ofDay returns the second of the day, UTC.
func ofDay(t time.Time) int { return int(((t.Unix() % day) + day) % day) }

// hours is the model Hours. The counts of an hour are discounted when it is touched,
// not all 24 at each call.
type hours struct {
	all  discounted
	bins [24]discounted
}

func (m *hours) Predict(t time.Time) float64 {
	failed, many := m.all.at(t)
	rate := share(failed, many)
	failed, many = m.bins[ofDay(t)/3600].at(t)
	return bounded((failed + hoursShrink*rate) / (many + hoursShrink))
}

func (m *hours) Learn(t time.Time, failed bool) {
	m.all.learn(t, failed)
	m.bins[ofDay(t)/3600].learn(t, failed)
}

// discounted counts connections, of which old ones count for less.
type discounted struct {
	failed, many float64
	last         int64 // Unix time in seconds of the newest one
}

// at returns the counts as they weigh at time t.
func (d *discounted) at(t time.Time) (failed, many float64) {
	age := max(t.Unix()-d.last, 0)
	f := math.Exp2(-float64(age) / hoursHalfLife.Seconds())
	return d.failed * f, d.many * f
}

func (d *discounted) learn(t time.Time, failed bool) {
	d.failed, d.many = d.at(t)
	d.failed += toFloat(failed)
	d.many++
	d.last = max(t.Unix(), d.last)
}
