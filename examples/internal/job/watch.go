package job

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/watch"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Watch runs jobs beside each other until ctx ends, and returns the exit code. If one
// cannot begin, or ends by itself, all end: whoever supervises the process is to see it.
func Watch(ctx context.Context, f *Flags, env cli.Env, jobs []*Job) int {
	for _, j := range jobs {
		if err := j.watchable(); err != nil {
			return cli.Fail("watch", env, err)
		}
	}
	stop, err := f.serve(ctx, &env)
	if err != nil {
		return cli.Fail(f.Program, env, err)
	}
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	codes := make([]int, len(jobs))
	var all sync.WaitGroup
	for i, j := range jobs {
		all.Go(func() {
			defer cancel()
			codes[i] = j.watch(ctx, f, env)
		})
	}
	all.Wait()
	return cli.Together(codes)
}

// watchable refuses what only a run with an end can do.
func (j *Job) watchable() error {
	for key, set := range map[string]bool{"delete": j.Options.Delete, "manifest": j.Manifest, "stop_on_error": j.Options.StopOnError} {
		if set {
			return fmt.Errorf("%w: job %q: %s: a watch has no end at which this could be done: remove it, or run the job with mirror", cli.ErrUsage, j.Name, key)
		}
	}
	if j.Report != "" {
		return fmt.Errorf("%w: job %q: report: a watch has no end at which one could be written: use -json, or run the job with mirror", cli.ErrUsage, j.Name)
	}
	if len(j.Targets) > 1 {
		return fmt.Errorf("%w: job %q: targets: a watch has one: make it a job for each", cli.ErrUsage, j.Name)
	}
	return nil
}

// watch runs the job until ctx ends.
func (j *Job) watch(ctx context.Context, f *Flags, env cli.Env) int {
	env = env.Shared()
	r := &run{Job: j, f: f, env: env, begin: time.Now(), out: newOutput(f, env)}
	l := &leg{run: r, t: &j.Targets[0], sum: newSummary(opSummary, j.Name, j.Targets[0].Name, false), cancel: func(error) {}}
	closing, err := r.open(&l.sum)
	if err != nil {
		l.sum.Exit = r.fail(&l.sum, err, exitOf(err))
	} else {
		l.sum.Exit = l.keepWatch(ctx)
	}
	r.progress.Close()
	if err := closing(); err != nil {
		l.sum.Exit = cli.Together([]int{l.sum.Exit, r.fail(&l.sum, err, cli.ExitSome)})
	}
	l.sum.DurationMS = time.Since(r.begin).Milliseconds()
	r.out.total(&l.sum)
	return l.sum.Exit
}

// keepWatch connects and watches. What happened to files has been told of when it
// happened, so that an end by a signal is a good one.
func (l *leg) keepWatch(ctx context.Context) int {
	client, base, err := l.connect(ctx)
	if err != nil && ctx.Err() != nil && ftpx.KindOf(err) == transport.KindCanceled {
		return cli.ExitDone // told to end before it had begun, as it may be at any other time
	}
	if err != nil {
		return l.fail(&l.sum, err, cli.ExitOf(err))
	}
	l.part = &Part{Local: l.t.Local, Remote: base}
	w := l.Job.Watch
	w.Folder = l.Options
	w.Folder.OnItem = l.item
	if w.Folder.Parallel = l.t.flags.Files; w.Folder.Parallel == 0 && !l.t.flags.Own.Use {
		w.Folder.Parallel = l.t.flags.Parallel
	}
	if l.ledger != nil {
		w.Folder.Ledger = l.ledger
		w.Folder.Job = l.Name + " " + l.t.Name
	}
	w.OnError = func(err error) { l.out.failed(l.Name, err) }
	rep, err := l.look(ctx, client, base, &w)
	l.sum.take(rep)
	before := l.sum.Failed
	l.end(client, &l.t.flags)
	switch {
	case err == nil && l.sum.Failed > before:
		return cli.ExitSome // a file that is no longer what was sent
	case err == nil || ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
		return cli.ExitDone
	case ftpx.KindOf(err) == transport.KindUnknown:
		return l.fail(&l.sum, err, cli.ExitUsage) // options, or the ledger
	}
	return l.fail(&l.sum, err, cli.ExitOf(err))
}

func (l *leg) look(ctx context.Context, client ftpx.Client, base string, w *watch.Options) (folder.Report, error) {
	if l.Up {
		return watch.Upload(ctx, client, l.t.Local, base, w)
	}
	return watch.Download(ctx, client, base, l.t.Local, w)
}
