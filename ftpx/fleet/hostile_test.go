package fleet

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// TestForeignSubjects: what others publish among the fleet's own is neither shown nor in the way.
func TestForeignSubjects(t *testing.T) {
	r := newRig(t)
	r.work(WorkerOptions{})
	dead := r.submit(Job{Op: Upload, Source: "out:none", Target: "acme", Dest: "x"})
	r.wait(dead, Dead)
	shard, _ := r.f.jobsOf("acme")
	for _, subject := range []string{
		laterSubject(shard, "urgent", "<script>\x1b[2J", "x"), laterSubject(shard, "<b>", "acme", "x"),
		deadSubject("normal", "\x1b[31m", "x"), deadSubject("normal", "acme", "no-record"), deadSubject("normal", "acme", "bad-id"),
	} {
		if _, err := r.f.js.Publish(t.Context(), subject, []byte(`{"job":{"id":"a.b > c"}}`)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := r.f.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, at := range s.Targets {
		if name != "acme" || len(at.Classes) != 3 {
			t.Errorf("%q is shown: %+v", name, at)
		}
	}
	if all, err := r.f.Dead(t.Context(), ""); err != nil || len(all) != 1 || all[0].Job.ID != dead {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := r.f.Dead(t.Context(), "*.>"); err == nil {
		t.Error("a pattern is no target")
	}
}

// TestOneNameTwice: two workers that were given one name are two workers.
func TestOneNameTwice(t *testing.T) {
	r := newRig(t)
	g := &gate{stays: stays{r.mem}}
	first, _ := r.work(WorkerOptions{Name: "w", Targets: []Target{g.target("acme", 4)}})
	second, _ := r.work(WorkerOptions{Name: "w", Targets: []Target{g.target("acme", 4)}})
	if first.instance == second.instance {
		t.Fatal("nothing tells them apart")
	}
	first.mu.Lock()
	first.slots["acme"], first.held = 4, 4
	first.mu.Unlock()
	first.wanted("acme", second.instance+" 0")
	first.mu.Lock()
	asked := first.asked["acme"]
	first.slots["acme"], first.held = 0, 0
	first.mu.Unlock()
	if !asked {
		t.Error("the first does not hear the other ask for a connection")
	}
	// One has the job, and the other's record of it is not its own.
	rec := &Record{Job: Job{ID: "j", Op: Delete, Target: "acme", Dest: "x"}, State: Running, Worker: "w", Instance: first.instance, Seq: 7}
	if err := r.f.write(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	old := *rec
	old.revision--
	holds := &lease{timing: r.f.time, last: time.Now(), lost: make(chan struct{})}
	if (&try{w: second, r: &old, lease: holds}).save() {
		t.Error("a worker has written the record of another of its name")
	}
}

// entry is one of a bucket that another worker has written by its own clock.
type entry struct {
	jetstream.KeyValueEntry
	value string
	at    time.Time
}

func (e entry) Value() []byte      { return []byte(e.value) }
func (e entry) Created() time.Time { return e.at }
func (e entry) Revision() uint64   { return 1 }

// TestClocks: a worker whose clock is hours from the others' keeps nobody from a target.
func TestClocks(t *testing.T) {
	now := time.Now()
	until := now.Add(5 * time.Hour).UTC().Format(time.RFC3339)
	k := &known{changed: make(chan struct{}), values: map[string]told{
		downKey("new"): {entry{value: `{"until":"` + until + `"}`, at: now.Add(5 * time.Hour)}, now},
		downKey("old"): {entry{value: `{"until":"` + until + `"}`, at: now.Add(5 * time.Hour)}, now.Add(-mostDown)},
	}}
	if k.closed("new", now) == "" {
		t.Error("what was just said does not count")
	}
	if why := k.closed("old", now); why != "" {
		t.Errorf("it is closed for hours: %s", why)
	}
	if age := k.age(downKey("old")); age < mostDown {
		t.Errorf("an entry of the future is %v old", age)
	}
}

// TestDeadlineByTheEngine: the engine says when a deadline has passed, also to a worker whose
// clock is late, and a deadline that was replaced ends nothing.
func TestDeadlineByTheEngine(t *testing.T) {
	r := newRig(t)
	w, stop := r.work(WorkerOptions{})
	stop()
	deadline := time.Now().Add(10 * time.Minute)
	id := r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: "a", Deadline: deadline})
	for _, told := range []string{id + " " + stampOf(deadline.Add(time.Hour)), "a.b c", ""} {
		if err := w.expired(told); err != nil {
			t.Error(err)
		}
	}
	if rec, err := r.f.Record(t.Context(), id); err != nil || rec.State != Queued {
		t.Fatalf("%+v, %v", rec, err)
	}
	if err := w.expired(id + " " + stampOf(deadline)); err != nil {
		t.Error(err)
	}
	if rec, err := r.f.Record(t.Context(), id); err != nil || rec.State != Dead {
		t.Errorf("%+v, %v", rec, err)
	}
}

// TestDamagedJournal: what a crash or a full disk has left in a journal hides no other job.
func TestDamagedJournal(t *testing.T) {
	r := newRig(t)
	_, stop := r.work(WorkerOptions{})
	stop()
	name := filepath.Join(t.TempDir(), "journal")
	add := func(id string) {
		j, err := OpenJournal(name)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		if err := j.Add(&Job{ID: id, Op: Delete, Target: "acme", Dest: id}); err != nil {
			t.Fatal(err)
		}
		// Cut while it is open, as by a full disk.
		f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(`{"id":"cut`); err != nil {
			t.Fatal(err)
		}
		if err := j.Add(&Job{ID: id + "-2", Op: Delete, Target: "acme", Dest: id}); err != nil {
			t.Fatal(err)
		}
	}
	add("first")
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(strings.Repeat("\x00", 1<<20))
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	add("second")
	sum, err := r.f.Reconcile(t.Context(), name)
	if err != nil || sum.Jobs != 4 || sum.Lost != 4 || sum.Damaged != 3 {
		t.Errorf("%+v, %v", sum, err)
	}
}

// TestCircle: jobs that would wait for each other are refused, since none of them would end.
func TestCircle(t *testing.T) {
	r := newRig(t)
	_, stop := r.work(WorkerOptions{})
	stop()
	for _, j := range []Job{{ID: "a", After: []string{"b"}}, {ID: "b", After: []string{"x", "c"}}, {ID: "c", After: []string{"a"}}, {ID: "x", After: []string{"y", "z"}}} {
		j.Op, j.Target, j.Dest = Delete, "acme", j.ID
		_, err := r.f.Submit(t.Context(), j)
		if j.ID != "c" && err != nil || j.ID == "c" && (!errors.Is(err, ErrJob) || !strings.Contains(err.Error(), "after: job b waits for this one")) {
			t.Errorf("%s: %v", j.ID, err)
		}
	}
}
