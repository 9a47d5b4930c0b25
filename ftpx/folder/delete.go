package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"syscall"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// deletions are what is to be deleted when everything else is done and it is known
// how much that is. Files come first, and folders after what was in them.
type deletions struct {
	files   spool[extraEntry]
	folders spool[extraEntry]
}

func (d *deletions) close() {
	d.files.close()
	d.folders.close()
}

// inherited is what holds for all that is in a folder.
type inherited struct {
	all         bool // Include takes it
	counterpart bool // the source has another spelling of the folder, or of one above it
}

// planExtra plans the deletion of an entry that only the destination has, and of all
// below it. It returns whether nothing of it is left. in.counterpart is of the entry itself too.
func (j *job) planExtra(ctx context.Context, dir string, d *entry, in inherited) (gone bool) {
	if err := j.dst.check(d.name); err != nil {
		j.refuse(say(dir, d.name), d, err)
		return false
	}
	rel := join(dir, d.name)
	in.all = in.all || j.filter.takes(rel, d.kind == isDir)
	why := j.filter.excluded(rel, d.kind == isDir)
	partial := d.kind != isDir && unfinished(d.name, func(string) bool { return true })
	switch {
	case why != "":
	case d.kind == isOther || d.kind == isUntold:
		why = "neither a file nor a folder"
	case partial && j.young(d):
		why = youngPartial
	case d.kind == isFile && in.all:
		why = j.filter.leavesOut(d)
	case d.kind != isDir && !in.all:
		why = "no pattern of Include takes it"
	}
	if why != "" {
		j.left(rel, d, "not deleted: "+why)
		return false
	}
	if d.kind == isDir {
		return j.extraFolder(ctx, rel, d, in)
	}
	return j.plan(&j.extra.files, extraEntry{rel: rel, size: d.size, partial: partial, counterpart: in.counterpart})
}

func (j *job) extraFolder(ctx context.Context, rel string, d *entry, in inherited) (gone bool) {
	if ctx.Err() != nil {
		return false
	}
	entries, err := j.dst.list(ctx, rel)
	if err != nil {
		if ctx.Err() == nil {
			j.refuse(rel, d, fmt.Errorf("the folder at the other side cannot be read: %w", err))
		}
		return false
	}
	j.there += len(entries)
	j.count(func(r *Report) { r.Extra += len(entries) })
	gone = in.all // what Include does not take is not deleted either
	for i := range sorted(entries, j.folded) {
		gone = j.planExtra(ctx, rel, &entries[i], in) && gone
	}
	return gone && j.plan(&j.extra.folders, extraEntry{rel: rel, size: -1, dir: true, counterpart: in.counterpart})
}

func (j *job) plan(s *spool[extraEntry], e extraEntry) bool {
	if err := s.add(e); err != nil {
		j.abort(fmt.Errorf("noting what is to be deleted: %w", err))
		return false
	}
	return true
}

const youngPartial = "an unfinished transfer, younger than PartialAge"

// young reports whether somebody may still go on with an unfinished transfer.
func (j *job) young(d *entry) bool {
	limit := j.o.PartialAge
	if !d.exact {
		limit += 24 * time.Hour // in which time zone, it does not say
	}
	return !d.timed || j.now.Sub(d.time()) < limit
}

// delete carries out what was planned, if it may be.
func (j *job) delete(ctx context.Context) {
	n := j.extra.files.n + j.extra.folders.n
	if n == 0 {
		return
	}
	var refused error
	if j.blind {
		refused = ErrSourceIncomplete
	} else if float64(n) > j.o.MaxDelete*float64(j.there) {
		refused = &DeleteError{Would: n, Of: j.there, Max: j.o.MaxDelete}
	}
	if refused != nil {
		for _, s := range []*spool[extraEntry]{&j.extra.files, &j.extra.folders} {
			j.each(ctx, s, func(e extraEntry) {
				j.tell(Item{Action: Skip, Path: e.rel, Dir: e.dir, Size: e.size, Finding: Extra, Reason: "only there, but " + refused.Error()})
			})
		}
		j.abort(refused)
		return
	}
	j.work(ctx, func() {
		j.each(ctx, &j.extra.files, func(e extraEntry) {
			j.put(ctx, &task{do: func(ctx context.Context) { j.remove(ctx, e) }})
		})
	})
	// One after the other: a folder is empty when those in it are gone.
	j.each(ctx, &j.extra.folders, func(e extraEntry) { j.remove(ctx, e) })
}

// each calls f for what was planned, until nothing more is to be begun.
func (j *job) each(ctx context.Context, s *spool[extraEntry], f func(extraEntry)) {
	for e, err := range s.all() {
		if err != nil {
			j.abort(fmt.Errorf("reading what is to be deleted: %w", err))
			return
		}
		if j.stopped(ctx) != nil {
			return
		}
		f(e)
	}
}

// sourceHas looks for an entry in the source.
func (j *job) sourceHas(ctx context.Context, rel string) (entry, error) {
	e, err := j.src.stat(ctx, rel)
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return entry{}, fs.ErrNotExist // one of the folders above it is a file now
	case !errors.Is(err, errors.ErrUnsupported) && ftpx.KindOf(err) != transport.KindUnsupported:
		return e, err
	}
	// A server that describes no single file: the folder is listed once more.
	entries, err := j.src.list(ctx, path.Dir(rel))
	if err != nil {
		return entry{}, err
	}
	for _, e := range entries {
		if e.name == path.Base(rel) {
			return e, nil
		}
	}
	return entry{}, fs.ErrNotExist
}

func (j *job) remove(ctx context.Context, e extraEntry) {
	i := Item{Action: Delete, Path: e.rel, Dir: e.dir, Size: e.size, Reason: "it is only there", Finding: Extra}
	if !e.partial {
		// A listing over FTP can end early and look whole: that it does not name
		// something is not enough to delete it.
		switch found, err := j.sourceHas(ctx, e.rel); {
		case err == nil && j.up:
			// A local listing is not doubted: it is another spelling, or new.
			j.left(e.rel, &found, "not deleted: the source has it too, spelled in another way or since it was listed")
			return
		case err == nil && e.counterpart:
			j.left(e.rel, &found, "not deleted: the source has it too, spelled in another way")
			return
		case err == nil:
			i.Err = fmt.Errorf("not deleted: %w", ErrIncompleteListing)
			j.tell(i)
			return
		case ctx.Err() != nil:
			return
		case !errors.Is(err, fs.ErrNotExist):
			i.Err = fmt.Errorf("not deleted, since the source does not tell whether it has it: %w", err)
			j.tell(i)
			return
		}
	}
	if !j.o.DryRun {
		if e.partial {
			// This very run may have gone on with it.
			if now, err := j.dst.stat(ctx, e.rel); err == nil && j.young(&now) {
				j.left(e.rel, &now, "not deleted: "+youngPartial)
				return
			}
		}
		if i.Err = j.dst.remove(ctx, e.rel); i.Err != nil && ctx.Err() != nil {
			return
		}
	}
	j.tell(i)
}
