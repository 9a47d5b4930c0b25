package cli

import "time"

// paceOver is over how long a speed is measured.
const paceOver = 5 * time.Second

// pace measures the speed of the last seconds. The zero value is ready for use.
type pace struct {
	begun time.Time
	marks []mark // at least paceEvery apart, the oldest first
}

type mark struct {
	at    time.Time
	bytes int64 // since then, until the next mark
}

const paceEvery = 250 * time.Millisecond

func (p *pace) add(now time.Time, n int64) {
	if p.begun.IsZero() {
		p.begun = now
	}
	if k := len(p.marks); k == 0 || now.Sub(p.marks[k-1].at) >= paceEvery {
		p.marks = append(p.marks, mark{at: now})
	}
	p.marks[len(p.marks)-1].bytes += n
	p.forget(now)
}

func (p *pace) forget(now time.Time) {
	for len(p.marks) > 1 && now.Sub(p.marks[0].at) > paceOver {
		p.marks = p.marks[1:]
	}
}

// rate is in bytes a second.
func (p *pace) rate(now time.Time) int64 {
	p.forget(now)
	var n int64
	for _, m := range p.marks {
		if now.Sub(m.at) <= paceOver {
			n += m.bytes
		}
	}
	over := min(now.Sub(p.begun), paceOver)
	if over < paceEvery || p.begun.IsZero() {
		over = paceEvery
	}
	return int64(float64(n) / over.Seconds())
}
