package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// gate is a partner that a test has in its hand: it counts connections, and puts wait for it.
type gate struct {
	stays
	mu     sync.Mutex
	open   int
	most   int
	logins int
	order  []string
	refuse error                               // of a login
	put    func(context.Context, string) error // before the real one
}

func (g *gate) target(name string, connections int) Target {
	return Target{Name: name, Connections: connections, Open: func(context.Context, func(*ftpx.Options)) (ftpx.Client, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.logins++
		if g.refuse != nil {
			return nil, g.refuse
		}
		g.open++
		g.most = max(g.most, g.open)
		return &gated{gate: g}, nil
	}}
}

type gated struct{ *gate }

func (c *gated) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
	return nil
}

func (c *gated) Put(ctx context.Context, name string, r io.Reader, o *ftpx.PutOptions) (ftpx.Result, error) {
	c.mu.Lock()
	c.order = append(c.order, name)
	put := c.put
	c.mu.Unlock()
	if put != nil {
		if err := put(ctx, name); err != nil {
			return ftpx.Result{}, err
		}
	}
	return c.stays.Put(ctx, name, r, o)
}

// TestLimit: however many workers there are, and in whatever classes the jobs are, a partner
// sees no more connections than it allows.
func TestLimit(t *testing.T) {
	r := newRig(t)
	g := &gate{stays: stays{r.mem}}
	g.put = func(ctx context.Context, _ string) error {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
		return ctx.Err()
	}
	for range 4 {
		r.work(WorkerOptions{Targets: []Target{g.target("acme", 3)}})
	}
	r.file("a", "a")
	var ids []string
	for i := range 60 {
		ids = append(ids, r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: fmt.Sprint(i), Class: classes()[i%3]}))
	}
	for _, id := range ids {
		r.wait(id, Done)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.most != 3 {
		t.Errorf("%d connections at once, want 3", g.most)
	}
	t.Logf("%d logins", g.logins)
}

func TestClasses(t *testing.T) {
	r := newRig(t)
	g := &gate{stays: stays{r.mem}}
	_, stop := r.work(WorkerOptions{Targets: []Target{g.target("acme", 1)}})
	stop() // it has registered the target
	r.file("a", "a")
	var ids []string
	for i := range 12 {
		ids = append(ids, r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: fmt.Sprint("bulk", i), Class: Bulk}))
	}
	for i := range 12 {
		ids = append(ids, r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: fmt.Sprint("urgent", i), Class: Urgent}))
	}
	r.work(WorkerOptions{Targets: []Target{g.target("acme", 1)}})
	for _, id := range ids {
		r.wait(id, Done)
	}
	for i, name := range g.order {
		if want := map[bool]string{true: "bulk", false: "urgent"}[i >= 13 || i == 7]; !strings.HasPrefix(name, want) {
			t.Errorf("job %d is %s: of eight the last is for the lowest class, and before all others go urgent ones: %v", i, name, g.order)
		}
	}
}

func TestTemporaryFailure(t *testing.T) {
	r := newRig(t)
	g := &gate{stays: stays{r.mem}}
	var failed atomic.Int32
	g.put = func(_ context.Context, name string) error {
		if name == "flaky" && failed.Add(1) <= 2 {
			return &transport.Error{Op: "stor", Kind: transport.KindTemporary, Err: errors.New("450 not now")}
		}
		return nil
	}
	r.work(WorkerOptions{Targets: []Target{g.target("acme", 1)}})
	r.file("a", "a")
	id := r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: "flaky"})
	rec := r.wait(id, Waiting)
	if !strings.Contains(rec.Reason, "450 not now") || rec.Until.IsZero() {
		t.Errorf("%+v", rec)
	}
	// It occupies nobody's window: the only connection is free for another.
	r.wait(r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: "other"}), Done)
	if rec = r.wait(id, Done); rec.Try != 2 || rec.Failures != 2 {
		t.Errorf("%+v", rec)
	}
}

func TestDeadAndReplayed(t *testing.T) {
	r := newRig(t)
	w, _ := r.work(WorkerOptions{})
	id := r.submit(Job{Op: Upload, Source: "out:late", Target: "acme", Dest: "late"})
	rec := r.wait(id, Dead)
	if !strings.Contains(rec.Reason, "no such file") {
		t.Errorf("reason %q", rec.Reason)
	}
	dead, err := r.f.Dead(t.Context(), "acme")
	if err != nil || len(dead) != 1 || dead[0].Job.ID != id {
		t.Fatalf("%+v, %v", dead, err)
	}
	r.file("late", "now it is there")
	if _, err := r.f.Replay(t.Context(), id, nil); err != nil {
		t.Fatal(err)
	}
	r.wait(id, Done)
	if dead, err := r.f.Dead(t.Context(), ""); err != nil || len(dead) != 0 {
		t.Errorf("%+v, %v", dead, err)
	}
	if _, err := r.f.Replay(t.Context(), id, nil); err == nil {
		t.Error("a job that is done was replayed")
	}
	r.until("both ends are counted", func() bool { s := w.Stats(); return s.Done == 1 && s.Dead == 1 })
}

func TestUnknownIsNotSentAgain(t *testing.T) {
	r := newRig(t)
	g := &gate{stays: stays{r.mem}}
	var puts atomic.Int32
	g.put = func(context.Context, string) error {
		if puts.Add(1) == 1 {
			return &ftpx.Error{Op: "put", Outcome: ftpx.Unknown, Acknowledged: true, Err: ftpx.ErrTaken}
		}
		return nil
	}
	r.work(WorkerOptions{Targets: []Target{g.target("acme", 1)}})
	r.file("a", "a")
	id := r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: "a"})
	if rec := r.wait(id, Dead); !rec.Unknown {
		t.Errorf("%+v", rec)
	}
	if _, err := r.f.Replay(t.Context(), id, nil); err == nil {
		t.Error("it was replayed without a word about that it may be delivered twice")
	}
	if n := puts.Load(); n != 1 {
		t.Errorf("sent %d times", n)
	}
	if _, err := r.f.Replay(t.Context(), id, &ReplayOptions{Unknown: true}); err != nil {
		t.Fatal(err)
	}
	r.wait(id, Done)
}

// TestRefusedLogin: one login, however many workers and jobs there are, and a paused target.
func TestRefusedLogin(t *testing.T) {
	r := newRig(t)
	g := &gate{stays: stays{r.mem}, refuse: &transport.Error{Op: "login", Kind: transport.KindAuth, Err: errors.New("530 no")}}
	for range 3 {
		r.work(WorkerOptions{Targets: []Target{g.target("acme", 3)}})
	}
	r.file("a", "a")
	var ids []string
	for i := range 20 {
		ids = append(ids, r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: fmt.Sprint(i)}))
	}
	var s *Status
	r.until("the target is paused", func() bool {
		var err error
		if s, err = r.f.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s.Targets["acme"].Pause != nil
	})
	if why := s.Targets["acme"].Pause.Reason; !strings.Contains(why, "530 no") {
		t.Errorf("reason %q", why)
	}
	time.Sleep(5 * quick().sweep) // in which nothing is to happen
	g.mu.Lock()
	if g.logins != 1 {
		t.Errorf("%d logins, want 1", g.logins)
	}
	g.refuse = nil
	g.mu.Unlock()
	if err := r.f.Resume(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		r.wait(id, Done)
	}
}

func TestCancel(t *testing.T) {
	r := newRig(t)
	g := &gate{stays: stays{r.mem}}
	begun := make(chan struct{}, 8)
	g.put = func(ctx context.Context, _ string) error {
		begun <- struct{}{}
		<-ctx.Done()
		return context.Cause(ctx)
	}
	r.work(WorkerOptions{Targets: []Target{g.target("acme", 1)}})
	r.file("a", "a")
	running := r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: "a"})
	<-begun
	queued := r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: "b"})
	later := r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: "c", NotBefore: time.Now().Add(time.Hour)})
	for _, id := range []string{queued, later, running} {
		if _, err := r.f.Cancel(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		r.wait(id, Cancelled)
	}
	_, st := r.f.jobsOf("acme")
	r.until("the stream is empty", func() bool {
		info, err := st.Info(t.Context())
		return err == nil && info.State.Msgs == 0
	})
	if _, err := r.f.Cancel(t.Context(), running); err != nil {
		t.Error("a second time:", err)
	}
}

func TestTimes(t *testing.T) {
	r := newRig(t)
	r.work(WorkerOptions{})
	r.file("a", "a")
	begin := time.Now()
	later := r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: "later", NotBefore: begin.Add(1500 * time.Millisecond)})
	after := r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: "after", After: []string{later}})
	if rec := r.wait(later, Done); rec.Began.Before(begin.Add(1500 * time.Millisecond)) {
		t.Errorf("begun at %v", rec.Began.Sub(begin))
	}
	if rec := r.wait(after, Done); rec.Try == 0 {
		t.Error("it did not wait")
	}
	dead := r.submit(Job{Op: Upload, Source: "out:none", Target: "acme", Dest: "x"})
	r.wait(dead, Dead)
	if rec := r.wait(r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: "y", After: []string{dead}}), Dead); !strings.Contains(rec.Reason, "is dead") {
		t.Error(rec.Reason)
	}
	if err := r.f.Pause(t.Context(), "acme", Pause{Reason: "a test", By: "me"}); err != nil {
		t.Fatal(err)
	}
	id := r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: "z", Deadline: time.Now().Add(time.Second)})
	if rec := r.wait(id, Dead); !strings.Contains(rec.Reason, "deadline") {
		t.Error(rec.Reason)
	}
	if dead, err := r.f.Dead(t.Context(), ""); err != nil || len(dead) != 3 {
		t.Errorf("%v, %v", dead, err)
	}
}

// TestForeignMessages: what was published by who does not keep to the rules ends no worker and
// harms no other job.
func TestForeignMessages(t *testing.T) {
	r := newRig(t)
	_, stop := r.work(WorkerOptions{})
	stop()
	r.file("a", "a")
	good := r.submit(Job{ID: "good", Op: Upload, Source: "out:a", Target: "acme", Dest: "a"})
	shard, _ := r.f.jobsOf("acme")
	for _, text := range []string{"no JSON", `{"id":"good","op":"upload","evil":true}`, `{"op":"upload","source":"out:a","target":"other","dest":"a"}`, strings.Repeat("x", 65<<10)} {
		if _, err := r.f.js.Publish(t.Context(), jobSubject(shard, Normal, "acme"), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	plain := `{"op":"upload","source":"out:a","target":"acme","dest":"by hand"}`
	j, err := Decode([]byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.f.js.Publish(t.Context(), jobSubject(shard, Normal, "acme"), []byte(plain)); err != nil {
		t.Fatal(err)
	}
	r.work(WorkerOptions{})
	r.wait(good, Done)
	r.until("the job that was published by hand is done", func() bool {
		rec, err := r.f.Record(t.Context(), j.ID)
		return err == nil && rec.State == Done
	})
	r.until("the others are dead", func() bool {
		dead, err := r.f.Dead(t.Context(), "acme")
		return err == nil && len(dead) == 4
	})
}

// TestStaysInRoot: no link leads out of a root, either way.
func TestStaysInRoot(t *testing.T) {
	r := newRig(t)
	r.work(WorkerOptions{})
	outside := t.TempDir()
	r.file("a", "a")
	for name, to := range map[string]string{"link": filepath.Join(outside, "secret"), "dir": outside} {
		if err := os.Symlink(to, filepath.Join(r.root, name)); err != nil {
			t.Skip("no links here:", err)
		}
	}
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.wait(r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: "a"}), Done)
	for _, j := range []Job{
		{Op: Upload, Source: "out:link", Target: "acme", Dest: "x"},
		{Op: Upload, Source: "out:dir/secret", Target: "acme", Dest: "x"},
		{Op: Mirror, Source: "out:dir", Target: "acme", Dest: "x"},
		{Op: Download, Source: "a", Target: "acme", Dest: "out:dir/a"},
		{Op: Download, Source: "a", Target: "acme", Dest: "out:link"},
		{Op: Mirror, Source: ".", Target: "acme", Dest: "out:dir"},
	} {
		if rec := r.wait(r.submit(j), Dead); rec.Reason == "" {
			t.Errorf("%+v", rec)
		}
	}
	if b, err := os.ReadFile(filepath.Join(outside, "secret")); err != nil || string(b) != "secret" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := os.Stat(filepath.Join(outside, "a")); err == nil {
		t.Error("a file was fetched to outside")
	}
}
