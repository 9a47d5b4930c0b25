package conformance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// BatchOptions say what [RunBatches] runs on.
type BatchOptions struct {
	// Lists is how many random lists of requests are carried out.
	Lists int
	// Seed makes the lists; 0 takes a new one. A failure names it.
	Seed uint64
	// Disk holds the trees.
	Disk Disk
	// Forbidden is as in [Options].
	Forbidden string
	// Whole leaves out what ends a transfer before its end, for a server on which
	// that costs the session.
	Whole bool
}

// RunBatches tests that a batch means what its requests mean one after the other.
// Each random list of requests is carried out as one batch on one tree, and by
// batches of one request on another tree that is equal. The results must be the same,
// and the trees afterwards.
//
// In some lists the session ends on the way. There the results before the end must be
// the same, and what is said to have been without effect must have had none.
func RunBatches(t *testing.T, open func(t *testing.T) transport.Conn, opts BatchOptions) {
	t.Helper()
	runBatches(tester{t}, func(t T) transport.Conn {
		real := t.(tester).T
		real.Helper()
		return open(real)
	}, opts)
}

// mostFailures ends a run that fails again and again.
const mostFailures = 3

func runBatches(t T, open func(T) transport.Conn, opts BatchOptions) {
	t.Helper()
	if opts.Seed == 0 {
		opts.Seed = rand.Uint64()
	}
	r := &batchRun{T: t, open: open, opts: opts, counts: map[string]int{}}
	failures := 0
	for i := range opts.Lists {
		rnd := rand.New(rand.NewPCG(opts.Seed, uint64(i)))
		list := r.generate(rnd)
		bad := r.compare(list)
		if bad == "" {
			continue
		}
		list, bad = r.shrink(list, bad)
		t.Errorf("list %d of seed %d: %s\nThe list, without what it fails without:\n%s", i, opts.Seed, bad, list)
		if failures++; failures == mostFailures {
			t.Errorf("giving up after %d of %d lists", i+1, opts.Lists)
			return
		}
	}
	t.Logf("seed %d: %d lists, %d requests in batches: %d carried out, %d refused, %d skipped, %d unsent; %d conditions asked; %d sessions ended on the way",
		opts.Seed, opts.Lists, r.counts["requests"], r.counts["ok"], r.counts["refused"], r.counts["skipped"], r.counts["unsent"], r.counts["asked"], r.counts["ended"])
}

// batchRun is one run of [RunBatches].
type batchRun struct {
	T
	open   func(T) transport.Conn
	opts   BatchOptions
	counts map[string]int
	caps   *transport.Info

	whole, single transport.Conn // for batches, and for their requests one by one
	trees         int
}

// conn returns a connection that is usable.
func (r *batchRun) conn(c *transport.Conn) transport.Conn {
	if *c == nil || !(*c).Usable() {
		if *c != nil {
			_ = (*c).Close()
		}
		opened := r.open(r.T)
		r.Cleanup(func() { _ = opened.Close() })
		*c = opened
	}
	return *c
}

func (r *batchRun) info() transport.Info {
	if r.caps == nil {
		info := r.conn(&r.whole).Info()
		r.caps = &info
	}
	return *r.caps
}

// compare carries a list out in both ways and says how they differ, or "".
func (r *batchRun) compare(list list) string {
	r.trees++
	batch := r.trial(list, fmt.Sprintf("tree-of-batch-%d", r.trees), r.conn(&r.whole))
	turns := r.trial(list, fmt.Sprintf("tree-one-by-one-%d", r.trees), r.conn(&r.single))
	if batch == nil || turns == nil {
		return "the trees could not be made"
	}
	defer r.opts.Disk.Clear(batch.dir)
	defer r.opts.Disk.Clear(turns.dir)
	err := batch.conn.Do(r.Context(), &transport.Batch{Requests: batch.requests})
	terr := turns.oneByOne(r.Context())
	r.count(batch)
	if bad := batch.wrong(err); bad != "" {
		return bad
	}
	if bad := turns.wrong(terr); bad != "" {
		return "one by one: " + bad
	}
	upTo := len(list)
	if batch.over {
		upTo = batch.ending
	}
	for i := range upTo {
		if got, want := batch.outcome(i), turns.outcome(i); got != want {
			return fmt.Sprintf("request %d, %s:\n  in the batch: %s\n  one by one:   %s", i, list[i], got, want)
		}
	}
	if batch.over {
		return batch.ended(err)
	}
	if (err == nil) != (terr == nil) || batch.conn.Usable() != turns.conn.Usable() {
		return fmt.Sprintf("Do says %v and the session is usable: %v; one by one %v and %v", err, batch.conn.Usable(), terr, turns.conn.Usable())
	}
	if got, want := r.opts.Disk.Tree(batch.dir), r.opts.Disk.Tree(turns.dir); !slices.Equal(got, want) {
		return fmt.Sprintf("the trees differ afterwards:\n  of the batch: %s\n  one by one:   %s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
	return ""
}

// count adds up what became of a batch.
func (r *batchRun) count(b *trial) {
	if b.over {
		r.counts["ended"]++
	}
	r.counts["asked"] += b.asked
	for _, q := range b.requests {
		r.counts["requests"]++
		switch err := q.Common().Err; {
		case err == nil:
			r.counts["ok"]++
		case errors.Is(err, transport.ErrSkipped):
			r.counts["skipped"]++
		case errors.Is(err, transport.ErrUnsent):
			r.counts["unsent"]++
		default:
			r.counts["refused"]++
		}
	}
}

// shrink leaves out of a list that fails what it fails without.
func (r *batchRun) shrink(l list, bad string) (list, string) {
	for i := len(l) - 1; i >= 0; i-- {
		shorter := l.without(i)
		if len(shorter) == 0 {
			continue
		}
		if why := r.compare(shorter); why != "" {
			l, bad = shorter, why
		}
	}
	return l, bad
}

// oneByOne carries the requests out in batches of one, which is what a batch means. It
// asks the conditions itself, so that a driver that does not is found out.
func (t *trial) oneByOne(ctx context.Context) error {
	b := &transport.Batch{Requests: t.requests}
	return transport.InTurn(ctx, b, t.conn.Usable, func(ctx context.Context, q transport.Request) error {
		h := q.Common()
		h.If = nil
		err := t.conn.Do(ctx, transport.NewBatch(q))
		if h.Err == nil || h.Err == transport.ErrUnsent {
			return err
		}
		return h.Err
	})
}
