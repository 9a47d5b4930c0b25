package fleet

import (
	"cmp"
	"container/heap"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var scaleJobs = flag.Int("scale", 20_000, "jobs of TestScale; docs/scale.md is of 1000000")

// world is a fleet of which all but the decisions is made up: time, partners, lines, and an
// engine that does what JetStream does. The decisions (policy.go, and the times of usual) are
// those of the worker itself.
type world struct {
	workers, partners, jobs int
	capacity                int     // connections of a worker
	knowledge               bool    // workers share what they know
	outages                 bool    // partners go away, workers die
	downHour                int     // a partner that is down for the first hour, -1 for none
	wrong                   float64 // share of partners that refuse the login

	rnd     *rand.Rand
	now     time.Duration
	events  timeline
	all     []*simPartner
	crew    []*simWorker
	timing  timing
	open    map[*simPartner]bool // those with jobs that wait and a free slot
	left    int
	waits   map[Class][]time.Duration
	others  []time.Duration // waits of jobs of partners but the first
	logins  int
	refused int
}

type simJob struct {
	class Class
	since time.Duration
	takes time.Duration
}

type simPartner struct {
	limit, free int
	queue       map[Class][]*simJob
	wrong       bool
	paused      bool
	paths       map[*simWorker]bool // workers that have found out for themselves
	work        time.Duration       // of all its jobs
	longest     time.Duration       // of them
	end         time.Duration       // of the last
	trying      bool                // one worker finds out whether logins work
	proven      time.Duration       // they have worked, until
	until       time.Duration       // it is known to be down
	failures    int
	away        [2]time.Duration // when it is down
	n           int
}

type simWorker struct {
	n, held int
	dead    time.Duration // until when
	holders map[*simHolder]bool
	down    map[*simPartner]time.Duration // what it knows by itself
}

type simHolder struct {
	w    *simWorker
	p    *simPartner
	turn int
	job  *simJob
	gone bool
}

// timeline is what happens, in its order.
type timeline []*event

type event struct {
	at time.Duration
	n  int
	do func()
}

func (t timeline) Len() int { return len(t) }
func (t timeline) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(t[i].at, t[j].at), cmp.Compare(t[i].n, t[j].n)) < 0
}
func (t timeline) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *timeline) Push(x any)   { *t = append(*t, x.(*event)) }
func (t *timeline) Pop() any {
	old := *t
	e := old[len(old)-1]
	*t = old[:len(old)-1]
	return e
}

var eventNumber int

func (s *world) after(d time.Duration, do func()) {
	eventNumber++
	heap.Push(&s.events, &event{s.now + d, eventNumber, do})
}

func (s *world) run(seed uint64) {
	s.rnd, s.timing = rand.New(rand.NewPCG(seed, 18)), usual()
	s.open, s.waits = map[*simPartner]bool{}, map[Class][]time.Duration{}
	for i := range s.partners {
		p := &simPartner{n: i, limit: 1 + s.rnd.IntN(20), queue: map[Class][]*simJob{}, paths: map[*simWorker]bool{}, away: [2]time.Duration{-1, -1}}
		p.free = p.limit
		p.wrong = s.rnd.Float64() < s.wrong
		if s.outages && s.rnd.IntN(4) == 0 {
			at := time.Duration(s.rnd.Int64N(int64(10 * time.Minute)))
			p.away = [2]time.Duration{at, at + time.Duration(s.rnd.Int64N(int64(20*time.Minute)))}
		}
		if i == s.downHour {
			p.away = [2]time.Duration{0, time.Hour}
		}
		s.all = append(s.all, p)
	}
	for i := range s.workers {
		w := &simWorker{n: i, holders: map[*simHolder]bool{}, down: map[*simPartner]time.Duration{}}
		s.crew = append(s.crew, w)
		s.after(time.Duration(s.rnd.Int64N(int64(s.timing.sweep))), func() { s.sweep(w) })
		if s.outages {
			s.after(time.Duration(s.rnd.ExpFloat64()*float64(4*time.Hour)), func() { s.die(w) })
		}
	}
	s.submit()
	for s.left > 0 && len(s.events) > 0 {
		e := heap.Pop(&s.events).(*event)
		s.now = e.at
		e.do()
	}
}

// submit makes the jobs: those of a partner come in proportion to its limit, within a minute,
// with sizes as they are in the field (many small, some very large).
func (s *world) submit() {
	var cumulative []int
	sum := 0
	for _, p := range s.all {
		sum += p.limit
		cumulative = append(cumulative, sum)
	}
	for range s.jobs {
		x := s.rnd.IntN(sum)
		i, _ := slices.BinarySearch(cumulative, x+1)
		p := s.all[i]
		j := &simJob{class: []Class{Urgent, Normal, Normal, Normal, Normal, Normal, Normal, Bulk, Bulk, Bulk}[s.rnd.IntN(10)]}
		j.takes = 200*time.Millisecond + time.Duration(math.Exp(s.rnd.NormFloat64())*float64(10*time.Second))
		at := time.Duration(s.rnd.Int64N(int64(time.Minute)))
		if !p.wrong {
			p.work += j.takes
			p.longest = max(p.longest, j.takes)
			s.left++
		}
		s.after(at, func() {
			j.since = s.now
			p.queue[j.class] = append(p.queue[j.class], j)
			s.look(p)
		})
	}
}

func (p *simPartner) waiting() bool {
	return len(p.queue[Urgent])+len(p.queue[Normal])+len(p.queue[Bulk]) > 0
}

// look keeps the set of those that a worker could begin something of.
func (s *world) look(p *simPartner) {
	if p.waiting() && p.free > 0 && !p.paused {
		s.open[p] = true
	} else {
		delete(s.open, p)
	}
}

// sweep is Worker.sweep: what has work is looked at, in an order of the worker's own.
func (s *world) sweep(w *simWorker) {
	if s.now >= w.dead {
		s.find(w)
	}
	s.after(s.timing.sweep, func() { s.sweep(w) })
}

func (s *world) find(w *simWorker) {
	var found []*simPartner
	for p := range s.open {
		found = append(found, p)
	}
	slices.SortFunc(found, func(a, b *simPartner) int { return a.n - b.n }) // a map's order is another in each run
	s.rnd.Shuffle(len(found), func(i, k int) { found[i], found[k] = found[k], found[i] })
	for _, p := range found {
		if w.held >= s.capacity {
			return
		}
		s.hold(w, p)
	}
}

// hold is holder.run as far as a connection.
func (s *world) hold(w *simWorker, p *simPartner) {
	known := p.until
	if !s.knowledge {
		known = w.down[p]
		if p.paths[w] {
			return // paused, for this worker
		}
	}
	if !s.open[p] || s.now < known || w.held >= s.capacity {
		return
	}
	if s.knowledge && s.now >= p.proven { // connect: one tries, the others wait for what comes of it
		if p.trying {
			return
		}
		p.trying = true
	}
	p.free--
	w.held++
	s.look(p)
	h := &simHolder{w: w, p: p}
	w.holders[h] = true
	s.logins++
	s.after(300*time.Millisecond, func() { // the login
		p.trying = false
		switch {
		case h.gone:
		case p.wrong:
			s.refused++
			if s.knowledge {
				p.paused = true
			}
			s.look(p)
			p.paths[w] = true
			s.release(h)
		case s.now >= p.away[0] && s.now < p.away[1]:
			p.failures++
			until := s.now + downFor(p.failures, s.rnd.Float64())
			w.down[p] = until
			if s.knowledge {
				p.until = until
			}
			s.release(h)
		default:
			p.failures = 0
			p.proven = s.now + s.timing.proven
			s.next(h)
			if p.waiting() { // more: another connection, too
				s.hold(w, p)
			}
		}
	})
}

// next is the loop of holder.run.
func (s *world) next(h *simHolder) {
	if h.gone {
		return
	}
	for _, c := range order(h.turn) {
		if q := h.p.queue[c]; len(q) > 0 {
			h.p.queue[c], h.job = q[1:], q[0]
			h.turn++
			s.look(h.p)
			wait := s.now - h.job.since
			s.waits[c] = append(s.waits[c], wait)
			if h.p.n != 0 {
				s.others = append(s.others, wait)
			}
			s.after(h.job.takes, func() { s.finish(h) })
			return
		}
	}
	s.after(s.timing.linger, func() {
		if !h.gone {
			if h.p.waiting() {
				s.next(h)
			} else {
				s.release(h)
			}
		}
	})
}

func (s *world) finish(h *simHolder) {
	if h.gone {
		return
	}
	if s.now >= h.p.away[0] && s.now < h.p.away[1] { // it broke off: the rest is done later
		j := h.job
		h.job = nil
		j.takes /= 2
		h.p.queue[j.class] = append(h.p.queue[j.class], j)
		s.release(h)
		return
	}
	h.job = nil
	s.left--
	h.p.end, h.p.proven = s.now, s.now+s.timing.proven
	s.next(h)
}

func (s *world) release(h *simHolder) {
	h.gone = true
	delete(h.w.holders, h)
	h.w.held--
	s.after(s.timing.settle, func() { h.p.free++; s.look(h.p) })
}

// die kills a worker: its slots and jobs come back when nobody has spoken for them.
func (s *world) die(w *simWorker) {
	w.dead = s.now + time.Minute
	for h := range w.holders {
		h.gone = true
		s.after(s.timing.ackWait, func() {
			h.p.free++
			if j := h.job; j != nil {
				j.takes = j.takes/2 + time.Second // it goes on where it was
				h.p.queue[j.class] = append([]*simJob{j}, h.p.queue[j.class]...)
			}
			s.look(h.p)
		})
	}
	w.holders, w.held = map[*simHolder]bool{}, 0
	s.after(time.Duration(s.rnd.ExpFloat64()*float64(4*time.Hour)), func() { s.die(w) })
}

// bound is when the last job could have been done at the soonest, by the limits, the workers'
// connections and the outages.
func (s *world) bound() time.Duration {
	var most, sum time.Duration
	for _, p := range s.all {
		t := max(p.work/time.Duration(p.limit), p.longest)
		if p.away[1] > 0 && t > p.away[0] {
			t += p.away[1] - p.away[0]
		}
		most, sum = max(most, t), sum+p.work
	}
	return max(most, sum/time.Duration(s.workers*s.capacity))
}

// jain is the fairness of partners: how alike the shares of their limits are that they used.
func (s *world) jain() float64 {
	var sum, squares, n float64
	for _, p := range s.all {
		if p.wrong || p.end == 0 || p.away[1] > 0 {
			continue
		}
		x := float64(p.work) / float64(p.limit) / float64(p.end)
		sum, squares, n = sum+x, squares+x*x, n+1
	}
	return sum * sum / (n * squares)
}

func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	d = slices.Clone(d)
	slices.Sort(d)
	return d[min(len(d)-1, int(q*float64(len(d))))]
}

// TestScale simulates a fleet under outages, worker deaths and refused logins, with and
// without shared knowledge. go test ./ftpx/fleet -run TestScale -v -scale 1000000 is what
// docs/scale.md shows.
func TestScale(t *testing.T) {
	factor := float64(*scaleJobs) / 1_000_000
	partners, workers := max(40, int(2000*factor)), max(4, int(200*factor))
	make := func(knowledge, outages bool, downHour int) *world {
		s := &world{workers: workers, partners: partners, jobs: *scaleJobs, capacity: 128, knowledge: knowledge, outages: outages, downHour: downHour, wrong: 0.05}
		s.run(1)
		return s
	}
	shared, alone, calm := make(true, true, -1), make(false, true, -1), make(true, false, -1)
	t.Logf("%d jobs, %d partners with limits of 1 to 20, %d workers of %d connections", *scaleJobs, partners, workers, shared.capacity)
	shares := func(s *world) float64 {
		var sum, n float64
		for _, p := range s.all {
			if p.end > 0 {
				sum, n = sum+float64(max(p.work/time.Duration(p.limit), p.longest))/float64(p.end), n+1
			}
		}
		return sum / n
	}
	for name, s := range map[string]*world{"shared knowledge": shared, "no shared knowledge": alone, "no outages": calm} {
		if s.left > 0 {
			t.Errorf("%s: %d jobs have not ended", name, s.left)
		}
		text := fmt.Sprintf("%s: done in %v (%.3f of the bound of %v, of a partner's on average %.3f), fairness %.3f, %d logins, %d refused;", name, s.now.Round(time.Second), float64(s.bound())/float64(s.now), s.bound().Round(time.Second), shares(s), s.jain(), s.logins, s.refused)
		for _, c := range classes() {
			text += fmt.Sprintf(" %s waits %v, oldest %v;", c, quantile(s.waits[c], 0.5).Round(time.Millisecond), quantile(s.waits[c], 1).Round(time.Second))
		}
		t.Log(text)
	}
	refusing := 0
	for _, p := range shared.all {
		if p.wrong {
			refusing++
		}
	}
	t.Logf("%d partners refuse the login", refusing)
	if shared.refused > refusing || shared.refused >= alone.refused && refusing > 0 {
		t.Errorf("%d logins refused by %d partners with shared knowledge, %d without", shared.refused, refusing, alone.refused)
	}
	if quantile(shared.waits[Urgent], 0.9) > quantile(shared.waits[Bulk], 0.9) {
		t.Error("urgent jobs wait longer than bulk")
	}
	if q := float64(calm.bound()) / float64(calm.now); q < 0.6 {
		t.Errorf("throughput is %.3f of the bound", q)
	}
	down := make(true, false, 0)
	without, with := quantile(calm.others, 0.5), quantile(down.others, 0.5)
	t.Logf("a partner down for an hour: the others' jobs wait %v, without it %v", with, without)
	if float64(with) > 1.05*float64(without)+float64(10*time.Millisecond) {
		t.Errorf("the others' jobs wait %v, without a partner that is down %v", with, without)
	}
}
