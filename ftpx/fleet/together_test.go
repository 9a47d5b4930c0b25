package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// jobMsg is a message as Submit stores it.
func (r *rig) jobMsg(id, data string) *nats.Msg {
	shard, _ := r.f.jobsOf("acme")
	m := r.f.newMsg(jobSubject(shard, Normal, "acme"), []byte(data))
	m.Header.Set(nats.MsgIdHdr, id)
	return m
}

// TestStoredTogether: of many that wait, each hears the number under which its own message is
// stored, and one that is there already is not stored again.
func TestStoredTogether(t *testing.T) {
	r := newRig(t)
	_, st := r.f.jobsOf("acme")
	g := r.f.storing[0]
	if !g.allowed {
		t.Fatal("the stream does not take several as one")
	}
	const many = 300
	acks := make([]*jetstream.PubAck, 2*many)
	var all sync.WaitGroup
	for i := range acks {
		all.Go(func() {
			ack, err := g.publish(t.Context(), r.jobMsg(fmt.Sprint("m", i%many), fmt.Sprint("data", i%many)))
			if err != nil {
				t.Error(err)
			}
			acks[i] = ack
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	for i, ack := range acks {
		m, err := st.GetMsg(t.Context(), ack.Sequence)
		if err != nil || string(m.Data) != fmt.Sprint("data", i%many) {
			t.Fatalf("%d was stored as %d, which holds %+v: %v", i, ack.Sequence, m, err)
		}
		if other := acks[(i+many)%len(acks)]; other.Sequence != ack.Sequence || other.Duplicate == ack.Duplicate {
			t.Fatalf("%+v and %+v are one message", ack, other)
		}
	}
	if info, err := st.Info(t.Context()); err != nil || info.State.Msgs != many {
		t.Errorf("%+v, %v", info.State, err)
	}
}

// TestCommitIsOneOrNone: what is stored as one is there whole or not at all, and who is refused
// in a batch refuses nobody else.
func TestCommitIsOneOrNone(t *testing.T) {
	r := newRig(t)
	_, st := r.f.jobsOf("acme")
	g := r.f.storing[0]
	batch := func(ids ...string) (all []*stored) {
		for _, id := range ids {
			all = append(all, &stored{msg: r.jobMsg(id, id), done: make(chan struct{})})
		}
		return all
	}
	first := batch("a", "b", "c", "d")
	if err := g.commit(first); err != nil {
		t.Fatal(err)
	}
	for i, s := range first {
		if <-s.done; s.err != nil || s.ack.Sequence != uint64(i+1) {
			t.Errorf("%d: %+v, %v", i, s.ack, s.err)
		}
	}
	if err := g.commit(batch("e", "b", "f", "g")); err == nil {
		t.Error("a batch with a message that is there was stored")
	}
	if info, err := st.Info(t.Context()); err != nil || info.State.Msgs != 4 {
		t.Errorf("a part of a batch is there: %+v, %v", info.State, err)
	}
	kv := r.f.records[0]
	if _, err := kv.swap(t.Context(), "taken", []byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	errs := make([]error, 100)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			key := fmt.Sprint("k", i)
			if i%10 == 0 {
				key = "taken"
			}
			_, errs[i] = kv.swap(t.Context(), key, []byte("y"), 0)
		})
	}
	all.Wait()
	for i, err := range errs {
		if errors.Is(err, errTaken) != (i%10 == 0) || i%10 != 0 && err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// TestStoredWhileNobodyWaits: who gives up keeps nobody else from storing, and where there is no
// engine nobody waits for ever.
func TestStoredWhileNobodyWaits(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = r.f.storing[0].publish(ctx, r.jobMsg("given-up", "x"))
	if _, err := r.f.storing[0].publish(t.Context(), r.jobMsg("after", "y")); err != nil {
		t.Fatal(err)
	}
	r.server.Close()
	if _, err := r.f.storing[0].publish(t.Context(), r.jobMsg("away", "z")); err == nil {
		t.Error("it was stored by nobody")
	}
}

// TestOldStore: a store that was laid out before keeps its buckets, and takes several messages as
// one from now on; one of a newer version is refused.
func TestOldStore(t *testing.T) {
	r := newRig(t)
	relayout := func(text string) {
		t.Helper()
		if _, err := r.f.state.Put(t.Context(), layoutKey, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	cfg := r.f.jobs[0].CachedInfo().Config
	cfg.AllowAtomicPublish = false
	if _, err := r.f.js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	relayout(`{"version":1,"shards":1}`)
	_, f := r.open()
	if len(f.records) != oldRecordBuckets || !f.storing[0].allowed || !f.records[7].together.allowed {
		t.Errorf("%d buckets; several as one: %t", len(f.records), f.storing[0].allowed)
	}
	if r.f.records[0].Bucket() != f.records[0].Bucket() {
		t.Error("the first bucket is another")
	}
	for _, text := range []string{`{"version":3,"shards":1}`, `{"version":2,"shards":1,"records":9}`} {
		relayout(text)
		if _, err := Open(t.Context(), r.f.nc, nil); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}
