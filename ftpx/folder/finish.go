package folder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// begin looks at a file of the source when its turn has come, and locks it if asked to.
// why says why it is not ready.
func (c *copying) begin(ctx context.Context) (seen *snapshot, release func(), why string, err error) {
	j, release := c.j, func() {}
	if j.o.Ready.Lock {
		lock, err := lockSource(j.src.full(c.rel))
		if errors.Is(err, errLocked) {
			return nil, release, err.Error(), nil
		}
		if err != nil {
			return nil, release, "", err
		}
		release = func() { lock.Close() }
	}
	if c.seen != nil && !j.o.Ready.Lock {
		return c.seen, release, "", nil
	}
	if !j.looks() || j.o.DryRun && !j.up { // the listing is fresh
		return &snapshot{entry: c.entry, coarse: !j.up}, release, "", nil
	}
	now, err := j.src.takeSnapshot(ctx, c.rel, j.o.follows())
	if err != nil {
		return nil, release, "", err
	}
	if j.o.Ready.set() {
		if err := (&snapshot{entry: c.entry, coarse: !j.up}).differs(&now); err != nil {
			return nil, release, err.Error(), nil
		}
	}
	return &now, release, "", nil
}

// looks reports whether a file is looked at once more before it is copied.
func (j *job) looks() bool {
	return j.o.Ready.set() || j.o.After.Source != SourceKeep || j.o.After.MarkSource != "" || j.o.DeadLetter != ""
}

// The errors of what is done after a file was copied.
var (
	// ErrPostProcess: a file has been copied, but what Options.After says could not be done.
	// The next run does it.
	ErrPostProcess = errors.New("the file has been copied, but what was to be done then could not be")

	errNoLocks  = errors.New("the file cannot be locked, as Options.Ready.Lock has it: use Stable or Marker")
	errLocked   = errors.New("another program has locked it")
	errUnproven = errors.New("the source stays where it is, as the size of what arrived could not be checked")
)

// finish does what Options.After says about the source, which is proven to be at the
// other side as it was seen. It does nothing about a file that is another meanwhile.
func (c *copying) finish(ctx context.Context, seen *snapshot, item *Item) error {
	j := c.j
	a := j.o.After
	if a.Source == SourceKeep && a.MarkSource == "" {
		return nil
	}
	if !j.o.DryRun {
		now, err := j.src.takeSnapshot(ctx, c.rel, j.o.follows())
		switch {
		case errors.Is(err, fs.ErrNotExist):
			item.After = "gone already"
			return nil
		case err != nil:
			return err
		}
		if differs := seen.differs(&now); differs != nil {
			item.After = "left there: " + differs.Error()
			return nil
		}
	}
	switch a.Source {
	case SourceDelete:
		return c.finishDelete(ctx, item)
	case SourceMove:
		return c.finishMove(ctx, seen, item)
	}
	mark := say(path.Dir(c.rel), j.h.source.of(path.Base(c.rel)))
	if !j.o.DryRun {
		if err := j.src.mark(ctx, mark, seen.time()); err != nil {
			return err
		}
	}
	item.After = fmt.Sprintf("marked by %q", mark)
	return nil
}

func (c *copying) finishDelete(ctx context.Context, item *Item) error {
	j := c.j
	if !j.o.DryRun {
		if err := j.src.remove(ctx, c.rel); err != nil {
			return err
		}
	}
	item.After = "deleted"
	j.count(func(r *Report) { r.Taken++ })
	return c.unmark(ctx)
}

func (c *copying) finishMove(ctx context.Context, seen *snapshot, item *Item) error {
	j := c.j
	dir, err := j.h.archive.dir(c.rel, c.facts(seen), j.src.full("."))
	if err != nil {
		return err
	}
	to := path.Join(filepath.ToSlash(dir), path.Base(c.rel))
	if !j.o.DryRun {
		if to, err = j.src.take(ctx, c.rel, dir, seen); errors.Is(err, errChanged) {
			item.After = "left there: " + err.Error()
			return nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			item.After = "gone already"
			return nil
		}
		if err != nil {
			return err
		}
	}
	item.After = fmt.Sprintf("moved to %q", filepath.ToSlash(to))
	j.count(func(r *Report) { r.Taken++ })
	return c.unmark(ctx)
}

// unmark deletes the marker of a file that is gone, unless others may share it.
func (c *copying) unmark(ctx context.Context) error {
	j := c.j
	if !j.h.ready.set() || j.h.ready.stem || j.o.DryRun {
		return nil
	}
	return j.src.remove(ctx, say(path.Dir(c.rel), j.h.ready.of(path.Base(c.rel))))
}

func (c *copying) facts(seen *snapshot) facts {
	return facts{name: path.Base(c.rel), now: c.now, mtime: seen.time()}
}

// letter is what is written beside a file that could not be copied.
type letter struct {
	Time    time.Time    `json:"time"`
	Job     string       `json:"job"`
	Action  Action       `json:"action"`
	Path    string       `json:"path"`
	Size    int64        `json:"size"`
	ModTime time.Time    `json:"mtime,omitzero"`
	Kind    string       `json:"kind"`
	Outcome ftpx.Outcome `json:"outcome"`
	Error   string       `json:"error"`
}

// deadLetter moves a file that cannot be copied to the dead letters, with its error beside it,
// if it is still the one that was tried.
func (c *copying) deadLetter(ctx context.Context, seen *snapshot, item *Item) {
	j := c.j
	if j.h.dead.t == nil || c.spare || !ownFault(item.Err) || ctx.Err() != nil {
		return
	}
	dir, err := j.h.dead.dir(c.rel, c.facts(seen), j.src.full("."))
	to := path.Join(filepath.ToSlash(dir), path.Base(c.rel))
	if j.o.DryRun && err == nil {
		item.After = fmt.Sprintf("moved to %q", to)
		j.count(func(r *Report) { r.Dead++ })
		return
	}
	if err == nil {
		now, serr := j.src.takeSnapshot(ctx, c.rel, false)
		if serr != nil || seen.differs(&now) != nil {
			return
		}
		to, err = j.src.take(ctx, c.rel, dir, seen)
	}
	if err == nil {
		j.count(func(r *Report) { r.Dead++ })
		item.After = fmt.Sprintf("moved to %q", filepath.ToSlash(to))
		err = j.src.write(ctx, to+".error.json", c.letter(seen, item))
	}
	if err == nil {
		err = c.unmark(ctx)
	}
	if err != nil {
		item.Err = fmt.Errorf("%w; and its dead letter: %w", item.Err, err)
	}
}

func (c *copying) letter(seen *snapshot, item *Item) []byte {
	l := letter{Time: time.Now().UTC(), Job: transport.Printable(c.j.name), Action: item.Action, Path: transport.Printable(c.rel), Size: seen.size, Outcome: ftpx.NotDone,
		ModTime: seen.time().UTC(), Kind: ftpx.KindOf(item.Err).String(), Error: transport.Printable(item.Err.Error())}
	var e *ftpx.Error
	if errors.As(item.Err, &e) {
		l.Outcome = e.Outcome
	}
	b, err := json.MarshalIndent(l, "", "  ")
	if err != nil { // a time of a year beyond 9999
		b = []byte(transport.Printable(item.Err.Error()))
	}
	return append(b, '\n')
}

// ownFault reports whether a file failed for a reason of its own, so that others may
// succeed and it will not the next time.
func ownFault(err error) bool {
	var local *transport.LocalError
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrPostProcess), errors.Is(err, ftpx.ErrSourceChanged):
		return false
	case errors.Is(err, ErrName), errors.Is(err, ErrTypeConflict), errors.Is(err, ftpx.ErrMismatch):
		return true
	case errors.As(err, &local):
		return !local.Writing && errors.Is(err, fs.ErrPermission) // not one of the system, such as too many open files
	}
	switch ftpx.KindOf(err) {
	case transport.KindInvalid, transport.KindName, transport.KindRefused, transport.KindExist:
		return true
	}
	return false
}
