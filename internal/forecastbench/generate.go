package main

import (
	"math"
	"math/rand/v2"
	"time"
)

// failing says, for a moment, how likely a connection is to fail. It is asked in the
// order of time.
type failing func(t time.Time) float64

// life makes the failing of one trace.
type life func(r *rand.Rand) failing

// span is how long a generated trace lasts; with a connection each three minutes it
// has some 14,000 of them.
const span = 28 * 24 * time.Hour

// began is where generated and recorded traces begin: a Monday at midnight, UTC.
var began = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// generated returns the sources that are made of numbers from a seed, each with so
// many traces.
func generated(seed uint64, each int) []source {
	kinds := []struct {
		name, says string
		life       life
		control    bool
	}{
		{"weibull", "outages: Weibull times between failures, shape 0.7; log-normal repairs, median 4 min", weibull, false},
		{"bursts", "Gilbert-Elliott: bad for 5 min in 2 h; 0.5 % fail in good times, 40 % in bad ones", bursts, false},
		{"nightly", "a window from 02:00 to 02:45 UTC in which 60 % fail; else 1 %", nightly, false},
		{"drift", "0.5 % fail at first and 12 % in the end, smoothly", drift, false},
		{"independent", "control: each fails with 3 %, whatever came before", independent, true},
	}
	var all []source
	for k, kind := range kinds {
		s := source{name: kind.name, says: kind.says, control: kind.control}
		for i := range each {
			r := rand.New(rand.NewPCG(seed, uint64(k)<<32|uint64(i)))
			s.traces = append(s.traces, generate(r, kind.life(r)))
		}
		all = append(all, s)
	}
	return all
}

// generate plays a client against a host: it connects now and then, more by day than
// by night, and after a failure it tries again with pauses that double, as package
// retry does. That is what makes failures come in company even of a host that only
// knows up and down.
func generate(r *rand.Rand, p failing) trace {
	const mean, first, longest, tries = 3 * time.Minute, time.Second, time.Minute, 8
	var t trace
	for now := began; now.Sub(began) < span; {
		hour := float64(now.Hour()) + float64(now.Minute())/60
		load := 1 + 0.6*math.Sin(2*math.Pi*(hour-9)/24) // most at 15:00, least at 03:00
		now = now.Add(time.Duration(r.ExpFloat64() * float64(mean) / load))
		pause := first
		for range tries {
			failed := r.Float64() < p(now)
			t = append(t, attempt{now, failed})
			if !failed {
				break
			}
			now = now.Add(time.Duration(float64(pause) * (0.8 + 0.4*r.Float64())))
			pause = min(2*pause, longest)
		}
	}
	return t
}

// weibull alternates between up and down with the distributions that were fitted to
// 23,000 failures of computing clusters: times between failures with a hazard that
// falls, repairs with a long tail (Schroeder and Gibson, DSN 2006).
func weibull(r *rand.Rand) failing {
	const shape, scale = 0.7, 6 * float64(time.Hour)
	const median, sigma = 4 * float64(time.Minute), 1.2
	down, until := false, began
	return func(t time.Time) float64 {
		for !t.Before(until) {
			if down = !down; down {
				until = until.Add(time.Duration(median * math.Exp(sigma*r.NormFloat64())))
			} else {
				until = until.Add(time.Duration(scale * math.Pow(r.ExpFloat64(), 1/shape)))
			}
		}
		if down {
			return 0.97
		}
		return 0.002
	}
}

// bursts is the channel of Gilbert and Elliott, in continuous time.
func bursts(r *rand.Rand) failing {
	const good, bad = float64(2 * time.Hour), float64(5 * time.Minute)
	inBad, until := true, began
	return func(t time.Time) float64 {
		for !t.Before(until) {
			mean := good
			if inBad = !inBad; inBad {
				mean = bad
			}
			until = until.Add(time.Duration(mean * r.ExpFloat64()))
		}
		if inBad {
			return 0.4
		}
		return 0.005
	}
}

// nightly is a host with a backup, or a firewall with a restart, each night.
func nightly(*rand.Rand) failing {
	return func(t time.Time) float64 {
		if t.Hour() == 2 && t.Minute() < 45 {
			return 0.6
		}
		return 0.01
	}
}

// drift is a line that gets worse.
func drift(*rand.Rand) failing {
	return func(t time.Time) float64 {
		at := t.Sub(began).Hours() / span.Hours()
		return 0.005 + 0.115/(1+math.Exp(-12*(at-0.5)))
	}
}

// independent is the control: nothing can be learned but the rate.
func independent(*rand.Rand) failing {
	return func(time.Time) float64 { return 0.03 }
}
