package fleet

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/fleet/fleetserver"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

// quick is usual, some ten times as fast.
func quick() timing {
	return timing{ackWait: 2 * time.Second, extend: 400 * time.Millisecond, fence: 1500 * time.Millisecond, noted: 20 * time.Millisecond, settle: 100 * time.Millisecond,
		sweep: 200 * time.Millisecond, linger: 100 * time.Millisecond, first: 300 * time.Millisecond, proven: time.Minute}
}

// rig is an engine and a partner in memory.
type rig struct {
	t      *testing.T
	store  string
	server *fleetserver.Server
	f      *Fleet
	mem    *ftpxtest.Client
	root   string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, store: t.TempDir(), mem: ftpxtest.NewClient(), root: t.TempDir()}
	s, err := fleetserver.Start(fleetserver.Options{Store: r.store})
	if err != nil {
		t.Fatal(err)
	}
	r.server = s
	t.Cleanup(s.Close)
	t.Cleanup(func() { r.mem.Close() })
	_, r.f = r.open()
	return r
}

func (r *rig) open() (*nats.Conn, *Fleet) {
	r.t.Helper()
	nc, err := r.server.Connect()
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(nc.Close)
	f, err := Open(r.t.Context(), nc, &Options{timing: quick()})
	if err != nil {
		r.t.Fatal(err)
	}
	return nc, f
}

// stays is a client that outlives its workers, as a server does.
type stays struct{ ftpx.Client }

func (stays) Close() error { return nil }

// target is the partner in memory under a name.
func (r *rig) target(name string, connections int) Target {
	return Target{Name: name, Connections: connections, Open: func(context.Context, func(*ftpx.Options)) (ftpx.Client, error) {
		return stays{r.mem}, nil
	}}
}

// work runs a worker until the test ends, or stop is called.
func (r *rig) work(o WorkerOptions) (w *Worker, stop func()) {
	r.t.Helper()
	_, f := r.open()
	if o.Roots == nil {
		o.Roots = []Root{{Name: "out", Path: r.root}}
	}
	if o.Targets == nil {
		o.Targets = []Target{r.target("acme", 3)}
	}
	w, err := NewWorker(f, o)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.Run(ctx)
	}()
	stop = func() { cancel(); <-done }
	r.t.Cleanup(stop)
	for _, t := range o.Targets {
		for {
			if ok, err := f.knows(r.t.Context(), targetKey(t.Name)); ok {
				break
			} else if err != nil {
				r.t.Fatal(err)
			}
			select {
			case <-done:
				r.t.Fatal("the worker has ended")
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
	return w, stop
}

func (r *rig) file(name, content string) {
	r.t.Helper()
	full := filepath.Join(r.root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) submit(j Job) string {
	r.t.Helper()
	rec, err := r.f.Submit(r.t.Context(), j)
	if err != nil {
		r.t.Fatal(err)
	}
	return rec.ID
}

// wait returns the record when it has a state.
func (r *rig) wait(id string, want State) *Record {
	r.t.Helper()
	return r.waitFor(id, func(rec *Record) bool { return rec.State == want })
}

func (r *rig) waitFor(id string, ok func(*Record) bool) *Record {
	r.t.Helper()
	var rec *Record
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		var err error
		if rec, err = r.f.Record(r.t.Context(), id); err == nil && ok(rec) {
			return rec
		}
	}
	r.t.Fatalf("job %s is %+v", id, rec)
	return nil
}

// until waits for something that takes a moment.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatal("it never came about that " + what)
		}
	}
}

func (r *rig) remote(name string) string {
	r.t.Helper()
	var b strings.Builder
	if _, err := r.mem.Get(r.t.Context(), name, &b, nil); err != nil {
		r.t.Fatal(err)
	}
	return b.String()
}
