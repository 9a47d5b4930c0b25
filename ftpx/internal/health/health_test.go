package health

import (
	"math"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

func defaults() Limits {
	return Limits{Window: time.Hour, ResetRate: 0.005, Handshake: 0.98, Anomalies: 50, Certificate: 30 * 24 * time.Hour}
}

// TestRecordIsSmall: constant, and at most 16 KiB.
func TestRecordIsSmall(t *testing.T) {
	n := unsafe.Sizeof(Record{})
	t.Logf("%d bytes", n)
	if n > 16<<10 {
		t.Errorf("%d bytes, more than 16 KiB", n)
	}
	for f := range reflect.TypeFor[Record]().NumField() {
		if k := reflect.TypeFor[Record]().Field(f).Type.Kind(); k == reflect.Slice || k == reflect.Map {
			t.Errorf("%s grows", reflect.TypeFor[Record]().Field(f).Name)
		}
	}
}

// TestLower: values from Wilson's formula, computed by hand.
func TestLower(t *testing.T) {
	for _, c := range []struct {
		events, all int64
		want        float64
	}{{0, 0, 0}, {0, 10, 0}, {1, 10, 0.0179}, {3, 3, 0.4385}, {50, 100, 0.4038}, {127, 1000, 0.1078}, {5, 4, 0.5101}} {
		if got := Lower(c.events, c.all); math.Abs(got-c.want) > 0.0001 {
			t.Errorf("%d of %d: %.4f, want %.4f", c.events, c.all, got, c.want)
		}
	}
}

// TestRings: what is older than a window does not count, whatever the pauses.
func TestRings(t *testing.T) {
	base := time.Date(2026, 12, 1, 10, 59, 30, 0, time.UTC)
	var r rings
	for i := range 180 { // one a minute
		r.note(base.Add(time.Duration(i)*time.Minute), func(c *counts) { c.used++ })
	}
	now := base.Add(179 * time.Minute)
	for window, want := range map[time.Duration]uint32{time.Minute: 1, 10 * time.Minute: 10, time.Hour: 60, 90 * time.Minute: 119, 24 * time.Hour: 180} {
		if got := r.sum(now, window).used; got != want {
			t.Errorf("%v: %d, want %d", window, got, want)
		}
	}
	if got := r.sum(now.Add(30*time.Minute), time.Hour).used; got != 30 {
		t.Errorf("half an hour later: %d", got)
	}
	if got := r.sum(now.Add(-time.Hour), time.Hour).used; got != 30 { // a clock that was set back
		t.Errorf("with the clock set back: %d", got)
	}
	if got := r.sum(now.Add(20*time.Hour), 24*time.Hour).used; got == 0 || got > 180 {
		t.Errorf("20 hours later: %d", got)
	}
	if a, b := r.sum(now.Add(100*time.Hour), 24*time.Hour), r.sum(now.Add(100*time.Hour), time.Hour); a.used+b.used != 0 {
		t.Errorf("four days later: %d and %d", a.used, b.used)
	}
}

// told collects the alarms of a book.
type told struct {
	mu     sync.Mutex // guards alarms: the book's timer tells too
	alarms []Alarm
}

func (t *told) all() []Alarm {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Alarm(nil), t.alarms...)
}

func newBook(l Limits) (*Record, *told) {
	t := &told{}
	return New(l, func(_ *Record, a Alarm) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.alarms = append(t.alarms, a)
	}).Record(0, 1), t
}

// use is connections that are opened and end, one each pause, of which some are lost.
func use(r *Record, n int, pause time.Duration, lost func(i int) bool) {
	for i := range n {
		r.Dialled(Dialled{Phases: []int{TCP, SSH}, Failed: -1, Worked: true})
		time.Sleep(pause)
		r.Ended(true, End{Lost: lost(i)})
	}
}

// TestResetRate: raised when it is sure, once; cleared when it has been calm, once.
func TestResetRate(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for name, c := range map[string]struct {
		run  func(r *Record)
		want []bool
	}{
		"1 of 10": {run: func(r *Record) { use(r, 10, time.Minute, func(i int) bool { return i == 5 }) }},
		"2 of 2":  {run: func(r *Record) { use(r, 2, time.Minute, func(int) bool { return true }) }},
		"1 in 1,000, a healthy hour": {run: func(r *Record) {
			use(r, 1000, 3600*time.Millisecond, func(i int) bool { return i == 300 })
			time.Sleep(2 * time.Hour)
		}},
		"4 in 1,000 is below": {run: func(r *Record) { use(r, 1000, 3600*time.Millisecond, func(i int) bool { return i%250 == 0 }) }},
		"12.7 %": {run: func(r *Record) {
			use(r, 200, 10*time.Second, func(int) bool { return rnd.Float64() < 0.127 })
			use(r, 1000, 10*time.Second, func(int) bool { return false })
		}, want: []bool{true, false}},
		"12.7 %, and then nothing": {run: func(r *Record) {
			use(r, 200, 10*time.Second, func(int) bool { return rnd.Float64() < 0.127 })
			time.Sleep(3 * time.Hour)
		}, want: []bool{true, false}},
		"not yet calm": {run: func(r *Record) {
			use(r, 200, 10*time.Second, func(i int) bool { return i%8 == 0 })
			time.Sleep(65 * time.Minute) // the last loss left the window some minutes ago
		}, want: []bool{true}},
		"long connections that are still open": {run: func(r *Record) {
			for range 997 {
				r.Dialled(Dialled{Failed: -1, Worked: true})
			}
			use(r, 3, time.Minute, func(int) bool { return true })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, told := newBook(defaults())
				defer r.book.Close()
				c.run(r)
				var got []bool
				for _, a := range told.all() {
					if a.Which != ResetRate || a.Threshold != 0.005 || a.Window != time.Hour || a.Raised && (a.Events < 3 || a.Value <= 0.005 || a.Of < a.Events) {
						t.Errorf("%+v", a)
					}
					got = append(got, a.Raised)
				}
				if !reflect.DeepEqual(got, c.want) {
					t.Errorf("%+v, want %v", told.all(), c.want)
				}
			})
		})
	}
}

// TestHandshake: by phase; what has never worked and is one of several says nothing.
func TestHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, told := newBook(defaults())
		defer r.book.Close()
		fail := Dialled{Phases: []int{TCP, TLS}, Failed: TLS}
		for range 10 {
			r.Dialled(fail)
		}
		if len(told.all()) > 0 {
			t.Fatalf("of a protocol that is not offered: %+v", told.all())
		}
		r.Dialled(Dialled{Phases: []int{TCP, TLS}, Failed: -1, Worked: true})
		for range 4 {
			r.Dialled(fail)
		}
		if len(told.all()) != 1 || told.all()[0].Which != Handshake || told.all()[0].Phase != "tls" || told.all()[0].Value >= 0.98 {
			t.Fatalf("%+v", told.all())
		}
		if s := r.State(); s.Handshakes[TCP] != [2]int64{5, 5} || s.Handshakes[TLS] != [2]int64{1, 5} || len(s.Alarms) != 1 {
			t.Errorf("%+v", s)
		}
		time.Sleep(2 * time.Hour)
		if len(told.all()) != 2 || told.all()[1].Raised {
			t.Errorf("%+v", told.all())
		}
		alone, told := newBook(defaults())
		defer alone.book.Close()
		fail.Counts = true
		for range 3 {
			alone.Dialled(fail)
		}
		if len(told.all()) != 1 {
			t.Errorf("of the only protocol: %+v", told.all())
		}
	})
}

// TestAnomaliesAndCertificate: more than 50 in a day, and 30 days before its end.
func TestAnomaliesAndCertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, told := newBook(defaults())
		defer r.book.Close()
		for range 50 {
			r.Attempt(false, true, true)
			time.Sleep(20 * time.Minute)
		}
		if len(told.all()) > 0 {
			t.Fatalf("%+v", told.all())
		}
		r.Attempt(false, true, true)
		if len(told.all()) != 1 || told.all()[0].Which != Anomalies || told.all()[0].Value != 51 {
			t.Fatalf("%+v", told.all())
		}
		time.Sleep(30 * time.Hour)
		if len(told.all()) != 2 || told.all()[1].Raised {
			t.Fatalf("%+v", told.all())
		}
		ends := time.Now().Add(29 * 24 * time.Hour)
		r.Dialled(Dialled{Failed: -1, Worked: true, Expiry: ends})
		r.Dialled(Dialled{Failed: -1, Worked: true, Expiry: ends})
		if a := told.all()[len(told.all())-1]; len(told.all()) != 3 || a.Which != Certificate || a.Value != 29 || a.Threshold != 30 {
			t.Fatalf("%+v", told.all())
		}
		r.Dialled(Dialled{Failed: -1, Worked: true, Expiry: ends.Add(365 * 24 * time.Hour)})
		if a := told.all()[len(told.all())-1]; len(told.all()) != 4 || a.Raised {
			t.Fatalf("%+v", told.all())
		}
	})
}

// TestOff raises nothing.
func TestOff(t *testing.T) {
	l := defaults()
	l.Off = true
	r, told := newBook(l)
	for range 10 {
		r.Ended(true, End{Lost: true})
	}
	if s := r.State(); len(told.all())+len(s.Alarms) > 0 || s.Events[0] != 10 {
		t.Errorf("%+v, %+v", told.all(), s)
	}
}

// TestState: what is told besides.
func TestState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := newBook(defaults())
		r.Attempt(true, false, false)
		r.Moved(1000, 2*time.Second)
		r.Saved(10)
		r.Retry()
		time.Sleep(2 * time.Minute)
		failed := time.Now()
		r.Attempt(false, true, false)
		r.Attempt(false, false, false) // the server's answer
		s := r.State()
		if s.Moved != 1000 || s.Busy != 2*time.Second || s.Saved != 10 || s.Retries != 1 || s.Available != [2]int64{1, 2} || !s.LastFailure.Equal(failed) || s.LastSuccess.IsZero() {
			t.Errorf("%+v", s)
		}
		if len(s.Minutes) != 60 || s.Minutes[57].Bytes != 1000 || !s.Minutes[59].Start.Equal(failed.Truncate(time.Minute)) {
			t.Errorf("%+v", s.Minutes[55:])
		}
	})
}

func BenchmarkAttempt(b *testing.B) {
	r, _ := newBook(defaults())
	for b.Loop() {
		r.Attempt(true, false, false)
	}
}
