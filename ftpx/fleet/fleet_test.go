package fleet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestOperations(t *testing.T) {
	r := newRig(t)
	r.work(WorkerOptions{Targets: []Target{r.target("acme", 2), r.target("other", 1)}, Spool: t.TempDir()})
	r.file("a.csv", "content of a")
	r.file("tree/x", "x")
	r.file("tree/sub/y", "y")

	up := r.submit(Job{Op: Upload, Source: "out:a.csv", Target: "acme", Dest: "in/a.csv"})
	rec := r.wait(up, Done)
	if got := r.remote("in/a.csv"); got != "content of a" {
		t.Errorf("uploaded %q", got)
	}
	if rec.Result.Size != 12 || rec.Worker == "" || rec.Ended.IsZero() || rec.Began.IsZero() {
		t.Errorf("record %+v", rec)
	}
	r.wait(r.submit(Job{Op: Mirror, Source: "out:tree", Target: "acme", Dest: "mirrored"}), Done)
	if r.remote("mirrored/sub/y") != "y" {
		t.Error("the mirror lacks a file")
	}
	r.wait(r.submit(Job{Op: Download, Source: "in/a.csv", Target: "acme", Dest: "out:back/b.csv"}), Done)
	if b, err := os.ReadFile(filepath.Join(r.root, "back", "b.csv")); err != nil || string(b) != "content of a" {
		t.Errorf("downloaded %q, %v", b, err)
	}
	r.wait(r.submit(Job{Op: Mirror, Source: "mirrored", Target: "acme", Dest: "out:down"}), Done)
	if b, err := os.ReadFile(filepath.Join(r.root, "down", "sub", "y")); err != nil || string(b) != "y" {
		t.Errorf("mirrored down %q, %v", b, err)
	}
	r.wait(r.submit(Job{Op: Copy, Source: "other:in/a.csv", Target: "acme", Dest: "copied"}), Done)
	if got := r.remote("copied"); got != "content of a" {
		t.Errorf("copied %q", got)
	}
	r.wait(r.submit(Job{Op: Delete, Target: "acme", Dest: "copied"}), Done)
	if _, err := r.mem.Stat(t.Context(), "copied"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted: %v", err)
	}
	r.wait(r.submit(Job{ID: "twice", Op: Delete, Target: "acme", Dest: "copied"}), Done)
}

func TestGivenTwice(t *testing.T) {
	r := newRig(t)
	r.file("a", "a")
	w, stop := r.work(WorkerOptions{})
	job := Job{Op: Upload, Source: "out:a", Target: "acme", Dest: "a"}
	id := r.submit(job)
	r.wait(id, Done)
	again, err := r.f.Submit(t.Context(), job)
	if err != nil || !again.Duplicate || again.State != Done || again.ID != id {
		t.Errorf("again: %+v, %v", again, err)
	}
	if _, err := r.f.Submit(t.Context(), Job{ID: id, Op: Delete, Target: "acme", Dest: "a"}); !errors.Is(err, ErrJob) {
		t.Errorf("another job of the same id: %v", err)
	}
	// Beyond the engine's window and by who does not ask for the record: a message by itself.
	rec, err := r.f.Record(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	rec.Try, rec.State = 0, Queued
	shard, st := r.f.jobsOf("acme")
	m := r.f.newMsg(jobSubject(shard, Normal, "acme"), []byte(`{"id":"`+id+`","op":"upload","source":"out:a","target":"acme","dest":"a"}`))
	for range 3 {
		if _, err := r.f.js.PublishMsg(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	second, _ := r.work(WorkerOptions{})
	r.until("all three are found to be duplicates", func() bool { return second.Stats().Duplicates == 3 })
	// The engine takes a message out of the stream a moment after it was acknowledged.
	r.until("nothing is left in the stream", func() bool {
		info, err := st.Info(t.Context())
		return err == nil && info.State.Msgs == 0
	})
	if s := w.Stats(); s.Done != 1 || second.Stats().Done != 0 {
		t.Errorf("%+v and %+v", s, second.Stats())
	}
}

// TestCopyBothWays: where all connections of both partners are in use, a copy borrows one, and
// two that go in both directions do not wait for each other for ever.
func TestCopyBothWays(t *testing.T) {
	r := newRig(t)
	r.file("a", "content")
	g, k := &gate{stays: stays{r.mem}}, &gate{stays: stays{r.mem}}
	o := WorkerOptions{Targets: []Target{g.target("acme", 1), k.target("other", 1)}, Spool: t.TempDir()}
	r.work(o)
	r.wait(r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: "a"}), Done)
	var ids []string
	for i := range 6 {
		ids = append(ids,
			r.submit(Job{Op: Copy, Source: "acme:a", Target: "other", Dest: fmt.Sprint("to-other", i)}),
			r.submit(Job{Op: Copy, Source: "other:a", Target: "acme", Dest: fmt.Sprint("to-acme", i)}),
			r.submit(Job{Op: Upload, Source: "out:a", Target: "acme", Dest: fmt.Sprint("x", i)}),
			r.submit(Job{Op: Upload, Source: "out:a", Target: "other", Dest: fmt.Sprint("y", i)}))
	}
	for _, id := range ids {
		r.wait(id, Done)
	}
	if g.most > 1 || k.most > 1 {
		t.Errorf("%d and %d connections at once", g.most, k.most)
	}
}
