package download

import (
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// What one connection moves is bounded by its window, of which there is one in each
// round trip, and by what losses make of that; several have several. So a large file is
// fetched over more of them where the round trip is long and it would else take a while;
// SFTP, which has streams within a connection too, needs more of a reason. The rate of the
// first is measured, and what others bring, which is remembered for the host's next file.
const (
	// widenFrom is the shortest round trip for which it is considered.
	widenFrom = 10 * time.Millisecond
	// widenSize is the least that must be missing.
	widenSize = 32 << 20
	// widenTimes is how many times what it costs to open a connection the rest must take,
	// and widenTimesSFTP that where a connection has streams of its own, which are still
	// beginning when the rate is measured.
	widenTimes     = 4
	widenTimesSFTP = 6
	// widenMost is how many there are for one file at most, the first included.
	widenMost = 8
	// widenTrips is for how many round trips the rate is measured, and widenTripsSFTP
	// that where a connection opens streams of its own meanwhile.
	widenTrips     = 3
	widenTripsSFTP = 8
	widenLook      = 100 * time.Millisecond // at least
	widenAgain     = time.Second            // until the next look, where it is not worth it yet
	// widenGain is what each further one must bring, in parts of what one did before.
	widenGain = 0.25
	widenLoss = 0.9 // below that the others end at once
	// segmentTrips is what asking for a segment costs, in round trips, in which one that
	// is asked for already goes on. A segment takes at least as long, and has segmentLeast.
	segmentTrips = 4
	segmentLeast = 2 << 20
)

// mayWiden reports whether more connections come into question.
func (x *streams) mayWiden() bool {
	l, d := x.main, x.d
	switch {
	case d.single, l.Info().Caps.OneStream, d.size < 0, d.size-d.parts.have() < widenSize, l.Shared(), l.Limited(), l.Info().RoundTrip < widenFrom:
		return false
	}
	streams, known := l.Host.Streams.Known()
	return !known || streams > 1
}

// cost is how long it takes until another connection brings something.
func (x *streams) cost() time.Duration {
	trips := time.Duration(segmentTrips)
	if x.main.Proto == transport.SFTP {
		trips *= 2 // a channel's window has to grow
	}
	return x.main.Host.OpenCost() + trips*x.main.Info().RoundTrip
}

// head is how much a stream brings while another asks for a segment.
func (x *streams) head() int64 {
	return int64(segmentTrips * x.main.Info().RoundTrip.Seconds() * x.each)
}

// missing is how much is to come.
func (x *streams) missing() int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.d.size - x.d.parts.have()
}

// widen takes on further connections if they are worth it, looks at what they bring, and
// goes on while they bring something.
func (x *streams) widen() {
	wide := &x.main.Host.Streams
	if streams, known := wide.Known(); known {
		if n := min(int64(streams), x.missing()/(widenSize/2)); !x.open(int(n)-1) && !x.isOver() {
			wide.Forget() // it was another time
		}
		return
	}
	select {
	case <-x.begun:
	case <-x.ended:
		return
	}
	span := x.span()
	rate, ok := x.measure(span)
	for ok {
		more := x.worth(rate)
		if more == 0 {
			if x.missing() < widenSize || !x.pause(widenAgain) {
				return
			}
			rate, ok = x.measure(span)
			continue
		}
		x.reckon(rate)
		before, was := rate, x.count()
		if !x.open(more) {
			return
		}
		streams := x.count()
		if rate, ok = x.measure(2 * span); !ok {
			return
		}
		if rate-before < widenGain*before/float64(was)*float64(streams-was) {
			if x.count() < streams {
				return // they have made room for other work, or were lost
			}
			x.enough(rate < widenLoss*before)
			if _, known := wide.Known(); !known {
				wide.Learn(0)
			}
			return
		}
		wide.Learn(streams)
	}
}

// span is for how long a rate is measured.
func (x *streams) span() time.Duration {
	trips := time.Duration(widenTrips)
	if x.main.Proto == transport.SFTP {
		trips = widenTripsSFTP
	}
	return max(trips*x.main.Info().RoundTrip, widenLook)
}

// isOver reports whether the attempt wants no more.
func (x *streams) isOver() bool {
	select {
	case <-x.ended:
		return true
	default:
		return false
	}
}

// count is how many streams there are.
func (x *streams) count() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.others + 1
}

// reckon takes note of the rate of all streams.
func (x *streams) reckon(rate float64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.each = rate / float64(x.others+1)
}

// enough is for streams that brought too little. Those that there are end with what they
// have asked for, since to cut them off would be to have it sent twice; where they are
// even in each other's way, at once.
func (x *streams) enough(harm bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.full, x.leave = true, harm
}

// worth is how many connections to add at a rate of those that there are, in bytes a
// second: so many that the rest takes twice what opening them costs.
func (x *streams) worth(rate float64) int {
	missing, cost, times := x.missing(), x.cost(), float64(widenTimes)
	if x.main.Proto == transport.SFTP {
		times = widenTimesSFTP
	}
	rest := float64(missing) / max(rate, 1)
	if missing < widenSize || rest < times*cost.Seconds() {
		return 0
	}
	return int(min(rest/(2*cost.Seconds()), float64(missing/(widenSize/4)), float64(widenMost-x.count())))
}

// measure returns the rate in a time without its first third, which is for what is only
// beginning; false where the attempt has ended in it.
func (x *streams) measure(span time.Duration) (float64, bool) {
	if !x.pause(span / 3) {
		return 0, false
	}
	before, begin := x.written(), time.Now()
	if !x.pause(span * 2 / 3) {
		return 0, false
	}
	return float64(x.written()-before) / time.Since(begin).Seconds(), true
}

// written is how much the streams have written.
func (x *streams) written() int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.got
}

// open takes on n connections and waits until each of them brings something or has
// ended. It reports whether any does.
func (x *streams) open(n int) bool {
	ready := make(chan bool, max(n, 0))
	for range n {
		x.mu.Lock()
		ended := x.over || x.leave
		if !ended {
			x.others++
		}
		x.mu.Unlock()
		if ended {
			return false
		}
		x.dials.Add(1)
		go func() {
			defer func() {
				panicked := recover() // it is the caller's goroutine that is to panic
				x.mu.Lock()
				if x.panicked == nil {
					x.panicked = panicked
				}
				x.others--
				x.changed.Broadcast()
				x.mu.Unlock()
			}()
			x.help(ready)
		}()
	}
	any := false
	for range n {
		select {
		case ok := <-ready:
			any = any || ok
		case <-x.ended:
			return false
		}
	}
	return any
}

// help is another stream. It takes a connection only where nobody waits for one, tells
// ready once whether it brings something, and what goes wrong ends it alone.
func (x *streams) help(ready chan<- bool) {
	var once sync.Once
	tell := func(ok bool) { once.Do(func() { ready <- ok }) }
	defer tell(false)
	l, final := x.another()
	if final {
		x.main.Host.Streams.Learn(0)
		x.hangUp()
	}
	if l == nil {
		return
	}
	defer l.Release()
	// The name may be another file's by now.
	st, err := l.Stat(x.ctx, x.d.spec.Remote)
	if err != nil || !sameRemote(x.seen, st) {
		return
	}
	if !x.separate() {
		return
	}
	x.serve(l, tell)
}

// another takes a connection. The attempt does not end before that has.
func (x *streams) another() (l *session.Lease, final bool) {
	defer x.dials.Done()
	return x.main.Another(x.dial)
}

// serve fetches segments over another stream's connection. On FTP that outlives a data
// connection that is lost, and the segment goes on.
func (x *streams) serve(l *session.Lease, tell func(bool)) {
	for {
		p := x.take(false)
		if p == nil {
			return
		}
		w := &segmentWriter{other: true}
		begun := false
		w.begun = func() {
			begun = true
			tell(true)
		}
		err := x.fetch(x.ctx, l, p, w)
		if transport.KindOf(err) == transport.KindRestart {
			x.main.Host.Streams.Learn(0)
		}
		if l.Failed(err); !l.Usable() || err != nil && !(begun && lineFailed(err)) {
			return
		}
	}
}

// separate notes, before a second stream begins to write, that what is there has gaps.
func (x *streams) separate() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over || x.d.local.synced.split(x.d.parts.ranges()) != nil {
		return false
	}
	x.apart = true
	x.d.resumed = true // and so its time is looked at when all is there
	return true
}

// pause waits; false where the attempt ends before.
func (x *streams) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-x.ended:
		return false
	}
}
