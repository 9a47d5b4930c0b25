package main

import (
	"math"
	"math/rand/v2"
	"slices"
)

// resamples is how many samples an interval is made of.
const resamples = 2000

// interval is a skill over the base rate (1 - loss / loss of the base rate) with the
// bounds between which 95 % of the resampled ones lie.
type interval struct{ skill, low, high float64 }

// skills resamples the losses of all models together, in blocks that keep what hangs
// together in time (the circular block bootstrap), and returns for each model the skill
// of each resample. The first one of a row is that of the sample itself. Row 0 is that
// of the base rate, which is 0 everywhere.
func skills(losses [][]float64, block int, r *rand.Rand) [][]float64 {
	n := len(losses[0])
	prefix := make([][]float64, len(losses))
	for m, list := range losses {
		p := make([]float64, n+block+1) // as if it began again behind its end
		for i := range n + block {
			p[i+1] = p[i] + list[i%n]
		}
		prefix[m] = p
	}
	out := make([][]float64, len(losses))
	for m := range losses {
		out[m] = append(make([]float64, 0, resamples+1), 1-prefix[m][n]/prefix[0][n])
	}
	totals := make([]float64, len(losses))
	for range resamples {
		clear(totals)
		for range (n + block - 1) / block {
			at := r.IntN(n)
			for m, p := range prefix {
				totals[m] += p[at+block] - p[at]
			}
		}
		for m, total := range totals {
			out[m] = append(out[m], 1-total/totals[0])
		}
	}
	return out
}

// span95 makes an interval of a row of skills.
func span95(row []float64) interval {
	sorted := slices.Sorted(slices.Values(row[1:]))
	at := func(q float64) float64 { return sorted[int(math.Round(q*float64(len(sorted)-1)))] }
	return interval{row[0], at(0.025), at(0.975)}
}

// average joins the skills of several sources, each with the same weight.
func average(rows [][]float64) []float64 {
	out := make([]float64, len(rows[0]))
	for _, row := range rows {
		for i, x := range row {
			out[i] += x / float64(len(rows))
		}
	}
	return out
}

// blockOf returns the length of blocks for n losses: a day, where there are days, and
// never so long that there are fewer than ten of them.
func blockOf(n, perDay int) int {
	return max(1, min(max(int(math.Sqrt(float64(n))), perDay), n/10))
}
