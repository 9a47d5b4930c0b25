package forecast

import (
	"math"
	"time"
)

// The features of the model Logistic, by their place in a vector.
const (
	fBias  = iota
	fSince // logarithm of the time since the last failure
	fShort // logit of the short average
	fLong  // logit of the long average
	fStreak
	fBreaker
	fSine
	fCosine

	features
)

const (
	shortWeight, longWeight = 0.2, 0.02
	// sinceMost is the time since the last failure where none was seen.
	sinceMost = 7 * 24 * time.Hour
	// breakerAt is how many failures in a row open the breaker of a client.
	breakerAt = 5
	// priorVariance is how far a weight may be from where it begins.
	priorVariance = 0.5
	// forget is added to the uncertainty of each weight with each connection, so
	// that a host may change.
	forget = 1e-5
)

type vector [features]float64

// logistic is the model Logistic. Its weights have a mean and a covariance; each
// connection moves them by one step of Newton's method (an extended Kalman filter),
// which has no learning rate to tune and learns from few failures.
type logistic struct {
	weights     vector
	covariance  [features]vector
	short, long ewmaRate
	streak      float64
	lastFailed  time.Time
}

// ewmaRate is an average that weighs its last value as its user says.
type ewmaRate float64

func (r *ewmaRate) learn(y, weight float64) { *r += ewmaRate(weight * (y - float64(*r))) }

func newLogistic() *logistic {
	m := &logistic{short: priorRate, long: priorRate}
	// It begins as the long average and learns what else matters.
	m.weights[fLong] = 1
	for i := range m.covariance {
		m.covariance[i][i] = priorVariance
	}
	return m
}

// look returns the features at time t.
func (m *logistic) look(t time.Time) vector {
	since := sinceMost
	if !m.lastFailed.IsZero() {
		since = min(max(t.Sub(m.lastFailed), 0), sinceMost)
	}
	sine, cosine := math.Sincos(2 * math.Pi * float64(ofDay(t)) / day)
	// Each lies between about -2 and 2, so that one variance fits them all.
	return vector{
		fBias:    1,
		fSince:   (math.Log1p(since.Seconds()) - 7) / 3,
		fShort:   logit(bounded(float64(m.short))) / 3,
		fLong:    logit(bounded(float64(m.long))),
		fStreak:  math.Log1p(m.streak),
		fBreaker: toFloat(m.streak >= breakerAt),
		fSine:    sine,
		fCosine:  cosine,
	}
}

func (m *logistic) Predict(t time.Time) float64 {
	x := m.look(t)
	return bounded(sigmoid(dot(&m.weights, &x)))
}

func (m *logistic) Learn(t time.Time, failed bool) {
	x, y := m.look(t), toFloat(failed)
	m.step(&x, y)
	m.short.learn(y, shortWeight)
	m.long.learn(y, longWeight)
	if failed {
		m.streak++
		if t.After(m.lastFailed) {
			m.lastFailed = t
		}
	} else {
		m.streak = 0
	}
}

// step moves the weights towards what has explained the outcome y of x.
func (m *logistic) step(x *vector, y float64) {
	p := bounded(sigmoid(dot(&m.weights, x)))
	var gain vector // covariance times x
	for i := range gain {
		m.covariance[i][i] = min(m.covariance[i][i]+forget, priorVariance)
		gain[i] = dot(&m.covariance[i], x)
	}
	curvature := p * (1 - p)
	grown := 1 + curvature*dot(&gain, x)
	shrink := curvature / grown
	for i := range gain {
		for j := range i + 1 {
			c := m.covariance[i][j] - shrink*gain[i]*gain[j]
			m.covariance[i][j], m.covariance[j][i] = c, c // symmetric to the last bit
		}
	}
	// The covariance after the step times x is gain / grown.
	f := (y - p) / grown
	for i := range gain {
		m.weights[i] += f * gain[i]
	}
}

func dot(a, b *vector) (sum float64) {
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}
