package fleet

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// mostTogether is how many messages are stored at once, leastTogether from how many on it
	// costs the engine less than to store each by itself.
	mostTogether  = 64
	leastTogether = 16
	// togetherWithin is how long the engine may take for them.
	togetherWithin = 5 * time.Second
)

// together stores messages in one stream. The engine syncs its disk for each write; those that
// come while others are being stored are stored next as one, with one sync, and each caller
// hears when its own is on the disk. It is the group commit of databases.
type together struct {
	f       *Fleet
	allowed bool // the stream takes several as one

	mu      sync.Mutex // guards what follows
	waiting []*stored
	busy    bool
}

// stored is a message that is being stored.
type stored struct {
	msg  *nats.Msg
	done chan struct{} // closed when what follows is set
	ack  *jetstream.PubAck
	err  error
}

// publish stores a message, which is this call's from now on.
func (g *together) publish(ctx context.Context, msg *nats.Msg) (*jetstream.PubAck, error) {
	s := &stored{msg: msg, done: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, s)
	if !g.busy {
		g.busy = true
		go g.work()
	}
	g.mu.Unlock()
	select {
	case <-s.done:
		return s.ack, s.err
	case <-ctx.Done():
		// What is not on its way yet is not stored later, when nobody expects it.
		g.mu.Lock()
		g.waiting = slices.DeleteFunc(g.waiting, func(w *stored) bool { return w == s })
		g.mu.Unlock()
		return nil, context.Cause(ctx)
	}
}

// work stores what waits until nothing does.
func (g *together) work() {
	for {
		g.mu.Lock()
		n := min(len(g.waiting), mostTogether)
		batch := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		if n == 0 {
			g.waiting, g.busy = nil, false
			g.mu.Unlock()
			return
		}
		g.mu.Unlock()
		if n < leastTogether || !g.allowed || g.commit(batch) != nil {
			// Also where one of them is refused: each then hears of its own. What has been
			// stored all the same is known by its Nats-Msg-Id, or by what it expects.
			g.single(batch)
		}
	}
}

func (g *together) single(batch []*stored) {
	ctx, cancel := context.WithTimeout(context.Background(), togetherWithin)
	defer cancel()
	var all sync.WaitGroup
	for _, s := range batch {
		all.Go(func() {
			s.ack, s.err = g.f.js.PublishMsg(ctx, s.msg)
			close(s.done)
		})
	}
	all.Wait()
}

// commit stores a batch as one, or not at all.
func (g *together) commit(batch []*stored) error {
	ctx, cancel := context.WithTimeout(context.Background(), togetherWithin)
	defer cancel()
	id := rand.Text()
	var reply *nats.Msg
	for i, s := range batch {
		m := &nats.Msg{Subject: s.msg.Subject, Data: s.msg.Data, Header: maps.Clone(s.msg.Header)}
		m.Header.Set("Nats-Batch-Id", id)
		m.Header.Set("Nats-Batch-Sequence", strconv.Itoa(i+1))
		var err error
		if i < len(batch)-1 {
			err = g.f.nc.PublishMsg(m)
		} else {
			m.Header.Set("Nats-Batch-Commit", "1")
			reply, err = g.f.nc.RequestMsgWithContext(ctx, m)
		}
		if err != nil {
			return err
		}
	}
	var answer struct {
		jetstream.PubAck
		Error *jetstream.APIError `json:"error"`
		Count int                 `json:"count"`
	}
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return err
	}
	if answer.Error != nil {
		return answer.Error
	}
	if answer.Count != len(batch) || answer.Sequence < uint64(len(batch)) {
		return fmt.Errorf("the engine has stored %d of %d", answer.Count, len(batch))
	}
	for i, s := range batch {
		s.ack = &jetstream.PubAck{Stream: answer.Stream, Sequence: answer.Sequence - uint64(len(batch)-1-i), Domain: answer.Domain}
		close(s.done)
	}
	return nil
}

// records is a bucket of records.
type records struct {
	jetstream.KeyValue
	together *together
}

// swap puts a record in place of the one of a revision, 0 for none, and returns its own. It
// fails with errTaken if there is another.
func (k *records) swap(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	m := &nats.Msg{Subject: "$KV." + k.Bucket() + "." + key, Data: value, Header: nats.Header{}}
	m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(revision, 10))
	ack, err := k.together.publish(ctx, m)
	switch {
	case err == nil:
		return ack.Sequence, nil
	case isWrongSequence(err) && revision == 0: // perhaps after one that was deleted
		revision, err = k.Create(ctx, key, value)
		if errors.Is(err, jetstream.ErrKeyExists) {
			err = errTaken
		}
		return revision, err
	case isWrongSequence(err):
		return 0, errTaken
	}
	return 0, err
}
