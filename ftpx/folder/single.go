package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// Single copies files one at a time, each as [Upload] or [Download] would: for whoever
// finds the files himself, as package watch does. Its methods are safe for concurrent
// use, but not for one file at the same time.
type Single struct {
	j    *job
	held held
}

// NewUpload prepares to send files of a local folder. Options.Delete and DryRun cannot
// be used; Parallel, Window and StopOnError say nothing here.
func NewUpload(c ftpx.Client, localDir, remoteDir string, opts *Options) (*Single, error) {
	return newSingle(c, localDir, remoteDir, opts, true)
}

// NewDownload prepares to fetch files of a remote folder, else like [NewUpload]. The
// local folder is created if need be.
func NewDownload(c ftpx.Client, remoteDir, localDir string, opts *Options) (*Single, error) {
	return newSingle(c, localDir, remoteDir, opts, false)
}

func newSingle(c ftpx.Client, localDir, remoteDir string, opts *Options, up bool) (*Single, error) {
	j, err := newJob(c, localDir, remoteDir, opts, up)
	if err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	if j.o.Delete || j.o.DryRun {
		return nil, errors.New("folder: Options.Delete and DryRun are for whole folders: leave them out")
	}
	j.queue, j.single = newQueue(1, 1), true
	if l, ok := j.dst.(*local); ok {
		there, err := l.root(context.Background())
		if err == nil && !there {
			err = l.mkdir(context.Background(), ".")
		}
		if err != nil {
			return nil, fmt.Errorf("folder: the destination: %w", err)
		}
	}
	return &Single{j: j}, nil
}

// Close ends the use of the local folder; the client and the ledger stay open.
func (s *Single) Close() error {
	s.j.close()
	return nil
}

// Report sums up what was done so far. Failed counts every attempt that failed.
func (s *Single) Report() Report {
	s.j.mu.Lock()
	defer s.j.mu.Unlock()
	return s.j.report
}

// Err returns an error of the ledger, after which nothing more is to be copied, or nil.
func (s *Single) Err() error {
	s.j.mu.Lock()
	defer s.j.mu.Unlock()
	return s.j.fatal
}

// Copy copies one file, whose path is relative to the folder, with slashes, and does
// what Options.After says. Options.OnItem is told as well. One that has gone is skipped,
// one that is there already is left alone. Ready.Stable is taken to hold, and so is what
// Include and Exclude say. Unless last is set, a file that fails does not go to
// Options.DeadLetter: it is to be tried again. One that fails with [ErrUnsettled] is to be
// tried again in any case.
func (s *Single) Copy(ctx context.Context, rel string, last bool) Item {
	item := s.copy(ctx, rel, last)
	item.Outcome = s.j.outcome(&item)
	s.j.tell(item)
	return item
}

// Own reports whether a file failed for a reason of its own, so that it will not
// succeed as it is, rather than for one of the line, the server or the local disk.
func (i Item) Own() bool { return i.Err != nil && ownFault(i.Err) }

func (s *Single) copy(ctx context.Context, rel string, last bool) (result Item) {
	j := s.j
	item := Item{Action: j.action, Path: rel, Size: -1}
	if item.Err = s.check(rel, j.src); item.Err != nil {
		return item
	}
	leave := func(why string) Item {
		j.count(func(r *Report) { r.Left++ })
		item.Action, item.Reason = Skip, why
		return item
	}
	seen, err := j.src.takeSnapshot(ctx, rel, j.o.follows())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.held.take(rel)
		return leave("it has been taken away")
	case err != nil:
		item.Err = err
		return item
	case seen.kind == isUntold:
		item.Err = ErrUnknownType
		return item
	case seen.kind != isFile:
		return leave("it is " + seen.kind.String())
	}
	seen.name, item.Size = path.Base(rel), seen.size
	now := time.Now()
	f := *j.filter
	f.now = now
	if why := f.leavesOut(&seen.entry); why != "" {
		return leave(why)
	}
	why, err := s.waits(ctx, rel, &seen.entry)
	if why != "" {
		return j.unready(item, why)
	}
	settled, done, replaced := s.settle(ctx, &seen, rel)
	if done {
		return settled
	}
	c := &copying{j: j, rel: rel, entry: seen.entry, now: now, seen: &seen, spare: !last}
	if j.holds() {
		c.hold = s.hold
	}
	if err == nil {
		err = s.prepare(ctx, c)
	}
	if replaced != nil {
		c.verdict = sentAgain()
		defer func() {
			if result.Err != nil && !errors.Is(result.Err, ErrUnsettled) {
				s.held.put(rel, replaced)
			}
		}()
	}
	switch {
	case err != nil:
		item.Err = err
		c.deadLetter(ctx, &seen, &item)
		return item
	case c.verdict.doubt != nil:
		item.Err = c.verdict.doubt
		return item
	case !c.verdict.copy:
		j.count(func(r *Report) { r.Unchanged++ })
		item.Action, item.Reason, item.Finding = Skip, c.verdict.reason, c.verdict.found
		return item
	}
	return c.carry(ctx)
}

// prepare decides about a file and makes the folders that it goes to.
func (s *Single) prepare(ctx context.Context, c *copying) error {
	err := s.check(c.rel, s.j.dst)
	if err == nil {
		c.verdict, err = s.decide(ctx, c)
	}
	if err == nil && !s.j.up && c.verdict.copy && !c.verdict.proven {
		if err = s.folders(ctx, path.Dir(c.target)); err != nil {
			err = fmt.Errorf("its folder could not be made: %w", err)
		}
	}
	return err
}

// check refuses a path that cannot be one at a side.
func (s *Single) check(rel string, at side) error {
	if !filepath.IsLocal(filepath.FromSlash(rel)) || path.Clean(rel) != rel || rel == "." {
		return fmt.Errorf("%w: %q is not the path of a file in the folder", ErrName, rel)
	}
	for name := range strings.SplitSeq(rel, "/") {
		if err := at.check(name); err != nil {
			return err
		}
	}
	return nil
}

// beside looks for a file in the folder of another.
func (s *Single) sibling(ctx context.Context, rel, name string) (*entry, error) {
	e, err := s.j.src.takeSnapshot(ctx, say(path.Dir(rel), name), false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return &e.entry, err
}

func (s *Single) waits(ctx context.Context, rel string, e *entry) (string, error) {
	h := &s.j.h
	if !h.ready.set() {
		return "", nil
	}
	m, err := s.sibling(ctx, rel, h.ready.of(e.name))
	if err != nil {
		return "", err
	}
	return h.waits(e, m), nil
}

// decide is about a file whose counterpart is looked up only if it counts.
func (s *Single) decide(ctx context.Context, c *copying) (v verdict, err error) {
	j, e := s.j, &c.entry
	if c.target, c.first, err = j.h.names(c.rel, c.facts(&snapshot{entry: *e})); err != nil {
		return v, err
	}
	for _, p := range []string{c.target, c.first} {
		if err := j.dst.check(lastOf(p)); err != nil {
			return v, err
		}
	}
	if j.h.source.set() {
		m, err := s.sibling(ctx, c.rel, j.h.source.of(e.name))
		if err != nil {
			return v, err
		}
		if m != nil && m.marks(e) {
			return verdict{found: Same, reason: "copied, as its marker says"}, nil
		}
	}
	if j.o.Once && j.o.Compare != CompareNothing {
		v, err := j.once(c.rel, e)
		if err != nil || v.reason != "" {
			if err == nil {
				v, err = j.complete(c.rel, e, nil, v, true)
			}
			return v, err
		}
	}
	there, err := j.dst.stat(ctx, c.target)
	d := &there
	switch {
	case errors.Is(err, fs.ErrNotExist), j.up && refusedLook(err):
		d = nil
	case err != nil:
		return v, err
	case there.kind != isFile:
		return v, fmt.Errorf("%w: it is a file here and %s there: remove one, or exclude it", ErrTypeConflict, there.kind)
	}
	if v, err = j.decide(c.rel, e, d); err != nil || v.doubt != nil {
		return v, err
	}
	marked := true
	if j.h.target.set() && !v.copy {
		m, err := j.dst.stat(ctx, j.h.markOf(c.target))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return v, err
		}
		marked = err == nil && m.kind == isFile
	}
	if v, err = j.complete(c.rel, e, d, v, marked); err == nil && !v.copy {
		err = j.learn(c.rel, c.target, e, d, v)
	}
	return v, err
}

// folders makes the local folders of a file, one by one, so that no link leads out.
func (s *Single) folders(ctx context.Context, dir string) error {
	if dir == "." {
		return nil
	}
	if err := s.folders(ctx, path.Dir(dir)); err != nil {
		return err
	}
	e, err := s.j.dst.stat(ctx, dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.j.dst.mkdir(ctx, dir)
	case err != nil:
		return err
	case e.kind != isDir:
		return fmt.Errorf("%w: %q is %s: remove it, or exclude what goes there", ErrTypeConflict, s.j.dst.full(dir), e.kind)
	}
	return nil
}
