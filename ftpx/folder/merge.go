package folder

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
)

// merge goes through two sorted listings of one folder side by side.
type merge struct {
	j        *job
	ctx      context.Context
	n        *node
	src, dst []entry
	folders  []*node // of the source, to be walked next
	unseen   bool    // dst is empty because it cannot be listed

	seed   maphash.Seed
	absent map[uint64]bool // folded names that only the source has, if Delete is set

	targets map[string]bool // names given by Options.Name, as they are compared
}

func (m *merge) run() {
	var extra []*entry
	if m.j.o.Delete {
		m.seed, m.absent = maphash.MakeSeed(), map[uint64]bool{}
	}
	var last *entry
	si, di := 0, 0
	for si < len(m.src) || di < len(m.dst) {
		var s, d *entry
		switch {
		case di == len(m.dst) || si < len(m.src) && m.src[si].key < m.dst[di].key:
			s = &m.src[si]
		case si == len(m.src) || m.dst[di].key < m.src[si].key:
			d = &m.dst[di]
		default:
			s, d = &m.src[si], &m.dst[di]
		}
		switch {
		case s == nil:
			di++
			if last != nil && last.key == d.key {
				continue // the source's is at work on it
			}
			extra = append(extra, d)
		case last != nil && s.key == last.key:
			si++ // before its counterpart is looked at, which is that of the first
			m.twice(s)
			continue
		default:
			si++
			if d != nil {
				di++
			} else if m.absent != nil {
				m.absent[m.folded(s.name)] = true
			}
			last = s
			if !m.pair(s, d) {
				return
			}
		}
	}
	m.j.count(func(r *Report) { r.Extra += len(extra) })
	if m.absent == nil {
		return
	}
	counterparts := m.counterparts(extra)
	for _, d := range extra {
		if m.absent[m.folded(d.name)] {
			m.j.left(say(m.n.rel, d.name), d, "not deleted: it differs only in case from what is copied, and may be that file there")
		} else {
			m.j.planExtra(m.ctx, m.n.rel, d, inherited{all: m.n.all, counterpart: counterparts[m.folded(d.name)]})
		}
	}
}

func (m *merge) folded(name string) uint64 { return maphash.String(m.seed, fold(name)) }

// counterparts are the folded names of which a source that is a server has another spelling: if
// it finds names in whatever case, it has them all.
func (m *merge) counterparts(extra []*entry) map[uint64]bool {
	if m.j.up || len(extra) == 0 {
		return nil
	}
	counterparts := make(map[uint64]bool, len(extra))
	for _, d := range extra {
		counterparts[m.folded(d.name)] = false
	}
	for i := range m.src {
		name := m.folded(m.src[i].name)
		if _, ok := counterparts[name]; ok {
			counterparts[name] = true
		}
	}
	return counterparts
}

// twice is about a second name that would be the same file.
func (m *merge) twice(s *entry) {
	rel := say(m.n.rel, s.name)
	if why := m.j.filter.excluded(rel, s.kind == isDir); why != "" {
		m.j.left(rel, s, why)
		return
	}
	m.j.refuse(rel, s, fmt.Errorf("%w: it is that of another entry of the folder, or differs from it only in case: rename one", ErrName))
}

// pair deals with an entry of the source and what bears its name at the other side,
// nil if nothing does. It returns false if the walk is to end.
func (m *merge) pair(s, d *entry) bool {
	j := m.j
	err := j.src.check(s.name)
	if err == nil && (s.kind != isFile || j.h.name == nil && j.h.dead.t == nil) { // else when it is known to be copied
		err = j.dst.check(s.name)
	}
	if err != nil {
		j.refuse(say(m.n.rel, s.name), s, err)
		return true
	}
	rel := join(m.n.rel, s.name)
	named := m.n.parent == nil && j.o.Names != nil
	if !named && !j.o.Unfinished && unfinished(s.name, m.sibling) {
		j.left(rel, s, "an unfinished transfer")
		return true
	}
	if why := j.h.leaves(rel, s); why != "" {
		j.left(rel, s, why)
		return true
	}
	if why := j.filter.excluded(rel, s.kind == isDir); why != "" {
		j.left(rel, s, why)
		return true
	}
	linked := m.n.linked
	if s.kind == isLink && j.o.Links == LinkKeep && !named {
		return m.keepLink(rel, s, d)
	}
	if s.kind == isLink {
		if s = m.link(rel, s, named); s == nil {
			return true
		}
		linked = linked || s.kind == isDir
		if why := j.filter.excluded(rel, s.kind == isDir); why != "" {
			j.left(rel, s, why)
			return true
		}
	}
	all := m.n.all || j.filter.takes(rel, s.kind == isDir)
	switch {
	case s.kind == isUntold:
		j.blind = true // it may be a folder, with all that is in it
		j.refuse(rel, s, ErrUnknownType)
	case s.kind == isOther:
		j.left(rel, s, "neither a file nor a folder")
	case s.kind == isFile && !all:
		j.left(rel, s, "no pattern of Include takes it")
	case s.kind == isFile:
		return m.file(rel, s, d)
	case d != nil && d.kind != s.kind:
		j.refuse(rel, s, otherKind(s, d))
	default:
		child := &node{rel: rel, parent: m.n, there: d != nil, all: all, linked: linked}
		j.noteFolderMode(rel, s, d)
		m.folders = append(m.folders, child)
		return child.there || j.putFolder(m.ctx, child)
	}
	return true
}

// String says what a thing is.
func (k kind) String() string {
	return [...]string{"a file", "a folder", "a link", "neither a file nor a folder", "something of which the server does not tell what it is"}[k]
}

// beside looks for a name in the source's folder.
func (m *merge) sibling(name string) bool {
	if m.j.folded {
		name = fold(name)
	}
	_, ok := find(m.src, name)
	return ok
}

// link deals with a link as Options.Links says. It returns what it leads to, nil if
// the link has been dealt with. One that was named is followed.
func (m *merge) link(rel string, s *entry, named bool) *entry {
	j := m.j
	if named = named && j.o.After.Source == SourceKeep && j.o.DeadLetter == ""; j.o.Links == LinkSkip && !named {
		j.left(rel, s, "a link")
		return nil
	}
	to := *s
	err := j.src.follow(m.ctx, rel, &to)
	if j.o.Links == LinkFiles && !named && (err == nil && to.kind == isDir || errors.Is(err, errCircle)) {
		j.left(rel, s, "a link to a folder, which may lead in circles")
		return nil
	}
	if err == nil && to.kind == isDir && !j.up && m.n.linked {
		err = errors.New("a link to a folder beneath another, which may lead in circles: exclude it")
	}
	if err != nil {
		j.refuse(rel, s, fmt.Errorf("the link cannot be followed: %w", err))
		return nil
	}
	return &to
}
