package fleet

import (
	"math/rand/v2"
	"time"
)

// The decisions of a worker that need neither engine nor network, so that docs/scale.md can
// simulate a fleet by the very same.

const (
	// DefaultTries is how often a job is scheduled again before it is dead.
	DefaultTries = 20

	longestPause = 15 * time.Minute // of a job
	longestDown  = 5 * time.Minute  // of a target
	firstDown    = 10 * time.Second
	spread       = 0.2 // by which pauses vary, so that jobs do not come back in step
	lowest       = 8   // every so many jobs the lowest class goes first
	// mostDown is how long what a worker says of a target may count at most.
	mostDown = longestDown * 3 / 2
	fairly   = 2 // a worker gives a slot to one that has so many fewer
)

// pauseAfter is how long a job waits after its n-th failure, from 0. r is in [0, 1).
func pauseAfter(n int, first time.Duration, r float64) time.Duration {
	return vary(doubled(first, n, longestPause), r)
}

// downFor is how long a target is left alone after its n-th failure in a row, from 1.
func downFor(n int, r float64) time.Duration {
	return vary(doubled(firstDown, n-1, longestDown), r)
}

func doubled(d time.Duration, n int, most time.Duration) time.Duration {
	for range n {
		if d *= 2; d >= most {
			return most
		}
	}
	return min(d, most)
}

func vary(d time.Duration, r float64) time.Duration {
	return time.Duration(float64(d) * (1 + spread*(2*r-1)))
}

// order is the order in which a slot's n-th job is looked for, from 0.
func order(n int) [3]Class {
	if n%lowest == lowest-1 {
		return [3]Class{Bulk, Normal, Urgent}
	}
	return [3]Class{Urgent, Normal, Bulk}
}

// yields reports whether a worker with so many slots gives one to a worker that asks.
func yields(mine, theirs int) bool { return mine >= theirs+fairly }

func chance() float64 { return rand.Float64() }
