package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Worker does jobs. Several of them, on several machines, share the work.
type Worker struct {
	f        *Fleet
	o        WorkerOptions
	instance string // of its own, also where another worker has its name
	root     map[string]*os.Root
	know     *known
	limit    map[string]*Target

	// begin ends when nothing new is to be begun, work when what is under way is to end.
	begin    context.Context
	stop     context.CancelCauseFunc
	work     context.Context
	cut      context.CancelCauseFunc
	finished sync.WaitGroup

	mu      sync.Mutex // guards what follows
	slots   map[string]int
	held    int
	asked   map[string]bool // of whose slots another worker wants one
	running map[string]context.CancelCauseFunc
	nudges  map[string]chan struct{} // closed when a target may have work
	handles map[string]jetstream.Consumer
	loans   map[string][]*loan // jobs that wait for a connection of a target, too
	stats   Stats
}

// Stats are a worker's counters since it began.
type Stats struct {
	// Done, Dead, Cancelled and Again count jobs by how a try of them ended.
	Done, Dead, Cancelled, Again int64
	// Duplicates counts messages that were dropped because their job is elsewhere or has ended.
	Duplicates int64
	// Redelivered counts jobs that were taken over from another worker, or from itself.
	Redelivered int64
	// Lost counts jobs and connections given up because the engine was silent.
	Lost int64
	// Logins and Refused count attempts to log in, and those that the server refused.
	Logins, Refused int64
	// Moved and Needed count bytes: those that were moved, and the sizes of files done.
	Moved, Needed int64
	// Held is how many connections it holds now, Running how many jobs it does.
	Held, Running int
}

// setUpWithin is how long the engine may take for what a worker needs of it, and a second for
// each target.
const setUpWithin = 20 * time.Second

// NewWorker prepares a worker: it opens the roots and checks the options. It connects to
// nothing until [Worker.Run].
func NewWorker(f *Fleet, opts WorkerOptions) (*Worker, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	if o.Name == "" {
		host, _ := os.Hostname()
		o.Name = fmt.Sprintf("%s-%d-%s", transport.Printable(host), os.Getpid(), rand.Text()[:4])
	}
	w := &Worker{f: f, o: o, instance: rand.Text(), limit: map[string]*Target{}, slots: map[string]int{}, asked: map[string]bool{},
		running: map[string]context.CancelCauseFunc{}, nudges: map[string]chan struct{}{}, handles: map[string]jetstream.Consumer{}, loans: map[string][]*loan{}}
	for i := range o.Targets {
		w.limit[o.Targets[i].Name] = &o.Targets[i]
	}
	w.root, err = openRoots(o.Roots)
	return w, err
}

// Name returns the worker's name.
func (w *Worker) Name() string { return w.o.Name }

// Stats returns counters.
func (w *Worker) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stats
	s.Held, s.Running = w.held, len(w.running)
	return s
}

var (
	errDrained = errors.New("the worker was told to end when it has done what it has begun")
	errStopped = errors.New("the worker was told to end")
)

// Run does jobs until ctx ends or the worker is drained, which is nil. It is called once. A
// job never ends it; an engine that is away does not either.
func (w *Worker) Run(ctx context.Context) error {
	defer closeRoots(w.root)
	w.work, w.cut = context.WithCancelCause(context.WithoutCancel(ctx))
	defer w.cut(errStopped)
	w.begin, w.stop = context.WithCancelCause(ctx)
	defer w.stop(errStopped)
	for {
		err := w.setUp(ctx)
		if err == nil {
			break
		}
		if !isAway(err) {
			return explain(err)
		}
		w.event(Event{What: "error", Err: err})
		if w.pause(w.f.time.sweep); w.begin.Err() != nil {
			return context.Cause(ctx)
		}
	}
	subs, err := w.listen()
	defer func() {
		for _, s := range subs {
			_ = s.Unsubscribe()
		}
	}()
	if err != nil {
		return err
	}
	w.event(Event{What: "ready"})
	w.finished.Go(w.expire)
	w.sweeps()
	if drained := errors.Is(context.Cause(w.begin), errDrained); !drained {
		timer := time.AfterFunc(w.o.Grace, func() { w.cut(errStopped) })
		defer timer.Stop()
	}
	w.finished.Wait()
	_ = w.f.nc.FlushTimeout(time.Second) // what was given back is to be heard
	if errors.Is(context.Cause(w.begin), errDrained) {
		return nil
	}
	return context.Cause(ctx)
}

// isAway reports whether an error is of an engine that does not answer now: it restarts, or a
// cluster has no leader at the moment.
func isAway(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrDisconnected) ||
		errors.Is(err, jetstream.ErrNoStreamResponse) || errors.As(err, &api) && api.Code == http.StatusServiceUnavailable
}

func (w *Worker) setUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, setUpWithin+time.Duration(len(w.o.Targets))*time.Second)
	defer cancel()
	for _, r := range w.o.Roots {
		if _, err := w.f.state.Put(ctx, rootKey(r.Name), []byte("{}")); err != nil {
			return err
		}
	}
	for _, t := range w.o.Targets {
		if err := w.f.register(ctx, t.Name, t.Connections); err != nil {
			return err
		}
	}
	if _, err := w.f.control.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{Durable: "expired", FilterSubject: expiredSubject,
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: w.f.time.ackWait, MaxDeliver: -1}); err != nil {
		return err
	}
	var err error
	w.know, err = w.f.learn(w.work)
	return err
}

// listen subscribes to what other programs tell. None of it is needed for a job to be done:
// what is missed is found by a sweep.
func (w *Worker) listen() ([]*nats.Subscription, error) {
	var subs []*nats.Subscription
	add := func(s *nats.Subscription, err error) error {
		if err == nil {
			subs = append(subs, s)
		}
		return err
	}
	last := func(m *nats.Msg) string { return m.Subject[strings.LastIndexByte(m.Subject, '.')+1:] }
	err := errors.Join(
		// One worker is woken for each job, not all.
		add(w.f.nc.QueueSubscribe(wakePrefix+">", "workers", func(m *nats.Msg) { w.nudge(last(m)) })),
		add(w.f.nc.Subscribe(wantPrefix+"*", func(m *nats.Msg) { w.wanted(last(m), string(m.Data)) })),
		add(w.f.nc.Subscribe(cancelPrefix+"*", func(m *nats.Msg) { w.cancel(last(m)) })),
		add(w.f.nc.Subscribe(drainSubject, func(m *nats.Msg) {
			if name := string(m.Data); name == "" || name == w.o.Name {
				w.Drain()
			}
		})),
	)
	return subs, err
}

// Drain makes Run return when what is under way has been done. It takes nothing new, and may
// be called again.
func (w *Worker) Drain() {
	if w.stop != nil {
		w.stop(errDrained)
	}
}

func (w *Worker) cancel(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if end := w.running[id]; end != nil {
		end(errCancelled)
	}
}

func (w *Worker) count(add func(*Stats)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	add(&w.stats)
}

func (w *Worker) event(e Event) {
	if w.o.OnEvent != nil {
		w.o.OnEvent(e)
	}
}
