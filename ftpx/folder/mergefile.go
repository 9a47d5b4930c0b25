package folder

import (
	"context"
	"fmt"
	"path"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// leaves says why an entry of the source is none to be copied, because it serves the
// job itself, or nothing.
func (h *handling) leaves(rel string, s *entry) string {
	if s.kind == isDir {
		return h.skipped(rel)
	}
	return h.markerOf(s.name)
}

// file decides about a file and has it copied. d is what bears its name at the other
// side. It returns false if the walk is to end.
func (m *merge) file(rel string, s, d *entry) bool {
	j := m.j
	if why := j.filter.leavesOut(s); why != "" {
		j.left(rel, s, why)
		return true
	}
	target, first, d, err := m.target(rel, s, d)
	switch {
	case err != nil:
		return m.refuseFile(rel, s, err)
	case d != nil && d.kind != s.kind:
		return m.refuseFile(rel, s, otherKind(s, d))
	}
	base := partOf(path.Base(target))
	if base != "" && !j.up && m.sibling(base) && !j.o.Unfinished {
		return m.refuseFile(rel, s, fmt.Errorf("%w: the download of %q beside it needs that name for itself: rename or exclude one", ErrName, transport.Printable(base)))
	}
	if m.copied(s) {
		j.count(func(r *Report) { r.Unchanged++ })
		j.tell(Item{Action: Skip, Path: rel, Size: s.size, Reason: "copied, as its marker says", Finding: Same})
		return true
	}
	v, err := j.decide(rel, s, d)
	if err == nil && v.doubt == nil {
		if m.unseen && v.found == Missing {
			v.found, v.reason = FindingNone, "what is there cannot be listed"
		}
		v.marked = m.marked(target)
		v, err = j.complete(rel, s, d, v, v.marked)
	}
	if err != nil {
		j.abort(err)
		return false
	}
	if v.doubt != nil {
		j.tell(Item{Action: j.action, Path: rel, Size: s.size, Err: v.doubt})
		return true
	}
	if v.noTime && !v.ask {
		j.count(func(r *Report) { r.NoTimes++ })
	}
	if !v.copy {
		if err := j.learn(rel, target, s, d, v); err != nil {
			j.abort(err)
			return false
		}
		j.count(func(r *Report) { r.Unchanged++ })
		if j.wantsMode(s, d) {
			return j.putMode(m.ctx, target, s)
		}
		j.tell(Item{Action: Skip, Path: rel, Size: s.size, Reason: v.reason, Finding: v.found})
		return true
	}
	c := &copying{j: j, n: m.n, rel: rel, target: target, first: first, entry: *s, verdict: v, now: j.now}
	if why := m.unmarked(s); why != "" {
		j.tell(j.unready(Item{Action: j.action, Path: rel, Size: s.size}, why))
		return true
	}
	switch {
	case base != "" && !j.up && !j.o.DryRun && j.o.Ready.Stable == 0:
		j.last = append(j.last, c)
		return true
	case j.o.Ready.Stable > 0:
		return j.postpone(c)
	}
	return j.put(m.ctx, c.task())
}

// refuseFile tells about a file that nothing can be done about, and moves it to the dead
// letters if there are any. It returns false if the walk is to end.
func (m *merge) refuseFile(rel string, s *entry, err error) bool {
	j := m.j
	if j.h.dead.t == nil {
		j.refuse(rel, s, err)
		return true
	}
	c := &copying{j: j, rel: rel, target: rel, entry: *s, now: j.now}
	return j.put(m.ctx, &task{size: s.size, do: func(ctx context.Context) {
		item := Item{Action: Refuse, Path: rel, Size: c.entry.size, Err: err}
		seen, release, why, serr := c.begin(ctx)
		if why == "" && serr == nil {
			c.deadLetter(ctx, seen, &item)
		}
		release()
		j.tell(item)
	}})
}

// otherKind is the error of an entry whose place is taken by something else.
func otherKind(s, d *entry) error {
	return fmt.Errorf("%w: it is %s here and %s there: remove one, or exclude it", ErrTypeConflict, s.kind, d.kind)
}

// target gives a file its name at the other side, and finds what bears that there.
func (m *merge) target(rel string, s, d *entry) (target, first string, there *entry, err error) {
	j := m.j
	if j.h.name == nil {
		if err := j.dst.check(s.name); err != nil {
			return "", "", nil, err
		}
		if j.h.first == nil {
			return rel, rel, d, nil
		}
	}
	target, first, err = j.h.names(rel, facts{name: s.name, now: j.now, mtime: s.time()})
	if err != nil {
		return "", "", nil, err
	}
	for _, name := range []string{target, first} {
		if err := j.dst.check(lastOf(name)); err != nil {
			return "", "", nil, err
		}
	}
	if j.h.name == nil {
		return target, first, d, nil
	}
	key := lastOf(target)
	if j.folded {
		key = fold(key)
	}
	if m.targets == nil {
		m.targets = map[string]bool{}
	}
	if m.targets[key] {
		return "", "", nil, fmt.Errorf("%w: Options.Name gives %q to another file of the folder too: add a field", ErrName, transport.Printable(target))
	}
	m.targets[key] = true
	there, _ = find(m.dst, key)
	return target, first, there, nil
}

// lastOf is what follows the last slash, of a name that may be anything.
func lastOf(rel string) string {
	for i := len(rel) - 1; i >= 0; i-- {
		if rel[i] == '/' {
			return rel[i+1:]
		}
	}
	return rel
}

// lookUp finds an entry of the source's folder by its name.
func (m *merge) lookUp(name string) (*entry, bool) {
	if m.j.folded {
		name = fold(name)
	}
	return find(m.src, name)
}

// unmarked says that a file waits for its marker, or nothing.
func (m *merge) unmarked(s *entry) string {
	h := &m.j.h
	if !h.ready.set() {
		return ""
	}
	e, ok := m.lookUp(h.ready.of(s.name))
	if !ok {
		e = nil
	}
	return h.waits(s, e)
}

// waits says that a file waits for its marker, of which e is what is there, nil for
// nothing.
func (h *handling) waits(s, e *entry) string {
	name := h.ready.of(s.name)
	switch {
	case e == nil || e.kind != isFile:
		return fmt.Sprintf("its marker %q is not there", name)
	case e.exact && s.exact && e.time().Unix() < s.time().Unix():
		return fmt.Sprintf("its marker %q is older than it", name)
	}
	return ""
}

// copied reports whether a file has a marker that says so of this version.
func (m *merge) copied(s *entry) bool {
	if !m.j.h.source.set() {
		return false
	}
	e, ok := m.lookUp(m.j.h.source.of(s.name))
	return ok && e.marks(s)
}

// marks reports whether e marks a file as copied: it bears that version's time.
func (e *entry) marks(s *entry) bool {
	return e.kind == isFile && e.exact && s.exact && e.time().Unix() == s.time().Unix()
}

// marked reports whether what was copied has its marker, or needs none.
func (m *merge) marked(target string) bool {
	if !m.j.h.target.set() {
		return true
	}
	name := lastOf(m.j.h.markOf(target))
	if m.j.folded {
		name = fold(name)
	}
	e, ok := find(m.dst, name)
	return ok && e.kind == isFile
}

// unready makes an item one that is left for the next time.
func (j *job) unready(i Item, why string) Item {
	j.count(func(r *Report) { r.NotReady++ })
	i.Action, i.NotReady, i.Reason = Skip, true, "not ready: "+why
	return i
}
