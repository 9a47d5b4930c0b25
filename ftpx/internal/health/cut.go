package health

import (
	"math"
	"slices"
	"time"
)

// End is a connection that has ended.
type End struct {
	// Lost: by the other side or the line, while it was used.
	Lost bool
	// Died: it was found dead after Idle.
	Died bool
	// Age, Idle and Bytes, both ways, are those of the connection, Hour that of the day, UTC.
	Age, Idle time.Duration
	Bytes     int64
	Hour      int
	// Survived is the longest pause after which it could be used again.
	Survived time.Duration
	// Direction is "up", "down" or "", Family "ipv4", "ipv6" or "".
	Direction, Family string
	// TLS: the connection was under TLS or SSH.
	TLS bool
	// Resent says whether the kernel had to send again before the end: 0 for not, 1 for so,
	// -1 where it does not tell.
	Resent int
}

// Cut is what losses have in common.
type Cut struct {
	Losses int
	Common []Pattern
	Line   string
}

// Pattern is something that most losses have in common.
type Pattern struct {
	By, Value string
	Low, High float64
	Losses    int
}

const (
	// mostLosses are remembered, and leastLosses must be for a pattern.
	mostLosses  = 64
	leastLosses = 5
	// nearlyAll is the share that has to fit.
	nearlyAll = 0.8
	// narrow is how much larger the largest of a cluster may be than the smallest.
	narrow = 1.25
	// The least that a cluster is about: less is no rule of anybody's.
	leastAge   = 5.0
	leastBytes = 64 << 10
)

// loss is a lost connection, small.
type loss struct {
	age, idle, bytes float32
	traits           [traits]uint8
	resent           int8
}

// The traits that have a few values.
const (
	direction = iota
	family
	secured
	hour
	traits
)

var traitNames = [traits]string{"direction", "family", "tls", "hour"}

var (
	directions = []string{"", "up", "down"}
	families   = []string{"", "ipv4", "ipv6"}
	securities = []string{"clear", "tls"}
)

// cut is the last losses, and what all connections are like, to compare them with.
type cut struct {
	losses   [mostLosses]loss
	n        int // so many there have ever been
	all      int
	base     [traits][24]uint32
	survived float32 // the longest pause that a connection has survived, in seconds
}

func traitsOf(e End) (t [traits]uint8) {
	t[direction] = uint8(max(slices.Index(directions, e.Direction), 0))
	t[family] = uint8(max(slices.Index(families, e.Family), 0))
	if e.TLS {
		t[secured] = 1
	}
	t[hour] = uint8(e.Hour % 24)
	return t
}

// note takes note of the end of a connection that was used.
func (c *cut) note(e End) {
	t := traitsOf(e)
	c.all++
	for i, v := range t {
		c.base[i][v]++
	}
	c.survived = max(c.survived, float32(e.Survived.Seconds()))
	if !e.Lost && !e.Died {
		return
	}
	l := loss{age: float32(e.Age.Seconds()), bytes: float32(e.Bytes), traits: t, resent: int8(e.Resent)}
	if e.Died {
		l.idle = float32(e.Idle.Seconds())
	}
	c.losses[c.n%mostLosses] = l
	c.n++
}

// find looks for patterns.
func (c *cut) find() Cut {
	losses := c.losses[:min(c.n, mostLosses)]
	found := Cut{Losses: len(losses), Line: line(losses)}
	if len(losses) < leastLosses {
		return found
	}
	var idle, age, bytes []float64
	for _, l := range losses {
		if l.idle > 0 {
			idle = append(idle, float64(l.idle))
			continue
		}
		age, bytes = append(age, float64(l.age)), append(bytes, float64(l.bytes))
	}
	if len(idle) > 0 && share(int64(len(idle)), int64(len(losses))) >= nearlyAll && slices.Min(idle) > float64(c.survived) {
		found.Common = append(found.Common, Pattern{By: "idle", Low: slices.Min(idle), High: slices.Max(idle), Losses: len(idle)})
	}
	for _, x := range []struct {
		by     string
		values []float64
		least  float64
	}{{"age", age, leastAge}, {"bytes", bytes, leastBytes}} {
		if p, ok := cluster(x.values, x.least, len(losses)); ok {
			p.By = x.by
			found.Common = append(found.Common, p)
		}
	}
	for i := range traits {
		if p, ok := c.common(losses, i); ok {
			found.Common = append(found.Common, p)
		}
	}
	slices.SortStableFunc(found.Common, func(a, b Pattern) int { return b.Losses - a.Losses })
	return found
}

// cluster finds nearly all of the losses within a narrow range of values.
func cluster(values []float64, least float64, losses int) (p Pattern, ok bool) {
	slices.Sort(values)
	from := 0
	for to, v := range values {
		for v > values[from]*narrow {
			from++
		}
		if n := to - from + 1; n > p.Losses && values[from] >= least {
			p = Pattern{Low: values[from], High: v, Losses: n}
		}
	}
	return p, p.Losses >= leastLosses && share(int64(p.Losses), int64(losses)) >= nearlyAll
}

// common finds a value that nearly all losses have, and that all connections do not.
func (c *cut) common(losses []loss, trait int) (p Pattern, ok bool) {
	var by [24]int
	for _, l := range losses {
		by[l.traits[trait]]++
	}
	v := 0
	for i, n := range by {
		if n > by[v] {
			v = i
		}
	}
	n := by[v]
	usual := share(int64(c.base[trait][v]), int64(c.all))
	if trait != hour && trait != secured && v == 0 || share(int64(n), int64(len(losses))) < nearlyAll || Lower(int64(n), int64(len(losses))) <= usual {
		return p, false
	}
	return Pattern{By: traitNames[trait], Value: valueOf(trait, v), Losses: n}, true
}

func valueOf(trait, v int) string {
	switch trait {
	case direction:
		return directions[v]
	case family:
		return families[v]
	case secured:
		return securities[v]
	}
	return string([]byte{byte('0' + v/10), byte('0' + v%10)})
}

// line tells a bad line from a deliberate reset by what the kernel had to send again.
func line(losses []loss) string {
	known, resent := 0, 0
	for _, l := range losses {
		if l.resent >= 0 && l.idle == 0 {
			known++
			resent += int(l.resent)
		}
	}
	switch bad := share(int64(resent), int64(known)); {
	case known < leastLosses:
		return ""
	case bad > 0.5:
		return "bad line"
	case bad <= math.Nextafter(0.1, 1):
		return "deliberate"
	}
	return ""
}
