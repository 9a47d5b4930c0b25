package fleet

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// nudge is called when a target may have work: it wakes those that wait for some with their
// connection open, and considers another.
func (w *Worker) nudge(target string) {
	w.mu.Lock()
	if c := w.nudges[target]; c != nil {
		close(c)
		delete(w.nudges, target)
	}
	w.mu.Unlock()
	w.consider(target)
}

// sweeps looks for work that nobody has told of, until nothing new is to be begun.
func (w *Worker) sweeps() {
	for w.begin.Err() == nil {
		w.sweep()
		select {
		case <-time.After(w.f.time.sweep):
		case <-w.begin.Done():
		}
	}
}

// sweep asks each stream once which subjects hold messages.
func (w *Worker) sweep() {
	for shard, st := range w.f.jobs {
		ctx, cancel := context.WithTimeout(w.begin, 5*time.Second)
		info, err := st.Info(ctx, jetstream.WithSubjectFilter("ftpx.job"+shardSuffix(shard)+".>"))
		cancel()
		if err != nil {
			continue
		}
		targets := map[string]bool{}
		for subject := range info.State.Subjects {
			_, target := ofSubject(subject)
			targets[target] = true
		}
		for target := range targets { // in an order of its own for each worker
			w.consider(target)
		}
	}
}

// consider begins to look for work of a target with one more connection, if there may be one.
func (w *Worker) consider(target string) {
	t := w.limit[target]
	if t == nil || w.begin.Err() != nil || w.know.closed(target, time.Now()) != "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.slots[target] >= t.Connections || w.held >= w.o.Connections {
		return
	}
	w.slots[target]++
	w.held++
	w.finished.Go(func() {
		h := &holder{w: w, t: t}
		h.run()
		w.mu.Lock()
		defer w.mu.Unlock()
		w.slots[target]--
		w.held--
	})
}

// wanted hears that a worker with so many connections has work and no slot.
func (w *Worker) wanted(target, load string) {
	instance, n, _ := strings.Cut(load, " ")
	theirs, err := strconv.Atoi(n)
	if err != nil || instance == w.instance {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.slots[target] > 0 && yields(w.held, theirs) {
		w.asked[target] = true
	}
}
