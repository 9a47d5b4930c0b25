package session

import (
	"slices"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/forecast"
)

// outlook is how likely it is that the next connection to a host fails. It orders hosts
// between which nothing else decides, and never keeps one from being tried.
type outlook struct {
	mu    sync.Mutex     // guards model
	model forecast.Model // nil where there is nothing to order
}

func newOutlook() *outlook {
	model, err := forecast.New(forecast.Default)
	if err != nil {
		panic(err) // the package's own name
	}
	return &outlook{model: model}
}

// learn takes note of how an attempt to connect has ended, if that says anything about the
// host or the line.
func (o *outlook) learn(err error) {
	if o == nil || err != nil && !unwell(err) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.model.Learn(time.Now(), err != nil)
}

func (o *outlook) predict(at time.Time) float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.model.Predict(at)
}

// byOutlook orders hosts of equal rank by their outlook, the best first, and leaves all
// others where they are.
func byOutlook(list []*Host) {
	now := time.Now()
	for len(list) > 1 {
		n := 1
		for n < len(list) && list[n].rank == list[0].rank {
			n++
		}
		if n > 1 {
			slices.SortStableFunc(list[:n], func(a, b *Host) int {
				switch p, q := a.outlook.predict(now), b.outlook.predict(now); {
				case p < q:
					return -1
				case p > q:
					return 1
				}
				return 0
			})
		}
		list = list[n:]
	}
}
