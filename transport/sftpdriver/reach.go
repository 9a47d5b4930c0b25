package sftpdriver

import (
	"path"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// maxInFlight is how many requests of a batch are under way at once.
	maxInFlight = 128
	// mostOpen is how many files and folders of a batch are. OpenSSH takes some
	// hundreds in all.
	mostOpen = 16
)

// reach says up to which step requests may leave now, in the turn of step i.
func (r *run) reach(i int) int {
	j := max(i, r.sent)
	for ; j < len(r.steps); j++ {
		s := &r.steps[j]
		if j > i {
			s.prepare()
		}
		r.c.prepareChannels(s.req)
		if !r.may(i, j) {
			break
		}
	}
	return j
}

// may reports whether step j may leave while those from i on are unanswered.
//
//   - What reads may always, also ahead of its condition, since its answer can be thrown
//     away; but what may take a server long is not asked for in vain.
//   - What acts may behind what takes one round trip, because servers answer in order,
//     see [run.ordered], and not ahead of any condition but by a guess.
//   - Nothing may before a file that is being written has been closed.
func (r *run) may(i, j int) bool {
	s := &r.steps[j]
	if j == i {
		return true
	}
	if j-i >= maxInFlight {
		return false
	}
	open := 0
	for u := i; u < j; u++ {
		e := &r.steps[u]
		switch {
		case e.guessed:
			return false
		case u > i && e.req.Common().If != nil && s.acts:
			return false
		case e.bad != nil:
		case e.rounds && !e.closing && (e.acts || s.acts):
			return false
		case !r.ordered(e, s), r.unsettled(e, s):
			return false
		case e.rounds:
			open++
		}
	}
	switch {
	case s.bad != nil:
		return true
	case s.rounds && (open >= mostOpen || open > 0 && r.c.sole()):
		return false
	case s.req.Common().If == nil:
		return true
	case s.acts:
		s.guessed = r.guess(i, j)
		return s.guessed
	}
	_, slow := s.req.(*transport.Hash)
	return !slow
}

// ordered reports whether the server carries out two requests one after the other. All
// must if they are about the same file (section 4.1 of the draft); only those that are
// known to do so must for a folder and what is in it.
func (r *run) ordered(a, b *step) bool {
	if r.c.traits.inOrder || !a.acts && !b.acts {
		return true
	}
	for _, p := range a.paths {
		for _, q := range b.paths {
			if below(p, q) || below(q, p) {
				return false
			}
		}
	}
	return true
}

// unsettled reports whether more may have to be asked about step e than its one packet, so
// that step s may not come between.
func (r *run) unsettled(e, s *step) bool {
	switch q := e.req.(type) {
	case *transport.Stat:
		store, ok := s.req.(*transport.Store)
		return s.acts && r.c.asksMore.Load() && !(ok && store.If != nil) // which leaves on a guess alone
	case *transport.Rename:
		return s.acts && s.bad == nil && q.Replace && e.bad == nil && r.c.posixRename.Load() && !r.c.posixMeant.Load()
	}
	return false
}

// below reports whether a path lies below another one, or may. Whether upper and lower
// case are the same is the server's custom.
func below(dir, p string) bool {
	if path.IsAbs(dir) != path.IsAbs(p) {
		return true
	}
	dir, p = strings.ToLower(path.Clean(dir)), strings.ToLower(path.Clean(p))
	switch {
	case p == dir:
		return false
	case dir == "." || strings.HasPrefix(p, ".."):
		return true
	}
	return strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}

// send lets out what may leave in the turn of step i, behind what the burst holds. A
// request that leaves by itself goes through the library where that can.
func (r *run) send(i int, b *burst) {
	from, to := max(i, r.sent), r.reach(i)
	if r.sent = to; to == from+1 && len(b.replies) == 0 {
		if s := &r.steps[from]; s.name != "STAT" && r.c.lib.can(s.req) {
			s.serial = true
			s.trace()
			return
		}
	}
	for j := from; j < to; j++ {
		if s := &r.steps[j]; s.bad == nil {
			s.trace()
			s.burst = b
			typ, body := s.packet()
			s.reply = b.add(typ, body)
		}
	}
	b.send()
}
