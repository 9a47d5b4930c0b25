package cli

import (
	"context"
	"fmt"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Job is one file, or one thing that could not become one.
type Job struct {
	// Local and Remote are its two paths.
	Local, Remote string
	// Do transfers it; progress may be nil.
	Do func(ctx context.Context, progress func(ftpx.ProgressInfo)) (ftpx.Result, error)
	// Err stands in place of Do for what could not be read or must not be written.
	Err error
}

// Run takes jobs from produce as workers become free, so that no list of all
// files is ever held, and returns the exit code. One that fails does not stop the
// others. An error of produce itself counts as a failed file.
func Run(ctx context.Context, op string, f Flags, env Env, produce func(yield func(Job) bool) error) int {
	env = env.Shared()
	p := newPrinter(f, env)
	var b *bars
	if env.Terminal && !f.JSON && !f.Quiet {
		b = newBars(env)
	}
	jobs := make(chan Job)
	var workers sync.WaitGroup
	for range f.Parallel {
		workers.Go(func() {
			for j := range jobs {
				p.record(do(ctx, op, j, b))
			}
		})
	}
	err := produce(func(j Job) bool {
		if ctx.Err() != nil {
			return false // of two that are ready, select takes any
		}
		select {
		case jobs <- j:
			return true
		case <-ctx.Done():
			return false
		}
	})
	close(jobs)
	workers.Wait()
	if b != nil {
		b.close()
	}
	if err != nil && ctx.Err() == nil {
		p.record(NewRecord(op, "", "", ftpx.Result{}, err))
	}
	exit := ExitDone
	switch {
	case ctx.Err() != nil:
		exit = ExitInterrupted
	case !p.allDone():
		exit = ExitSome
	}
	p.summary(exit)
	return exit
}

func do(ctx context.Context, op string, j Job, bs *bars) Record {
	if j.Err != nil {
		return NewRecord(op, j.Local, j.Remote, ftpx.Result{}, j.Err)
	}
	var progress func(ftpx.ProgressInfo)
	if bs != nil {
		b := &bar{bars: bs}
		defer b.end()
		progress = b.progress
	}
	res, err := j.Do(ctx, progress)
	return NewRecord(op, j.Local, j.Remote, res, err)
}

// Note tells of what is no failure, such as what was passed over; with -quiet it
// does not.
func Note(f Flags, env Env, format string, args ...any) {
	if !f.Quiet {
		fmt.Fprintln(env.Stderr, transport.Printable(fmt.Sprintf(format, args...)))
	}
}

// Hooks tell of what happens on the way, with -v.
func Hooks(f Flags, env Env) *ftpx.Hooks {
	if !f.Verbose {
		return nil
	}
	env = env.Shared()
	say := func(format string, args ...any) {
		fmt.Fprintln(env.Stderr, transport.Printable(fmt.Sprintf(format, args...)))
	}
	return &ftpx.Hooks{
		Protocol: func(i ftpx.ProtocolInfo) {
			if i.Chosen {
				say("using %v", i.Protocol)
			} else {
				say("not using %v: %v", i.Protocol, i.Why)
			}
		},
		Retry: func(i ftpx.RetryInfo) {
			say("%s %s: attempt %d failed (%v), next in %v: %v", i.Op, i.Remote, i.Attempt, i.Class, i.Delay, i.Err)
		},
		Resume: func(i ftpx.ResumeInfo) {
			say("%s %s: going on at %d of %d, proven by %s", i.Op, i.Remote, i.Offset, i.Size, i.Proof)
		},
	}
}
