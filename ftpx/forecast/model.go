package forecast

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Model estimates the probability that the next connection fails, from the ones
// before it. It takes less than 2 KiB and allocates nothing after [New]. It is not
// safe for concurrent use.
type Model interface {
	// Predict returns the probability, from 0.001 to 0.999, that a connection
	// which is opened at time t fails. It changes nothing and may be repeated.
	Predict(t time.Time) float64
	// Learn takes note of how a connection that was opened at time t has ended.
	// Calls come in the order of time; a time before the last one counts as that.
	Learn(t time.Time, failed bool)
}

// The names that [New] knows, the simplest model first.
const (
	// BaseRate is the share of all connections so far that have failed.
	BaseRate = "base-rate"
	// LastValue is the share of failures among the connections whose predecessor
	// ended as the last one did.
	LastValue = "last-value"
	// EWMA is an exponentially weighted moving average: each connection counts
	// for a tenth of what is known.
	EWMA = "ewma"
	// Hours is a Beta-Bernoulli estimate for each hour of the day (UTC), shrunk
	// to the overall rate. What is older than a week counts for less than half.
	Hours = "beta-hours"
	// Logistic is a logistic regression that is fitted while it is used: time since
	// the last failure, a short and a long average, failures in a row, whether they
	// are enough to open a client's breaker, and the hour of the day (UTC).
	Logistic = "logistic"
)

// Default is the simplest model that is as good as the best one, over all histories of
// docs/forecast.md together. Logistic is better where failures keep to an hour of the day.
const Default = LastValue

// Names returns the names that [New] knows, the simplest model first.
func Names() []string { return []string{BaseRate, LastValue, EWMA, Hours, Logistic} }

// New returns a model that has seen nothing yet. The error of an unknown name lists
// the known ones.
func New(name string) (Model, error) {
	switch name {
	case BaseRate:
		return &baseRate{}, nil
	case LastValue:
		return newLastValue(), nil
	case EWMA:
		return &ewma{rate: priorRate}, nil
	case Hours:
		return &hours{}, nil
	case Logistic:
		return newLogistic(), nil
	}
	return nil, fmt.Errorf("forecast: unknown model %q: use one of %s", name, strings.Join(Names(), ", "))
}

const (
	// priorRate is believed before anything was seen, with the weight of priorWeight
	// connections. All models begin with it, so that none is better by its start.
	priorRate   = 0.05
	priorWeight = 1.0
	// least is the smallest probability that is predicted: nothing is certain, and
	// the log loss of a certainty that fails is infinite.
	least = 0.001
)

// share is a rate of failures among many connections, with the prior.
func share(failed, many float64) float64 {
	return (failed + priorWeight*priorRate) / (many + priorWeight)
}

// bounded keeps a probability off certainty.
func bounded(p float64) float64 { return min(max(p, least), 1-least) }

func toFloat(failed bool) float64 {
	if failed {
		return 1
	}
	return 0
}

func logit(p float64) float64 { return math.Log(p / (1 - p)) }

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
