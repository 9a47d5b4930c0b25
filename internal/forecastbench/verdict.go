package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/seed01fc2e40/go-ftpx/ftpx/forecast"
)

// result is what all models have made of one source, the base rate first.
type result struct {
	source    source
	scores    []score
	intervals []interval // skill by the Brier score
	rows      [][]float64
}

// beats reports whether model i may claim to beat the base rate: all of its interval
// lies above 0.
func (r result) beats(i int) bool { return r.intervals[i].low > 0 }

// compare judges all models on a source. With a seed the intervals are repeatable.
func compare(s source, names []string, seed uint64) (result, error) {
	out := result{source: s}
	var losses [][]float64
	for _, name := range names {
		sc, err := judge(name, s)
		if err != nil {
			return result{}, err
		}
		out.scores = append(out.scores, sc)
		losses = append(losses, sc.brier)
	}
	n := len(losses[0])
	if n < 10 {
		return result{}, fmt.Errorf("%s: %d attempts beyond the %d that are learned before judging: at least 10 are needed", s.name, n, warmUp)
	}
	if sum(losses[0]) == 0 {
		return result{}, fmt.Errorf("%s: the base rate makes no mistake: there is nothing to predict", s.name)
	}
	r := rand.New(rand.NewPCG(seed, 1))
	out.rows = skills(losses, blockOf(n, s.perDay()), r)
	for _, row := range out.rows {
		out.intervals = append(out.intervals, span95(row))
	}
	return out, nil
}

// choice is the outcome of the comparison over all sources that are no controls, which
// all weigh the same.
type choice struct {
	names     []string
	intervals []interval
	best      int // the highest skill
	simplest  int // the first whose interval holds the best's skill
}

func choose(results []result) choice {
	c := choice{names: forecast.Names()}
	for m := range c.names {
		var rows [][]float64
		for _, r := range results {
			if !r.source.control {
				rows = append(rows, r.rows[m])
			}
		}
		c.intervals = append(c.intervals, span95(average(rows)))
	}
	for m, i := range c.intervals {
		if i.skill > c.intervals[c.best].skill {
			c.best = m
		}
	}
	for m, i := range c.intervals {
		if i.high >= c.intervals[c.best].skill {
			c.simplest = m
			break
		}
	}
	return c
}
