package folder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// Upload makes a remote folder hold what a local one holds, as [Options] say. The
// remote folder and its parents are created if need be; nothing there is deleted
// unless Options.Delete is set.
//
// It may be repeated, after whatever end. The error is [ErrIncomplete] if items
// failed, a [*DeleteError] if too much would have been deleted, the context's if
// that ended; the Report says in every case what was done.
func Upload(ctx context.Context, c ftpx.Client, localDir, remoteDir string, opts *Options) (Report, error) {
	return start(ctx, c, localDir, remoteDir, opts, true)
}

// Download makes a local folder hold what a remote one holds; else it is like
// [Upload].
func Download(ctx context.Context, c ftpx.Client, remoteDir, localDir string, opts *Options) (Report, error) {
	return start(ctx, c, localDir, remoteDir, opts, false)
}

// job is one Upload or Download.
type job struct {
	c      ftpx.Client
	o      Options
	up     bool
	action Action // Send or Fetch
	src    side
	dst    side
	filter *filter
	name   string // in the ledger
	folded bool   // names at the destination are one if they differ only in case
	now    time.Time
	h      handling

	waiting waiting // for Ready.Stable

	queue *queue
	extra deletions
	last  []*copying   // downloads under names that other downloads use meanwhile
	modes []folderMode // to be set at the end, parents first
	blind bool         // part of the source could not be read
	vague atomic.Bool  // the server has no exact time even of a file that it is asked about
	there int          // entries at the destination, as far as seen

	mu     sync.Mutex // guards what follows, and calls of OnItem
	report Report
	first  error // of an item
	fatal  error // nothing more can be done
	cancel context.CancelCauseFunc
	single bool // files come one by one, and each is tried again later
	doubts []*doubt
}

func start(ctx context.Context, c ftpx.Client, localDir, remoteDir string, opts *Options, up bool) (Report, error) {
	j, err := newJob(c, localDir, remoteDir, opts, up)
	if err != nil {
		return Report{}, fmt.Errorf("folder: %w", err)
	}
	defer j.close()
	i := ftpx.OperationInfo{Op: "download folder", Local: localDir, Remote: remoteDir}
	if up {
		i.Op = "upload folder"
	}
	ctx, end := c.Begin(ctx, i)
	var report Report
	err = ftpx.ErrNoReturn
	defer func() { end(operationEnd(report, err)) }()
	report, err = j.run(ctx)
	return report, err
}

// operationEnd is the end of a job as hooks are told of it. Each file had an operation of
// its own.
func operationEnd(r Report, err error) ftpx.OperationEnd {
	e := ftpx.OperationEnd{Result: ftpx.Result{Outcome: ftpx.Done, Size: -1, Moved: r.Bytes}, Err: err}
	switch {
	case err == ftpx.ErrNoReturn:
		e.Result.Outcome = ftpx.Unknown
	case err != nil:
		e.Result.Outcome = ftpx.NotDone
	}
	return e
}

func newJob(c ftpx.Client, localDir, remoteDir string, opts *Options, up bool) (*job, error) {
	if opts == nil {
		opts = &Options{}
	}
	o, err := opts.withDefaults()
	if err == nil {
		err = o.checkDelivery(up)
	}
	if err != nil {
		return nil, err
	}
	j := &job{c: c, o: o, up: up, now: time.Now(), action: Fetch}
	if j.filter, err = newFilter(&o, j.now); err != nil {
		return nil, err
	}
	if localDir == "" {
		return nil, errors.New("the local folder is empty: name one, \".\" is the current one")
	}
	if localDir, err = filepath.Abs(localDir); err != nil {
		return nil, err
	}
	l, r := &local{dir: localDir, dest: !up}, &remote{c: c, dir: path.Clean(remoteDir)}
	if j.src, j.dst = side(r), side(l); up {
		j.src, j.dst, j.action = l, r, Send
		if o.Delivery == ftpx.DeliverDrop {
			j.dst = dropped{r}
		}
	}
	if j.folded = o.FoldCase || !up && foldingSystem; o.Job == "" {
		j.name = map[bool]string{true: "upload ", false: "download "}[up] + localDir + " " + r.dir
	} else {
		j.name = o.Job
	}
	j.h, err = o.handling(up, j.src.full("."))
	return j, err
}

// close ends the use of the local folder.
func (j *job) close() {
	for _, s := range []side{j.src, j.dst} {
		if l, ok := s.(*local); ok {
			l.close()
		}
	}
}

func (j *job) run(ctx context.Context) (Report, error) {
	there, err := j.src.root(ctx)
	if r, ok := j.src.(*remote); ok && refusedLook(err) {
		j.src, there, err = unshown{r}, true, nil // what may be listed or fetched will show
	}
	if err == nil && !there {
		// Never taken for an empty one, which Delete would make of the other too.
		err = &fs.PathError{Op: "copy", Path: j.src.full("."), Err: fs.ErrNotExist}
	}
	if err != nil {
		return Report{}, fmt.Errorf("folder: the source: %w", err)
	}
	if there, err = j.dst.root(ctx); j.needsNoListing(err) {
		there, err = true, nil
	}
	if err != nil {
		return Report{}, fmt.Errorf("folder: the destination: %w", err)
	}
	defer j.extra.close()
	defer j.waiting.files.close()
	outer := ctx
	ctx, j.cancel = context.WithCancelCause(ctx)
	defer j.cancel(nil)
	j.work(ctx, func() { j.walk(ctx, there) })
	j.settle(ctx)
	j.copyLast(ctx)
	j.recheck(ctx)
	if j.o.Delete && j.stopped(ctx) == nil {
		j.delete(ctx)
	}
	j.setFolderModes(ctx)
	return j.end(outer)
}

// work runs the workers while produce fills the queue, and until it is empty. In a
// dry run there are none: what is put into the queue is carried out at once.
func (j *job) work(ctx context.Context, produce func()) {
	workers, large := j.o.workers()
	j.queue = newQueue(j.o.Window, large)
	if j.o.DryRun {
		produce()
		return
	}
	wake := context.AfterFunc(ctx, j.queue.stop)
	defer wake()
	stop := func() {
		j.cancel(ftpx.ErrNoReturn)
		j.queue.stop()
	}
	all := crew{stop: stop}
	produced := false
	defer func() {
		if !produced { // code of the caller's has panicked
			stop()
		}
		all.Wait()
	}()
	for range workers {
		all.Go(func() {
			for t := j.queue.pop(); t != nil; t = j.queue.pop() {
				t.do(ctx)
				j.queue.done(t)
			}
		})
	}
	produce()
	j.queue.finish()
	produced = true
}

// copyLast copies what was put off, one by one and shorter names first: the download of
// "a.part" uses "a.part.part".
func (j *job) copyLast(ctx context.Context) {
	slices.SortStableFunc(j.last, func(a, b *copying) int { return cmp.Compare(len(a.target), len(b.target)) })
	for _, c := range j.last {
		if j.stopped(ctx) != nil {
			return
		}
		c.do(ctx)
	}
}

// put hands a task to the workers; false means that no more are wanted.
func (j *job) put(ctx context.Context, t *task) bool {
	if j.o.DryRun {
		t.do(ctx)
		return true
	}
	return j.queue.push(t)
}

// stopped says why nothing new is begun, or nil.
func (j *job) stopped(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fatal != nil {
		return j.fatal
	}
	if j.o.StopOnError {
		return j.first
	}
	return nil
}

// abort ends the job for a reason that concerns all items.
func (j *job) abort(err error) {
	j.mu.Lock()
	if j.fatal == nil {
		j.fatal = err
	}
	j.mu.Unlock()
	j.queue.stop()
}

// end puts the error together.
func (j *job) end(ctx context.Context) (Report, error) {
	if j.o.Ledger != nil && !j.o.DryRun {
		if err := j.o.Ledger.Sync(); err != nil && j.fatal == nil {
			j.fatal = err
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	var errs []error
	if err := context.Cause(ctx); err != nil {
		errs = append(errs, err)
	}
	if j.fatal != nil && j.fatal != j.first {
		errs = append(errs, j.fatal)
	}
	if j.report.Failed > 0 {
		errs = append(errs, fmt.Errorf("%w: %d failed, first: %w", ErrIncomplete, j.report.Failed, j.first))
	}
	if len(errs) == 0 {
		return j.report, nil
	}
	return j.report, fmt.Errorf("folder: %w", errors.Join(errs...))
}

func (j *job) count(f func(*Report)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f(&j.report)
}

// tell counts an item and hands it to the caller.
func (j *job) tell(i Item) {
	i.Outcome = j.outcome(&i)
	j.mu.Lock()
	defer j.mu.Unlock()
	r := &j.report
	r.Bytes += i.Result.Moved
	switch {
	case i.Err != nil:
		if r.Failed++; j.first == nil {
			j.first = i.Err
		}
		if j.o.StopOnError && !j.o.DryRun {
			j.queue.stop()
		}
		if j.fatal == nil && !j.single && ftpx.EndsAll(i.Err) {
			// Each of those under way would wait for the host in its turn.
			j.fatal = i.Err
			j.queue.stop()
			j.cancel(i.Err)
		}
	case i.Action == Mkdir:
		r.Folders++
	case i.Action == Delete:
		r.Deleted++
	case i.Action == Link:
		r.Links++
	case i.Action == Chmod:
		r.Modes++
	case i.Action == Send || i.Action == Fetch:
		r.Copied++
		if j.o.DryRun {
			r.Bytes += max(i.Size, 0)
		}
	}
	if j.o.OnItem != nil {
		j.o.OnItem(i)
	}
}

// left tells about an entry that is left out.
func (j *job) left(rel string, e *entry, reason string) {
	j.count(func(r *Report) { r.Left++ })
	j.tell(Item{Action: Skip, Path: rel, Dir: e.kind == isDir, Size: e.size, Reason: reason})
}

// refuse tells about an entry that nothing can be done about.
func (j *job) refuse(rel string, e *entry, err error) {
	j.tell(Item{Action: Refuse, Path: rel, Dir: e.kind == isDir, Size: e.size, Err: err})
}

// outcome is how an item ended.
func (j *job) outcome(i *Item) ftpx.Outcome {
	var e *ftpx.Error
	switch {
	case errors.As(i.Err, &e):
		return e.Outcome
	case i.Err != nil, i.NotReady, i.Action == Skip, i.Action == Refuse, j.o.DryRun:
		return ftpx.NotDone
	}
	return ftpx.Done
}
