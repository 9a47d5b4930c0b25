package ftpdriver

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A batch is sent in flights, each of which is a write and a round trip. What may leave together is
// decided here: as much as can mean nothing else than if each request had been sent when
// the one before it had been answered.

// flight is what leaves in one write.
type flight struct {
	parts []*part
	// move is the Store or Retrieve at its end, nil if there is none.
	move transport.Request
	// behind are parts for the time after move that are sent with it or right behind it.
	behind []*part
	// port: the port for the transfer that comes next is asked for.
	port bool
	// moved says that move is over, and failed what went wrong with it.
	moved  bool
	failed error
	// skip: its condition was not met.
	skip bool
	// lost is why the session has ended, where it has ended with something else.
	lost error
}

// linesOf returns the lines of parts.
func linesOf(parts []*part) (lines []string) {
	for _, p := range parts {
		lines = append(lines, p.lines...)
	}
	return lines
}

// allJudged reports whether all parts have been answered.
func allJudged(parts []*part) bool {
	return !slices.ContainsFunc(parts, func(p *part) bool { return !p.judged })
}

// plan decides what leaves next. Its first request's condition has been met.
func (r *run) plan() *flight {
	c, w := r.c, &flight{}
	if r.carries != nil && (!r.asked || !r.carriesAlong()) {
		w.parts = []*part{r.carriedPart()}
		w.port = transfers(r.reqs[r.next:]) && c.mayPrefetch() && !c.hasPort()
		return w
	}
	if r.carries != nil {
		w.parts = []*part{r.carriedPart()}
	}
	i := r.next
	for ; i < len(r.reqs) && w.move == nil && (i == r.next || r.joins(w, i)); i++ {
		if isText(r.reqs[i]) {
			break // see text.go
		}
		if isTransfer(r.reqs[i]) && c.check(r.reqs[i]) == nil {
			w.move = r.reqs[i]
		} else if p := r.part(r.reqs[i]); p != nil {
			w.parts = append(w.parts, p)
		} else {
			break
		}
	}
	w.port = w.move == nil && c.mayPrefetch() && !c.hasPort() && r.portWanted(i)
	return w
}

// part is that of the connection, and the digest of a small file that the batch has stored
// a moment ago.
func (r *run) part(q transport.Request) *part {
	h, ok := q.(*transport.Hash)
	if !ok || r.c.check(q) != nil {
		return r.c.part(q)
	}
	for _, q := range r.reqs[:r.next] {
		if s, ok := q.(*transport.Store); ok && s.Err == nil && s.Path == h.Path && s.Offset+s.Stored <= smallFile {
			return r.c.hashPart(h, s.Offset+s.Stored)
		}
	}
	return nil
}

// joins reports whether the i-th request may leave with those before it.
func (r *run) joins(w *flight, i int) bool {
	q := r.reqs[i]
	if _, ok := q.(*transport.Retrieve); ok && r.c.check(q) == nil {
		return true // it changes nothing, and is cut off if it is not wanted
	}
	if q.Common().If != nil || unsettled(w.parts, q) {
		return false
	}
	if s, ok := q.(*transport.Store); ok {
		return s.Offset == 0 && !s.Append && r.c.hasPort() && readsAtOnce(s.Src)
	}
	return true
}

// unsettled reports whether a request would change what an earlier one may have to be
// asked about again.
func unsettled(parts []*part, q transport.Request) bool {
	if !changes(q) {
		return false
	}
	for _, p := range parts {
		if p.q == nil {
			continue
		}
		switch p.q.(type) {
		case *transport.Rename, *transport.Ping, *transport.Space:
			continue // no second look is taken
		case *transport.Mkdir:
			if _, too := q.(*transport.Mkdir); too {
				continue // what another has made says as little as what was there
			}
		}
		for _, a := range p.q.Paths() {
			for _, b := range q.Paths() {
				if related(*a, *b) {
					return true
				}
			}
		}
	}
	return false
}

// changes reports whether a request changes what a look finds.
func changes(q transport.Request) bool {
	switch q.(type) {
	case *transport.Store, *transport.Rename, *transport.Remove, *transport.Mkdir, *transport.Rmdir, *transport.SetTime:
		return true
	}
	return false
}

// related reports whether one path is the other, or leads to it.
func related(a, b string) bool {
	absolute := strings.HasPrefix(a, "/")
	if absolute != strings.HasPrefix(b, "/") || strings.Contains(a+"/"+b, "./") {
		return true // perhaps
	}
	a, b = strings.Trim(a, "/")+"/", strings.Trim(b, "/")+"/"
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
}

func isTransfer(q transport.Request) bool {
	switch q.(type) {
	case *transport.Store, *transport.Retrieve:
		return true
	}
	return false
}

// portWanted reports whether the port for a transfer may be asked for with what comes
// before the i-th request.
func (r *run) portWanted(i int) bool {
	rest := r.reqs[min(i, len(r.reqs)):]
	if len(rest) == 1 {
		if _, ok := rest[0].(*transport.Rename); ok {
			rest = nil
		}
	}
	if transfers(rest) || r.interrupted() {
		return true
	}
	return len(rest) == 0 && r.c.transferFollows()
}

// interrupted reports whether a transfer of this batch has been cut off while the session
// is well: whoever wanted it is likely to go on with it next.
func (r *run) interrupted() bool {
	for _, q := range r.reqs[:r.next] {
		if isTransfer(q) && transport.KindOf(q.Common().Err) == transport.KindLost {
			return true
		}
	}
	return false
}

// transfers reports whether the first write of requests is, or holds, a transfer.
func transfers(reqs []transport.Request) bool {
	for i, q := range reqs {
		switch q.(type) {
		case *transport.Retrieve:
			return true
		case *transport.Store:
			return i == 0
		case *transport.List, *transport.Raw, *transport.Hash:
			return false
		}
		if i > 0 && q.Common().If != nil {
			return false
		}
	}
	return false
}

// shape fills in how each Stat is asked, which depends on what leaves with it. A transfer
// waits for one that cannot be asked in this write.
func (r *run) shape(w *flight) error {
	c := r.c
	wantsHome := !c.feats.has("MLST") || c.noMLST
	for _, p := range w.parts {
		q, ok := p.q.(*transport.Stat)
		if !ok || p.judge != nil {
			continue
		}
		form := statAmong
		get, ok := w.move.(*transport.Retrieve)
		p.doubted = len(r.reqs) == 1 || ok && get.Path == q.Path || r.stored(q.Path)
		switch {
		case ok && get.Path == q.Path && c.traits.sizesFiles, r.stored(q.Path):
			form = statFile
		case len(r.reqs) == 1 && !w.port:
			form = statAlone
		case wantsHome:
			wantsHome = false // it is asked for once
			find := c.findHome
			if ok {
				find = c.findHomeAndPort
			}
			if err := find(); err != nil && !c.ctl.inStep() {
				return err
			}
		}
		if c.statPart(p, form); len(p.lines) == 0 {
			w.move = nil
		}
	}
	return nil
}

// stored reports whether the batch has put a file there.
func (r *run) stored(path string) bool {
	return slices.ContainsFunc(r.reqs[:r.next], func(q transport.Request) bool {
		s, ok := q.(*transport.Store)
		return ok && s.Err == nil && s.Path == path
	})
}

// behind returns the requests from the i-th on that may be sent with the Store of a path,
// to be answered after it: those about the file that do no harm if the server reads them
// too soon, and that can be sent again then.
func (r *run) behind(i int, path string, size int64) (parts []*part) {
	c := r.c
	for ; i < len(r.reqs) && r.reqs[i].Common().If == nil && c.check(r.reqs[i]) == nil; i++ {
		var p *part
		switch q := r.reqs[i].(type) {
		case *transport.SetTime:
			if q.Path == path {
				p = c.part(q)
			}
		case *transport.Stat:
			if q.Path == path {
				p = &part{q: q, doubted: true}
				c.statPart(p, statFile)
			}
		case *transport.Hash:
			if q.Path == path && size <= smallFile {
				p = c.hashPart(q, size)
			}
		}
		if p == nil {
			break
		}
		parts = append(parts, p)
	}
	return parts
}

// readsAtOnce reports whether a source waits for nobody.
func readsAtOnce(src io.Reader) bool {
	switch r := src.(type) {
	case *os.File, *bytes.Reader, *strings.Reader:
		return true
	case *io.LimitedReader:
		return readsAtOnce(r.R)
	}
	return false
}
