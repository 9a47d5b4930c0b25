package cli

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// Job is one file, or one thing that could not become one.
type Job struct {
	// Local and Remote are its two paths.
	Local, Remote string
	// Do transfers it; progress may be nil.
	Do func(ctx context.Context, progress func(ftpx.ProgressInfo)) (ftpx.Result, error)
	// Err stands in place of Do for what could not be read or must not be written.
	Err error
	// Folder says that Do creates a folder, which is told of only if it fails.
	Folder bool
	// Size is that of the file in bytes, 0 where it is not known.
	Size int64
	// Last puts the job off until the others are done; those put off are then done
	// one by one, shorter local paths first.
	Last bool
}

// Run takes jobs from produce as workers become free, so that no list of all
// files is ever held, and returns the exit code. One that fails does not stop the
// others, unless it failed for a reason that they would all meet: a refused login,
// a server that is gone. produce is to end when yield returns false; an error that
// it returns counts as a failed file. closing, nil for none, is called when all is
// over, also after an interrupt: each file that its error names has failed.
func Run(ctx context.Context, op string, f Flags, env Env, produce func(yield func(Job) bool) error, closing func() error) int {
	env = env.Shared()
	r := &runner{printer: newPrinter(f, env), ctx: ctx, op: op, jobs: make(chan Job), stop: make(chan struct{})}
	r.display = NewDisplay(&f, env)
	r.large = make(chan struct{}, f.Parallel)
	r.work(f.Parallel)
	err := produce(r.yield)
	close(r.jobs)
	r.workers.Wait()
	if err != nil && r.more() {
		r.do(Job{Err: err})
	}
	slices.SortFunc(r.last, func(a, b Job) int { return cmp.Compare(len(a.Local), len(b.Local)) })
	for _, j := range r.last {
		if !r.more() {
			break
		}
		r.do(j)
	}
	if closing != nil {
		for _, err := range Failures(closing()) {
			r.record(NewRecord(OpVerify, "", RemoteOf(err), ftpx.Result{}, err), nil)
		}
	}
	r.display.Close()
	exit := r.exit()
	r.summary(exit, r.fatal)
	return exit
}

// runner is one Run. What no comment says otherwise of belongs to the goroutine
// that called it.
type runner struct {
	*printer
	ctx     context.Context
	op      string
	display *Display // nil without a terminal
	jobs    chan Job
	large   chan struct{} // holds a token for each large file under way
	workers sync.WaitGroup
	grown   sync.Once // more workers have been set to work
	last    []Job
	cut     bool // something has not even been tried

	once  sync.Once     // for what follows, which workers set
	stop  chan struct{} // closed when fatal has been set
	fatal error         // to be read after the workers have ended
}

// yield hands a job to a worker, waiting for one to be free.
func (r *runner) yield(j Job) bool {
	if !r.more() {
		return false
	}
	if j.Last {
		r.last = append(r.last, j)
		return true
	}
	select {
	case r.jobs <- j:
		return true
	case <-r.ctx.Done():
	case <-r.stop:
	}
	r.cut = true
	return false
}

// more reports whether to go on with what there is, and remembers if not.
func (r *runner) more() bool {
	select {
	case <-r.ctx.Done():
	case <-r.stop:
	default:
		return true
	}
	r.cut = true
	return false
}

// work sets workers to work. As soon as a file has been moved there are as many as small
// files may be under way, which share the connections; with Flags.Parallel 1 there is one.
func (r *runner) work(n int) {
	for range n {
		r.workers.Go(func() {
			for j := range r.jobs {
				r.inTurn(j)
			}
		})
	}
}

func (r *runner) grow() {
	if n := r.flags.Parallel; n > 1 {
		r.grown.Do(func() { r.work(max(folder.DefaultSmall-n, 0)) })
	}
}

// largeFile is the size above which a file takes a connection of its own: small ones
// share those that there are.
const largeFile = 256 << 10

// inTurn waits with a large file until fewer than Flags.Parallel of them are under way.
func (r *runner) inTurn(j Job) {
	if j.Size > largeFile {
		select {
		case r.large <- struct{}{}:
			defer func() { <-r.large }()
		case <-r.ctx.Done():
		}
	}
	r.do(j)
}

func (r *runner) do(j Job) {
	op := r.op
	if j.Folder {
		op = "mkdir"
	}
	res, err := ftpx.Result{}, j.Err
	at := &last{}
	if err == nil {
		res, err = r.transfer(j, at)
	}
	if err == nil {
		r.grow()
	}
	if err == nil && j.Folder {
		return
	}
	var cut *ftpx.ProgressInfo
	if err != nil && r.ctx.Err() != nil && IsCut(err) {
		cut = at.info()
	}
	r.record(NewRecord(op, j.Local, j.Remote, res, err), cut)
	if err != nil && ftpx.EndsAll(err) {
		r.once.Do(func() {
			r.fatal = err
			close(r.stop)
		})
	}
}

func (r *runner) transfer(j Job, at *last) (ftpx.Result, error) {
	switch {
	case j.Folder:
		return j.Do(r.ctx, nil)
	case r.display == nil:
		return j.Do(r.ctx, at.progress)
	}
	res, err := j.Do(r.ctx, func(i ftpx.ProgressInfo) {
		at.progress(i)
		r.display.progress(i)
	})
	if i := at.info(); i.Op != "" {
		r.display.ended(i.ID)
	}
	if err == nil {
		r.display.File(res.Size)
	}

	return res, err
}

// last is the last progress of a transfer, some of which may come when it is over.
type last struct {
	mu sync.Mutex // guards at
	at ftpx.ProgressInfo
}

func (l *last) progress(i ftpx.ProgressInfo) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = i
}

func (l *last) info() *ftpx.ProgressInfo {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.at
	return &at
}

func (r *runner) exit() int {
	switch {
	case r.ctx.Err() != nil && (r.cut || !r.allDone()):
		return ExitInterrupted
	case r.fatal != nil:
		return ExitOf(r.fatal)
	case !r.allDone():
		return ExitSome
	}
	return ExitDone
}
