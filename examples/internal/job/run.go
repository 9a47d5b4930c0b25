package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx/jobreport"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Run runs jobs one after the other and returns the exit code. One that fails does not
// stop the others.
func Run(ctx context.Context, f *Flags, env cli.Env, jobs []*Job) int {
	stop, err := f.serve(ctx, &env)
	if err != nil {
		return cli.Fail(f.Program, env, err)
	}
	defer stop()
	var codes []int
	for i, j := range jobs {
		if ctx.Err() != nil && i > 0 {
			codes = append(codes, cli.ExitInterrupted)
			break
		}
		codes = append(codes, j.Run(ctx, f, env))
	}
	return cli.Together(codes)
}

// run is one run of a job. What no comment says otherwise of belongs to the goroutine
// that called it.
type run struct {
	*Job
	out      *output
	f        *Flags
	env      cli.Env
	begin    time.Time
	report   *report
	ledger   *ledger.Ledger // nil for none
	progress *cli.Display   // nil without a terminal
	results  []jobreport.Summary
}

// Run runs the job once and returns its exit code.
func (j *Job) Run(ctx context.Context, f *Flags, env cli.Env) int {
	env = env.Shared()
	r := &run{Job: j, f: f, env: env, begin: time.Now(), out: newOutput(f, env)}
	sum := newSummary(opSummary, j.Name, "", f.DryRun)
	closing, err := r.open(&sum)
	if err == nil {
		r.targets(ctx)
	}
	r.progress.Close()
	var codes []int
	for i := range r.results {
		sum.add(&r.results[i])
		codes = append(codes, r.results[i].Exit)
		if sum.Error == "" {
			sum.Error, sum.Kind = r.results[i].Error, r.results[i].Kind
		}
	}
	if err != nil {
		codes = append(codes, r.fail(&sum, err, exitOf(err)))
	}
	err = closing()
	sum.DurationMS = time.Since(r.begin).Milliseconds()
	sum.Exit = cli.Together(codes)
	if err != nil {
		sum.Exit = cli.Together(append(codes, r.fail(&sum, err, cli.ExitSome)))
	}
	if r.report != nil {
		if err := r.report.finish(jobreport.Tail{Results: r.results, Summary: sum.Summary, Ended: time.Now().UTC()}); err != nil {
			sum.Exit = cli.Together(append(codes, r.fail(&sum, err, cli.ExitSome)))
		}
	}
	r.out.total(&sum)
	return sum.Exit
}

// fail tells of what concerns the whole run, and returns code.
func (r *run) fail(sum *summary, err error, code int) int {
	if sum.Error == "" {
		sum.blame(r.env, err)
	}
	r.out.failed(r.Name, err)
	return code
}

// open takes the lock and opens what the run needs; closing gives it back, and may be
// called in any case. A dry run takes no lock and leaves no report, for it changes
// nothing.
func (r *run) open(sum *summary) (closing func() error, err error) {
	var undo []func() error
	closing = func() error {
		var errs []error
		for _, f := range slices.Backward(undo) {
			errs = append(errs, f())
		}
		return errors.Join(errs...)
	}
	if !r.f.DryRun && r.Lock != "" {
		l, err := takeLock(r.Lock)
		switch {
		case errors.Is(err, errNoLocks):
			cli.Note(r.f.Flags, r.env, "%s: %v (%s): nothing keeps another run of this job away", r.out.named(r.Name), err, r.Lock)
		case err != nil:
			return closing, err
		default:
			undo = append(undo, func() error { l.release(); return nil })
		}
	}
	if r.Ledger != "" {
		path, cleanup, err := r.ledgerFile()
		if err == nil {
			undo = append(undo, cleanup)
			r.ledger, err = ledger.Open(path, nil)
		}
		if err != nil {
			return closing, fmt.Errorf("the ledger %s: %w", transport.Printable(r.Ledger), err)
		}
		undo = append(undo, r.ledger.Close)
	}
	name := r.Report
	if r.f.DryRun {
		name = ""
	}
	host, _ := os.Hostname()
	head := jobreport.Head{Version: jobreport.Version, Job: r.Name, Source: r.source(), Started: r.begin.UTC(), Host: host, PID: os.Getpid()}
	for _, t := range r.Targets {
		head.Targets = append(head.Targets, t.Name)
	}
	if r.report, err = openReport(name, head); err != nil {
		r.report = nil
		return closing, err
	}
	if r.out.lively {
		r.progress = cli.NewDisplay(&r.f.Flags, r.env)
	}
	return closing, nil
}

// ledgerFile is where the ledger is. A dry run does not create one: what it would have
// to ask an empty one it asks another, which is taken away again.
func (r *run) ledgerFile() (path string, cleanup func() error, err error) {
	nothing := func() error { return nil }
	if r.f.DryRun {
		if _, err := os.Stat(r.Ledger); errors.Is(err, os.ErrNotExist) {
			dir, err := os.MkdirTemp("", "ledger")
			return filepath.Join(dir, "empty"), func() error { return os.RemoveAll(dir) }, err
		}
		return r.Ledger, nothing, nil
	}
	return r.Ledger, nothing, os.MkdirAll(filepath.Dir(r.Ledger), 0o777)
}

// targets copies to each target. One that fails does not stop the others.
func (r *run) targets(ctx context.Context) {
	for i := range r.Targets {
		if ctx.Err() != nil && i > 0 {
			return // those before have been told of, and are marked as interrupted
		}
		t := &r.Targets[i]
		begin := time.Now()
		l := &leg{run: r, t: t, sum: newSummary(opTarget, r.Name, t.Name, r.f.DryRun)}
		err := l.do(ctx)
		l.sum.Exit = l.exit(ctx, err)
		l.sum.DurationMS = time.Since(begin).Milliseconds()
		if err != nil {
			l.sum.blame(r.env, err)
			switch told := l.sum.Failed+l.sum.Unknown > 0; {
			case l.sum.Exit == cli.ExitInterrupted, l.sum.Exit == cli.ExitSome && told: // each was told of
			case l.fatal != nil && told:
				r.out.ended(r.Name, l.fatal)
			default:
				r.out.failed(r.Name, err)
			}
		}
		r.results = append(r.results, l.sum.Summary)
		r.out.target(&l.sum)
	}
}

// exitOf is the exit code of an error that kept a job from beginning.
func exitOf(err error) int {
	var held *HeldError
	if errors.As(err, &held) || errors.Is(err, ledger.ErrLocked) {
		return cli.ExitLocked
	}
	return cli.ExitUsage
}
