package faultsweep

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

// EmbeddedOptions configures [Embedded]. The zero value is the full sweep of
// single faults.
type EmbeddedOptions struct {
	// Dir is where files go; "" makes a folder and removes it afterwards.
	Dir string
	// Protocols and Transfers are swept; nil means all.
	Protocols []ftpx.Protocol
	Transfers []Transfer
	// Faults by name; nil means faultproxy.SweepFaults.
	Faults map[string]faultproxy.Fault
	// Size of the file; 0 means 300 KiB and a byte.
	Size int
	// Stride is how many operations apart the broken ones are; 0 means 1, every
	// operation. The first is chosen by Seed.
	Stride int64
	// Pairs, if positive, is how many pairs of faults are sampled for each
	// protocol and transfer, in place of the single ones.
	Pairs int
	// Seed chooses pairs, and where strides begin.
	Seed uint64
	// Workers is how many sets of servers work beside each other; 0 means 8.
	Workers int
}

func (o EmbeddedOptions) withDefaults() EmbeddedOptions {
	if o.Protocols == nil {
		o.Protocols = []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTPSImplicit, ftpx.FTP}
	}
	if o.Transfers == nil {
		o.Transfers = Transfers()
	}
	if o.Faults == nil {
		o.Faults = faultproxy.SweepFaults()
	}
	if o.Size == 0 {
		o.Size = 300<<10 + 1
	}
	o.Stride = max(o.Stride, 1)
	if o.Workers == 0 {
		o.Workers = 8
	}
	return o
}

// Embedded sweeps the client over the embedded servers. The error is about the
// sweep itself; what the client did wrong is in the report.
func Embedded(ctx context.Context, opts EmbeddedOptions) (_ *Report, err error) {
	opts = opts.withDefaults()
	if opts.Dir == "" {
		if opts.Dir, err = scratch(); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(opts.Dir)) }()
	}
	s := &embedded{opts: opts, report: newReport(), want: content(opts.Size, 1), old: content(opts.Size/3, 2)}
	if s.source, err = sourceFile(opts.Dir, s.want); err != nil {
		return nil, err
	}
	jobs := s.jobs()
	queue := make(chan func(context.Context, *rig) error)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for range min(opts.Workers, len(jobs)) {
		wg.Go(func() {
			if err := s.work(ctx, queue); err != nil {
				cancel(err)
			}
		})
	}
	for _, job := range jobs {
		select {
		case queue <- job:
		case <-ctx.Done():
		}
	}
	close(queue)
	wg.Wait()
	s.report.end()
	return s.report, context.Cause(ctx)
}

// embedded is one sweep.
type embedded struct {
	opts      EmbeddedOptions
	report    *Report
	want, old []byte
	source    string
}

// work does jobs on servers of its own.
func (s *embedded) work(ctx context.Context, queue <-chan func(context.Context, *rig) error) (err error) {
	r, err := newRig(s.opts.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	for job := range queue {
		if err := job(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// jobs are what can be done beside each other: all operations of one protocol,
// transfer and fault, or a share of the pairs. Those that wait for stalls are the
// long ones and come first.
func (s *embedded) jobs() []func(context.Context, *rig) error {
	rng := rand.New(rand.NewPCG(s.opts.Seed, 0))
	names := slices.SortedFunc(maps.Keys(s.opts.Faults), func(a, b string) int {
		if sa, sb := s.stalls(a), s.stalls(b); sa != sb {
			if sa {
				return -1
			}
			return 1
		}
		if a < b {
			return -1
		}
		return 1
	})
	var jobs []func(context.Context, *rig) error
	if s.opts.Pairs > 0 {
		const share = 10
		for n := 0; n < s.opts.Pairs; n += share {
			for _, p := range s.opts.Protocols {
				for _, t := range s.opts.Transfers {
					seed := rng.Uint64()
					jobs = append(jobs, func(ctx context.Context, r *rig) error {
						return s.pairs(ctx, r, p, t, names, rand.New(rand.NewPCG(seed, 1)), min(share, s.opts.Pairs-n))
					})
				}
			}
		}
		return jobs
	}
	for _, name := range names {
		for _, p := range s.opts.Protocols {
			for _, t := range s.opts.Transfers {
				first := rng.Int64N(s.opts.Stride)
				jobs = append(jobs, func(ctx context.Context, r *rig) error { return s.singles(ctx, r, p, t, name, first) })
			}
		}
	}
	return jobs
}

func (s *embedded) stalls(name string) bool {
	f := s.opts.Faults[name]
	return f.Kind == faultproxy.Stall || f.Then == faultproxy.Stall
}

// singles breaks one operation after the other until the transfer has no more.
// Every second one has an older file in its way.
func (s *embedded) singles(ctx context.Context, r *rig, p ftpx.Protocol, t Transfer, name string, first int64) error {
	for op := first; ctx.Err() == nil; op += s.opts.Stride {
		c := Case{Protocol: p, Transfer: t, Existing: (op/s.opts.Stride)%2 == 1, Faults: []Broken{{op, name}}}
		end, _, err := s.run(ctx, r, c)
		if err != nil {
			return fmt.Errorf("%v: %w", c, err)
		}
		s.report.add(end)
		if !end.Hit {
			return nil
		}
		if op > 10_000 {
			s.report.problem(c, "the transfer never runs unbroken")
			return nil
		}
	}
	return nil
}

// pairs breaks two operations, the second of which is mostly one of those that
// the first has brought about.
func (s *embedded) pairs(ctx context.Context, r *rig, p ftpx.Protocol, t Transfer, names []string, rng *rand.Rand, n int) error {
	_, ops, err := s.run(ctx, r, Case{Protocol: p, Transfer: t})
	if err != nil {
		return err
	}
	for range n {
		a, name := rng.Int64N(ops), names[rng.IntN(len(names))]
		b := a + 1 + rng.Int64N(ops)
		c := Case{Protocol: p, Transfer: t, Existing: rng.IntN(2) == 1, Faults: []Broken{{a, name}, {b, names[rng.IntN(len(names))]}}}
		if ctx.Err() != nil {
			return nil
		}
		end, _, err := s.run(ctx, r, c)
		if err != nil {
			return fmt.Errorf("%v: %w", c, err)
		}
		s.report.add(end)
	}
	return nil
}
