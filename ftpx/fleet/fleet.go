package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// DefaultRemember is how long the record of a job that has ended is kept.
	DefaultRemember = 30 * 24 * time.Hour
	// duplicates is how long the engine itself knows what was published.
	duplicates = 10 * time.Minute
	// minServer is the oldest server that has message schedules.
	minServer = "2.12.0"
)

// ErrServer: the server cannot be the engine of a fleet.
var ErrServer = errors.New("the NATS server cannot be used")

// Options are the options of [Open]; nil is the zero value.
type Options struct {
	// Replicas is how many servers of a cluster keep each job; 0 means what there is, or 3 in
	// a cluster and 1 elsewhere.
	Replicas int
	// Shards is how many streams the targets are spread over, for fleets of more than some
	// hundred targets; 0 means 1, or what there is. It cannot be changed later.
	Shards int
	// Remember is how long the record of a job is kept after its last change, which is how
	// long a job given twice is known to be the same; 0 means 30 days. It cannot be changed
	// later.
	Remember time.Duration
	// Inject puts a trace's context into the headers of a job that is submitted; nil for none.
	Inject func(ctx context.Context, set func(key, value string))

	timing timing // zero for the usual
}

// timing is how fast the fleet is. Tests have other values.
type timing struct {
	ackWait time.Duration // silence after which a worker is taken for dead
	extend  time.Duration // how often a worker speaks
	fence   time.Duration // silence after which a worker takes itself for dead
	noted   time.Duration // after which the engine has on disk what it has handed out
	settle  time.Duration // how long a connection that was closed may still count
	sweep   time.Duration // how often a worker looks for work that nobody has told it of
	linger  time.Duration // how long it keeps a connection without work
	first   time.Duration // the first pause before another try
	proven  time.Duration // how long a login that worked is believed to work again
}

func usual() timing {
	return timing{ackWait: 15 * time.Second, extend: 4 * time.Second, fence: 11 * time.Second, noted: 500 * time.Millisecond, settle: time.Second,
		sweep: 2 * time.Second, linger: 2 * time.Second, first: 5 * time.Second, proven: time.Minute}
}

// Fleet is an engine that is ready for jobs. Its methods are safe for concurrent use.
type Fleet struct {
	nc   *nats.Conn
	js   jetstream.JetStream
	o    Options
	time timing

	buckets int // of records

	jobs    []jetstream.Stream // by shard
	storing []*together        // of jobs, by shard
	control jetstream.Stream
	slots   jetstream.Stream
	dead    jetstream.Stream
	records []*records // by the hash of the id
	state   jetstream.KeyValue
	ledger  jetstream.KeyValue

	told sync.Map // keys of targets and roots that are known
}

// Open makes what a fleet needs of an engine, or finds it. The connection stays the
// caller's, who closes it when the Fleet is not used any more. It may be repeated.
func Open(ctx context.Context, nc *nats.Conn, opts *Options) (*Fleet, error) {
	if opts == nil {
		opts = &Options{}
	}
	o := *opts
	switch {
	case o.Replicas < 0 || o.Replicas > 5:
		return nil, fmt.Errorf("Options.Replicas is %d: use 1, 3 or 5, or 0 for what there is", o.Replicas)
	case o.Shards < 0 || o.Shards > 64:
		return nil, fmt.Errorf("Options.Shards is %d: use 1 to 64, or 0 for what there is", o.Shards)
	case o.Remember < 0 || o.Remember > 0 && o.Remember < duplicates:
		return nil, fmt.Errorf("Options.Remember is %v: use at least %v, or 0 for 30 days", o.Remember, duplicates)
	}
	if o.Remember == 0 {
		o.Remember = DefaultRemember
	}
	f := &Fleet{nc: nc, o: o, time: o.timing}
	if f.time == (timing{}) {
		f.time = usual()
	}
	if v := nc.ConnectedServerVersion(); older(v, minServer) {
		return nil, fmt.Errorf("%w: it has version %q, and message schedules came with %s: update it", ErrServer, v, minServer)
	}
	var err error
	if f.js, err = jetstream.New(nc); err != nil {
		return nil, err
	}
	if err := f.ensure(ctx); err != nil {
		return nil, explain(err)
	}
	return f, nil
}

// explain adds the remedy to errors of an engine that cannot be one.
func explain(err error) error {
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount), errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("%w: it has no JetStream: start it with -js, or allow it to the account: %w", ErrServer, err)
	}
	return fmt.Errorf("the engine: %w", err)
}

func (f *Fleet) ensure(ctx context.Context) (err error) {
	if f.state, err = f.bucket(ctx, stateBucket, 0); err != nil {
		return err
	}
	if err := f.agree(ctx); err != nil {
		return err
	}
	for n := range f.buckets {
		name := fmt.Sprintf("%s_%d", recordBucket, n)
		kv, err := f.bucket(ctx, name, f.o.Remember)
		if err != nil {
			return err
		}
		// A bucket is a stream that several records can be written to as one.
		st, err := f.stream(ctx, jetstream.StreamConfig{Name: "KV_" + name, AllowAtomicPublish: true})
		if err != nil {
			return err
		}
		f.records = append(f.records, &records{kv, f.together(st)})
	}
	if f.ledger, err = f.bucket(ctx, ledgerBucket, 0); err != nil {
		return err
	}
	for shard := range f.o.Shards {
		s := shardSuffix(shard)
		st, err := f.stream(ctx, jetstream.StreamConfig{Name: jobStream(shard), Description: "jobs that wait, and those that are being done",
			Subjects: []string{"ftpx.job" + s + ".*.*", "ftpx.later" + s + ".*.*.*"}, Retention: jetstream.WorkQueuePolicy,
			AllowMsgSchedules: true, AllowRollup: true, AllowAtomicPublish: true, Duplicates: duplicates, MaxMsgSize: MaxJob + 8<<10,
			RePublish: &jetstream.RePublish{Source: "ftpx.job" + s + ".>", Destination: wakePrefix + ">", HeadersOnly: true}})
		if err != nil {
			return err
		}
		f.jobs, f.storing = append(f.jobs, st), append(f.storing, f.together(st))
	}
	if f.control, err = f.stream(ctx, jetstream.StreamConfig{Name: controlStream, Description: "deadlines of jobs",
		Subjects: []string{"ftpx.deadline.*", expiredSubject}, Retention: jetstream.WorkQueuePolicy, AllowMsgSchedules: true, AllowRollup: true}); err != nil {
		return err
	}
	if f.slots, err = f.stream(ctx, jetstream.StreamConfig{Name: slotStream, Description: "one message for each connection that a target allows",
		Subjects: []string{"ftpx.slot.*.*"}, Retention: jetstream.WorkQueuePolicy, MaxMsgsPerSubject: 1,
		Discard: jetstream.DiscardNew, DiscardNewPerSubject: true}); err != nil {
		return err
	}
	f.dead, err = f.stream(ctx, jetstream.StreamConfig{Name: deadStream, Description: "jobs that will not be done unless they are replayed",
		Subjects: []string{"ftpx.dead.*.*.*"}, MaxMsgsPerSubject: 1, MaxAge: f.o.Remember, AllowDirect: true})
	return err
}

func (f *Fleet) together(st jetstream.Stream) *together {
	return &together{f: f, allowed: st.CachedInfo().Config.AllowAtomicPublish}
}

// stream finds or makes a stream. What is there stays as it is, but for its replicas, and that
// several messages can be stored as one.
func (f *Fleet) stream(ctx context.Context, cfg jetstream.StreamConfig) (jetstream.Stream, error) {
	cfg.Storage, cfg.Replicas = jetstream.FileStorage, f.replicas()
	st, err := f.js.Stream(ctx, cfg.Name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		st, err = f.js.CreateStream(ctx, cfg)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // somebody was faster
			st, err = f.js.Stream(ctx, cfg.Name)
		}
	case err == nil:
		is := st.CachedInfo().Config
		want := is
		want.AllowAtomicPublish = is.AllowAtomicPublish || cfg.AllowAtomicPublish
		if f.o.Replicas > 0 {
			want.Replicas = f.o.Replicas
		}
		if want.AllowAtomicPublish != is.AllowAtomicPublish || want.Replicas != is.Replicas {
			updated, uerr := f.js.UpdateStream(ctx, want)
			if uerr == nil {
				st = updated
			} else if want.Replicas != is.Replicas {
				err = uerr
			} // else this account may not change streams, and stores one by one
		}
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", cfg.Name, err)
	}
	return st, nil
}

// replicas is how many servers keep what is made anew.
func (f *Fleet) replicas() int {
	switch {
	case f.o.Replicas > 0:
		return f.o.Replicas
	case f.nc.ConnectedClusterName() != "":
		return 3
	}
	return 1
}

// bucket finds or makes a bucket, as stream does a stream.
func (f *Fleet) bucket(ctx context.Context, name string, ttl time.Duration) (jetstream.KeyValue, error) {
	kv, err := f.js.KeyValue(ctx, name)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = f.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: name, TTL: ttl, Replicas: f.replicas(), Storage: jetstream.FileStorage})
		if errors.Is(err, jetstream.ErrBucketExists) {
			kv, err = f.js.KeyValue(ctx, name)
		}
	}
	if err == nil && f.o.Replicas > 0 {
		// A bucket is a stream: what is done about the jobs' replicas is done about theirs.
		_, err = f.stream(ctx, jetstream.StreamConfig{Name: "KV_" + name})
	}
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", name, err)
	}
	return kv, nil
}

// recordsOf is the bucket of a job's record.
func (f *Fleet) recordsOf(id string) *records {
	return f.records[shardOf(id, len(f.records))]
}

// jobsOf is the stream of a target's jobs.
func (f *Fleet) jobsOf(target string) (shard int, st jetstream.Stream) {
	shard = shardOf(target, f.o.Shards)
	return shard, f.jobs[shard]
}

// older compares versions of the form 2.12.1, perhaps with more behind it.
func older(v, than string) bool {
	var a, b [3]int
	if n, _ := fmt.Sscanf(v, "%d.%d.%d", &a[0], &a[1], &a[2]); n < 3 {
		return true
	}
	if n, _ := fmt.Sscanf(than, "%d.%d.%d", &b[0], &b[1], &b[2]); n < 3 {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}
