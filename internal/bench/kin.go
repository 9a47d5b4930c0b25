//go:build linux

package main

import (
	"fmt"
	"math"
	"slices"
)

// The forms of go-ftpx that are compared with each other. They are no peers: what is
// measured is what a form costs, not who is faster.
const (
	libraryName = "the library" // a program that calls it and does nothing else
	beforeName  = "before"      // the same program, built from another commit
)

// before is the bench of another commit, which is given the library's task.
func before(j *job) ([]program, error) {
	programs, err := j.goPeer("ours", 1)
	if err == nil {
		programs[0].Argv[0] = j.rig.before
	}
	return programs, err
}

// A limit is what a form may cost beside another: quotients of time and of CPU time.
type limit struct{ time, cpu float64 }

// limits are the goals for what watching costs, by form: for large files, and for small ones.
var limits = map[string][2]limit{
	"with slog":          {{1.02, 1.02}, {1.05, 1.05}},
	"with Prometheus":    {{1.02, 1.02}, {1.05, 1.05}},
	"with OpenTelemetry": {{1.03, 1.03}, {1.20, 1.20}},
}

// costs holds the forms of go-ftpx against the library alone, pair by pair.
func costs(j *job, list []*series) (all []verdict) {
	at := slices.IndexFunc(list, func(s *series) bool { return s.peer.name == libraryName })
	if at < 0 || len(list[at].samples) == 0 {
		return nil
	}
	library := list[at]
	add := func(goal string, q quotient, met bool) {
		all = append(all, verdict{j.id(j.proto(), j.up), goal, q.String(), met})
	}
	for _, s := range list {
		if s.peer.rank != kin || s == library || len(s.samples) == 0 {
			continue
		}
		if s.peer.name == beforeName {
			t := pairs(s, library, seconds64)
			add("at least 0.97 times as fast as before", t, t.median >= 0.97)
			c := pairs(library, s, cpu64)
			add("CPU time at most 1.03 of before", c, c.median <= 1.03)
			m := pairs(library, s, func(x *sample) float64 { return float64(x.Mallocs) })
			add("allocations at most 1.01 of before", m, m.median <= 1.01)
			continue
		}
		goals, ok := limits[s.peer.name]
		if !ok {
			continue
		}
		goal := goals[0]
		if j.what == manyFiles {
			goal = goals[1]
		}
		t, c := pairs(s, library, seconds64), pairs(s, library, cpu64)
		add(fmt.Sprintf("%s: time at most %.2f of the library alone", s.peer.name, goal.time), t, t.median <= goal.time)
		add(fmt.Sprintf("%s: CPU time at most %.2f", s.peer.name, goal.cpu), c, c.median <= goal.cpu)
	}
	return all
}

func seconds64(x *sample) float64 { return x.Wall.Seconds() }

func cpu64(x *sample) float64 { return x.CPU.Seconds() }

// A quotient is the median over n pairs of runs, and the interval that holds it in 95 of
// a hundred repetitions.
type quotient struct {
	median, low, high float64
	n                 int
}

func (q quotient) String() string {
	if q.low == 0 {
		return fmt.Sprintf("%.3f (%d pairs)", q.median, q.n)
	}
	return fmt.Sprintf("%.3f (%.3f to %.3f, %d pairs)", q.median, q.low, q.high, q.n)
}

// pairs divides a figure of one series by that of another, round by round.
func pairs(above, below *series, figure func(*sample) float64) quotient {
	var all []float64
	for i := range min(len(above.samples), len(below.samples)) {
		if d := figure(&below.samples[i]); d > 0 {
			all = append(all, figure(&above.samples[i])/d)
		}
	}
	q := quotient{median: median(all), n: len(all)}
	if k := rankOfInterval(len(all)); k > 0 {
		slices.Sort(all)
		q.low, q.high = all[k-1], all[len(all)-k]
	}
	return q
}

// rankOfInterval returns the k for which the k-th smallest and the k-th largest of n
// values hold their median with a probability of at least 95 %, 0 where n is too small.
// It assumes nothing of how the values are spread (the sign test's interval).
func rankOfInterval(n int) int {
	k, outside, term := 0, 0.0, math.Pow(0.5, float64(n)) // term: that i of n lie below
	for i := 0; i < n; i++ {
		if outside += term; 2*outside > 0.05 {
			break
		}
		k = i + 1
		term *= float64(n-i) / float64(i+1)
	}
	return k
}
