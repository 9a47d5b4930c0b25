package forecast

import "time"

// baseRate is the model BaseRate. It is what the others have to beat.
type baseRate struct{ failed, many float64 }

func (m *baseRate) Predict(time.Time) float64 { return bounded(share(m.failed, m.many)) }

func (m *baseRate) Learn(_ time.Time, failed bool) {
	m.failed += toFloat(failed)
	m.many++
}

// lastValue is the model LastValue. To repeat the last outcome as a certainty would be
// simpler still, but its log loss is infinite at the first surprise; how often one
// outcome follows another is all that can be learned from the last one.
type lastValue struct {
	after [2]baseRate // what followed a success, and a failure
	last  int
}

// newLastValue begins with the belief that all have, and with the one that a failure is as
// likely as not to be followed by another: the first one must tell something.
func newLastValue() *lastValue {
	m := &lastValue{}
	m.after[1] = baseRate{failed: 0.5, many: 1}
	return m
}

func (m *lastValue) Predict(t time.Time) float64 { return m.after[m.last].Predict(t) }

func (m *lastValue) Learn(t time.Time, failed bool) {
	m.after[m.last].Learn(t, failed)
	m.last = int(toFloat(failed))
}

// ewmaWeight is what the last connection counts for, see [EWMA].
const ewmaWeight = 0.1

// ewma is the model EWMA.
type ewma struct{ rate float64 }

func (m *ewma) Predict(time.Time) float64 { return bounded(m.rate) }

func (m *ewma) Learn(_ time.Time, failed bool) { m.rate += ewmaWeight * (toFloat(failed) - m.rate) }
