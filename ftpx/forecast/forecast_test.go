package forecast

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// each runs f with a new model of each name.
func each(t *testing.T, f func(t *testing.T, name string, m Model)) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			m, err := New(name)
			if err != nil {
				t.Fatal(err)
			}
			f(t, name, m)
		})
	}
}

func TestUnknownModel(t *testing.T) {
	_, err := New("lstm")
	if err == nil || !strings.Contains(err.Error(), `unknown model "lstm": use one of base-rate, `) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}

// A model is a flat value: what it takes is its own size, however long it is used.
func TestSize(t *testing.T) {
	each(t, func(t *testing.T, _ string, m Model) {
		if size := reflect.TypeOf(m).Elem().Size(); size > 2048 {
			t.Errorf("%d bytes, more than 2 KiB", size)
		}
		now := start
		if n := testing.AllocsPerRun(1000, func() {
			now = now.Add(time.Minute)
			m.Predict(now)
			m.Learn(now, now.Minute()%7 == 0)
		}); n != 0 {
			t.Errorf("%v allocations a step", n)
		}
	})
}

// The fastest of many short batches is what a step costs; what else the machine does
// only makes the others slower.
func TestCost(t *testing.T) {
	each(t, func(t *testing.T, _ string, m Model) {
		const batch = 100
		now, best := start, time.Hour
		for range 2000 {
			began := time.Now()
			for range batch {
				now = now.Add(time.Minute)
				m.Predict(now)
				m.Learn(now, now.Minute()%7 == 0)
			}
			best = min(best, time.Since(began)/batch)
		}
		if best > slower*time.Microsecond {
			t.Errorf("Predict and Learn took %v, more than 1 µs", best)
		}
		t.Log(best, "for Predict and Learn")
	})
}

// Whatever comes, a prediction is a probability and no certainty.
func TestAlwaysAProbability(t *testing.T) {
	histories := map[string]func(i int, r *rand.Rand) (step time.Duration, failed bool){
		"never":     func(int, *rand.Rand) (time.Duration, bool) { return time.Minute, false },
		"always":    func(int, *rand.Rand) (time.Duration, bool) { return time.Minute, true },
		"at once":   func(i int, _ *rand.Rand) (time.Duration, bool) { return 0, i%2 == 0 },
		"backward":  func(i int, _ *rand.Rand) (time.Duration, bool) { return -time.Hour, i%3 == 0 },
		"years":     func(i int, _ *rand.Rand) (time.Duration, bool) { return 9000 * time.Hour, i%3 == 0 },
		"turning":   func(i int, _ *rand.Rand) (time.Duration, bool) { return time.Minute, i/5000%2 == 0 },
		"random":    func(_ int, r *rand.Rand) (time.Duration, bool) { return time.Duration(r.Int64N(1e12)), r.IntN(2) == 0 },
		"rare":      func(i int, _ *rand.Rand) (time.Duration, bool) { return time.Second, i%5000 == 4999 },
		"by minute": func(i int, _ *rand.Rand) (time.Duration, bool) { return time.Second, i/60%2 == 0 },
	}
	for name, next := range histories {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, _ string, m Model) {
				r := rand.New(rand.NewPCG(1, 2))
				now := start
				for i := range 50_000 {
					p := m.Predict(now)
					if !(p >= least && p <= 1-least) {
						t.Fatalf("step %d: %v", i, p)
					}
					if again := m.Predict(now); again != p {
						t.Fatalf("step %d: %v, and %v when asked again", i, p, again)
					}
					step, failed := next(i, r)
					m.Learn(now, failed)
					now = now.Add(step)
				}
			})
		})
	}
	each(t, func(t *testing.T, _ string, m Model) {
		for _, now := range []time.Time{{}, time.Unix(math.MaxInt64>>8, 0), time.Unix(math.MinInt64>>8, 0), start} {
			m.Learn(now, true)
			if p := m.Predict(time.Time{}); !(p >= least && p <= 1-least) {
				t.Errorf("after %v: %v", now, p)
			}
		}
	})
}

// Every model finds the rate of a host that fails now and then.
func TestFindsTheRate(t *testing.T) {
	each(t, func(t *testing.T, _ string, m Model) {
		r := rand.New(rand.NewPCG(3, 4))
		now, sum := start, 0.0
		const many = 20_000
		for range many {
			now = now.Add(time.Duration(r.ExpFloat64() * float64(time.Minute)))
			sum += m.Predict(now)
			m.Learn(now, r.Float64() < 0.2)
		}
		if got := sum / many; math.Abs(got-0.2) > 0.01 {
			t.Errorf("%.3f on average, want 0.2", got)
		}
	})
}

// learned returns a model that has seen three weeks of a host, a connection every five
// minutes.
func learned(t *testing.T, name string, fails func(time.Time) bool) (Model, time.Time) {
	t.Helper()
	m, err := New(name)
	if err != nil {
		t.Fatal(err)
	}
	now := start
	for now.Before(start.AddDate(0, 0, 21)) {
		m.Learn(now, fails(now))
		now = now.Add(5 * time.Minute)
	}
	return m, now
}

// What each model knows that the simpler ones do not.
func TestWhatEachKnows(t *testing.T) {
	outage := func(now time.Time) bool { return now.YearDay()%4 == 0 && now.Hour() == 13 }
	t.Run("the last one", func(t *testing.T) {
		for _, name := range []string{LastValue, Logistic} {
			m, now := learned(t, name, outage)
			before := m.Predict(now)
			m.Learn(now, true)
			if after := m.Predict(now.Add(time.Minute)); after < 0.3 || before > 0.05 {
				t.Errorf("%s: %.3f before a failure and %.3f after it", name, before, after)
			}
		}
		m, now := learned(t, BaseRate, outage)
		m.Learn(now, true)
		if p := m.Predict(now); p > 0.05 {
			t.Errorf("the base rate says %.3f", p)
		}
	})
	t.Run("the hour", func(t *testing.T) {
		night := func(now time.Time) bool { return now.Hour() == 2 && now.Minute()%2 == 0 }
		for _, name := range []string{Hours, Logistic} {
			m, now := learned(t, name, night)
			atNight, byDay := m.Predict(now.Add(2*time.Hour+30*time.Minute)), m.Predict(now.Add(14*time.Hour))
			if atNight < 2*byDay {
				t.Errorf("%s: %.3f at night, %.3f by day", name, atNight, byDay)
			}
		}
	})
	t.Run("a change", func(t *testing.T) {
		for _, name := range []string{EWMA, Logistic} {
			r := rand.New(rand.NewPCG(7, 8))
			m, now := learned(t, name, func(now time.Time) bool { return now.Sub(start) > 20*24*time.Hour && r.IntN(2) == 0 })
			if p := m.Predict(now); p < 0.25 || p > 0.75 {
				t.Errorf("%s: %.3f after a day at one half", name, p)
			}
		}
	})
	t.Run("time heals", func(t *testing.T) {
		m, now := learned(t, Logistic, outage)
		for range 3 {
			m.Learn(now, true)
			now = now.Add(time.Minute)
		}
		soon, later := m.Predict(now), m.Predict(now.Add(10*time.Hour))
		if soon < later {
			t.Errorf("%.3f at once, %.3f ten hours later", soon, later)
		}
	})
}

// The covariance stays one: symmetric and positive on the diagonal.
func TestCovariance(t *testing.T) {
	m := newLogistic()
	r := rand.New(rand.NewPCG(5, 6))
	now := start
	for range 300_000 {
		now = now.Add(time.Duration(r.Int64N(int64(time.Hour))))
		m.Learn(now, r.Float64() < 0.01*float64(1+now.Hour()))
	}
	for i := range features {
		if v := m.covariance[i][i]; !(v > 0 && v <= priorVariance) {
			t.Errorf("variance %d: %v", i, v)
		}
		for j := range i {
			if m.covariance[i][j] != m.covariance[j][i] {
				t.Errorf("%d, %d: %v and %v", i, j, m.covariance[i][j], m.covariance[j][i])
			}
		}
	}
}

func BenchmarkStep(b *testing.B) {
	for _, name := range Names() {
		b.Run(name, func(b *testing.B) {
			m, _ := New(name)
			now := start
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(time.Minute)
				m.Predict(now)
				m.Learn(now, now.Minute()%7 == 0)
			}
		})
	}
}
