package watch

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// Upload sends what appears in a local folder, until ctx ends; then it lets what is
// under way end within Options.Drain and returns nil. The error is one of the options,
// or of the ledger, without which it cannot go on. Options.Folder.OnItem is told about
// each file; in the Report, Failed counts every attempt that failed.
//
// As many files are under way at once as Options.Folder.Parallel says, 4 where it is 0, and none waits
// beside them: while all are busy, the folder is not looked at.
func Upload(ctx context.Context, c ftpx.Client, localDir, remoteDir string, opts *Options) (folder.Report, error) {
	return start(ctx, opts,
		func(o Options) (runner, error) { return newLocal(o, localDir) },
		func(o *folder.Options) (*folder.Single, error) { return folder.NewUpload(c, localDir, remoteDir, o) })
}

// Download fetches what appears in a remote folder, else like [Upload].
func Download(ctx context.Context, c ftpx.Client, remoteDir, localDir string, opts *Options) (folder.Report, error) {
	return start(ctx, opts,
		func(o Options) (runner, error) { return newRemote(o, c, remoteDir) },
		func(o *folder.Options) (*folder.Single, error) {
			return folder.NewDownload(c, remoteDir, localDir, o)
		})
}

func start(ctx context.Context, opts *Options, open func(Options) (runner, error), copier func(*folder.Options) (*folder.Single, error)) (folder.Report, error) {
	fail := func(err error) (folder.Report, error) { return folder.Report{}, fmt.Errorf("watch: %w", err) }
	o, err := opts.resolve()
	if err != nil {
		return fail(err)
	}
	r, err := open(o)
	if err != nil {
		return fail(err)
	}
	single, err := copier(&o.Folder)
	if err != nil {
		return fail(err)
	}
	defer single.Close()
	j := &job{o: o, r: r, single: single, files: make(chan Event)}
	if err := j.run(ctx); err != nil {
		return single.Report(), fmt.Errorf("watch: %w", err)
	}
	return single.Report(), nil
}

// job copies what a stream yields.
type job struct {
	o      Options
	r      runner
	single *folder.Single
	files  chan Event // unbuffered: none waits but in the stream
}

func (j *job) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx) // no more is to be begun
	defer stop()
	work, cut := j.drained(ctx)
	defer cut()
	all := workers{stop: stop, panicked: make(chan any, 1)}
	for range cmp.Or(j.o.Folder.Parallel, folder.DefaultParallel) {
		all.start(func() {
			for e := range j.files {
				j.copy(work, e)
				if j.single.Err() != nil {
					stop()
				}
			}
		})
	}
	j.feed(ctx, &all, cut)
	all.wait()
	j.settle(work)
	if err := j.single.Err(); err != nil {
		return err
	}
	if j.o.Folder.Ledger != nil {
		return j.o.Folder.Ledger.Sync()
	}
	return nil
}

// feed hands the workers what the stream yields. Where code of the caller's panics in that,
// what they have under way is cut.
func (j *job) feed(ctx context.Context, all *workers, cut func()) {
	returned := false
	defer func() {
		if !returned {
			cut()
		}
		close(j.files)
		all.running.Wait()
	}()
	j.r.run(ctx, func(e Event, err error) bool {
		if err != nil {
			if j.o.OnError != nil {
				j.o.OnError(err)
			}
			return true
		}
		select {
		case j.files <- e:
			return true
		case <-ctx.Done():
			return false
		}
	})
	returned = true
}

// workers are goroutines whose panic is that of whoever waits for them: code of the
// caller's, such as a hook of the client's, runs in them.
type workers struct {
	running  sync.WaitGroup
	stop     func()   // told that one has panicked
	panicked chan any // of the first, buffered
}

func (w *workers) start(f func()) {
	w.running.Go(func() {
		returned := false
		defer func() {
			if returned {
				return
			}
			p := recover()
			select {
			case w.panicked <- p:
			default:
			}
			w.stop()
		}()
		f()
		returned = true
	})
}

// wait waits for all, and panics if one of them has.
func (w *workers) wait() {
	w.running.Wait()
	select {
	case p := <-w.panicked:
		if p != nil {
			panic(p)
		}
	default:
	}
}

// settle gives what was sent and is in doubt its last try, which it would else wait for.
func (j *job) settle(ctx context.Context) {
	for _, rel := range j.single.Held() {
		if ctx.Err() != nil || j.single.Err() != nil {
			return // the next run looks at it
		}
		j.single.Copy(ctx, rel, false)
	}
}

// drained returns a context that ends Options.Drain after ctx, or when cut is called.
func (j *job) drained(ctx context.Context) (work context.Context, cut func()) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-ctx.Done():
		case <-work.Done():
			return
		}
		timer := time.NewTimer(j.o.Drain)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-work.Done():
		}
	}()
	return work, func() { cancel(); <-ended }
}

func (j *job) copy(ctx context.Context, e Event) {
	item := j.single.Copy(ctx, e.Path, e.last)
	if item.Err == nil && !item.NotReady || ctx.Err() != nil {
		return
	}
	if item.Doubtful() {
		return // to try again may deliver it twice: it is left until it changes
	}
	j.r.giveBack(failure{event: e, own: item.Own(), unready: item.NotReady})
}
