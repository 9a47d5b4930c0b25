package main

import (
	"math"

	"github.com/seed01fc2e40/go-ftpx/ftpx/forecast"
)

// warmUp is how many attempts of a trace are learned and not judged: what a model
// says before it has seen anything is its prior.
const warmUp = 50

// bounds are the upper ends of the calibration table's rows.
var bounds = [...]float64{0.01, 0.03, 0.10, 0.30, 1}

// bin is a row of the calibration table: what was predicted on average and what came.
type bin struct {
	many      int
	predicted float64 // sum
	failed    float64 // sum
}

// score is what one model has made of one source.
type score struct {
	model   string
	brier   []float64 // loss of each judged attempt
	logLoss []float64
	bins    [len(bounds)]bin
}

// judge predicts each attempt before it is learned: the only honest score of a model
// that learns while it is used.
func judge(name string, s source) (score, error) {
	out := score{model: name}
	for _, t := range s.traces {
		m, err := forecast.New(name)
		if err != nil {
			return score{}, err
		}
		for i, a := range t {
			if i >= warmUp {
				out.add(m.Predict(a.at), a.failed)
			}
			m.Learn(a.at, a.failed)
		}
	}
	return out, nil
}

func (s *score) add(p float64, failed bool) {
	y := 0.0
	if failed {
		y = 1
	}
	s.brier = append(s.brier, (p-y)*(p-y))
	s.logLoss = append(s.logLoss, -math.Log(1-math.Abs(y-p)))
	for i, upper := range bounds {
		if p <= upper {
			b := &s.bins[i]
			b.many++
			b.predicted += p
			b.failed += y
			return
		}
	}
}

func mean(list []float64) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	return sum(list) / float64(len(list))
}

func sum(list []float64) (total float64) {
	for _, x := range list {
		total += x
	}
	return total
}
