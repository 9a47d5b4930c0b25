package fleet

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		name string
		r    *Record
		try  int
		seq  uint64
		want verdict
	}{
		{"no record yet", nil, 0, 7, take},
		{"done", &Record{State: Done, Seq: 7}, 0, 7, drop},
		{"dead", &Record{State: Dead}, 0, 7, drop},
		{"cancelled", &Record{State: Cancelled}, 3, 7, drop},
		{"submitted", &Record{State: Queued, Seq: 7}, 0, 7, take},
		{"redelivered", &Record{State: Running, Seq: 7}, 0, 7, take},
		{"submitted twice", &Record{State: Queued, Seq: 7}, 0, 9, takeIfGone},
		{"given twice while it is done", &Record{State: Running, Seq: 7}, 0, 9, takeIfGone},
		{"its time has come", &Record{State: Waiting, Try: 2}, 2, 11, take},
		{"its worker died before it was scheduled", &Record{State: Waiting, Try: 2}, 1, 9, again},
		{"the same when it runs again already", &Record{State: Running, Try: 2, Seq: 11}, 1, 9, drop},
		{"an old message", &Record{State: Waiting, Try: 5}, 1, 9, drop},
		{"records from a backup", &Record{State: Waiting, Try: 1}, 3, 20, take},
	} {
		if got := judge(tt.r, tt.try, tt.seq); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestSilentWorker: a worker that the engine does not hear any more gives its connection up
// before another gets the right to it, and the other goes on with the job.
func TestSilentWorker(t *testing.T) {
	r := newRig(t)
	nc, f := r.open()
	g := &gate{stays: stays{r.mem}}
	begun := make(chan struct{}, 1)
	fenced := make(chan time.Time, 1)
	var first = true
	second := make(chan time.Time, 1)
	g.put = func(ctx context.Context, _ string) error {
		if !first {
			second <- time.Now()
			return nil
		}
		first = false
		begun <- struct{}{}
		<-ctx.Done()
		if !errors.Is(context.Cause(ctx), errLost) {
			t.Errorf("it ended with %v", context.Cause(ctx))
		}
		fenced <- time.Now()
		return ctx.Err()
	}
	o := WorkerOptions{Targets: []Target{g.target("acme", 1)}, Roots: []Root{{Name: "out", Path: r.root}}}
	w, err := NewWorker(f, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go w.Run(ctx)
	r.until("the worker is there", func() bool { ok, _ := r.f.knows(t.Context(), targetKey("acme")); return ok })
	r.file("a", "a")
	id := r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: "a"})
	<-begun
	other, _ := r.work(o)
	nc.Close()
	was, now := <-fenced, <-second
	if now.Before(was) {
		t.Errorf("the second had the right %v before the first had given it up", was.Sub(now))
	}
	rec := r.wait(id, Done)
	if rec.Worker != other.Name() || other.Stats().Redelivered == 0 {
		t.Errorf("%+v, %+v", rec, other.Stats())
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.most != 1 {
		t.Errorf("%d connections at once", g.most)
	}
}

// TestGoesOnElsewhere: another worker goes on in the middle of a file that it has, too.
func TestGoesOnElsewhere(t *testing.T) {
	r := newRig(t)
	mem := ftpxtest.NewClient(ftpxtest.WithRate(4 << 20))
	defer mem.Close()
	r.mem = mem
	content := bytes.Repeat([]byte("0123456789abcdef"), 512<<10)
	if err := os.WriteFile(filepath.Join(r.root, "big"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	halfway := make(chan struct{}, 1)
	target := r.target("acme", 1)
	_, stop := r.work(WorkerOptions{Targets: []Target{target}, Grace: time.Millisecond})
	id := r.submit(Job{Op: Upload, Source: "out:big", Target: "acme", Dest: "big"})
	go func() {
		for r.t.Context().Err() == nil {
			if mem.Stats().BytesSent > int64(len(content)/2) {
				halfway <- struct{}{}
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	<-halfway
	stop()
	if rec, err := r.f.Record(t.Context(), id); err != nil || rec.State != Queued {
		t.Fatalf("%+v, %v", rec, err)
	}
	r.work(WorkerOptions{Targets: []Target{target}})
	rec := r.wait(id, Done)
	if rec.Result.Kept == 0 {
		t.Errorf("it began anew: %+v", rec.Result)
	}
	if r.remote("big") != string(content) {
		t.Error("the file is another")
	}
}

// TestJoins: a worker that joins gets connections from one that has several.
func TestJoins(t *testing.T) {
	r := newRig(t)
	g := &gate{stays: stays{r.mem}}
	g.put = func(ctx context.Context, _ string) error {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
		return nil
	}
	first, _ := r.work(WorkerOptions{Targets: []Target{g.target("acme", 4)}})
	r.file("a", "a")
	submit := func(n int) {
		for i := range 100 {
			r.submit(Job{ID: string(rune('a'+n)) + "-" + string(rune('A'+i%26)) + string(rune('A'+i/26)), Op: Upload, Source: "out:a", Target: "acme", Dest: "a"})
		}
	}
	submit(0)
	r.until("the first worker has all connections", func() bool { return first.Stats().Held == 4 })
	second, _ := r.work(WorkerOptions{Targets: []Target{g.target("acme", 4)}})
	for n := 1; second.Stats().Done == 0 && n < 20; n++ {
		submit(n)
	}
	r.until("the second has done some", func() bool { return second.Stats().Done > 0 })
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.most > 4 {
		t.Errorf("%d connections at once", g.most)
	}
}
