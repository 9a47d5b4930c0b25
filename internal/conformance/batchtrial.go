package conformance

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// errPending stands in a request until its result does.
var errPending = errors.New("there is no result yet")

// A trial is a list made into requests about one tree.
type trial struct {
	list     list
	dir      string
	disk     Disk
	conn     transport.Conn
	requests []transport.Request
	got      []*received
	ending   int  // the request with which the session is to end, -1 for none
	over     bool // it has ended
	asked    int  // conditions
	bad      []string
}

// received is what came of a Retrieve or List.
type received struct {
	bytes.Buffer
	entries []string
	w       wish
	end     func() // ends the session
}

func (g *received) Write(p []byte) (int, error) {
	switch g.w.odd {
	case "ends":
		g.end()
	case "fails", "enough":
		if room := 7 - g.Len(); room < len(p) {
			n, _ := g.Buffer.Write(p[:max(room, 0)])
			if g.w.odd == "fails" {
				return n, errOwn
			}
			return n, transport.ErrEnough
		}
	}
	return g.Buffer.Write(p)
}

// trial makes a new tree, and a list's requests about it.
func (r *batchRun) trial(l list, dir string, conn transport.Conn) *trial {
	t := &trial{list: l, dir: dir, disk: r.opts.Disk, conn: conn, ending: -1}
	if err := lay(r.opts.Disk, dir); err != nil {
		r.Errorf("a new tree: %v", err)
		return nil
	}
	for i, w := range l {
		g := &received{w: w, end: func() { t.over = true; _ = conn.Close() }}
		t.got = append(t.got, g)
		q := t.request(w, g)
		h := q.Common()
		h.Err = errPending
		if w.cond.kind != "" {
			h.If = func() bool { return t.ask(i) }
		}
		if w.odd == "ends" || w.cond.kind == "ends" {
			t.ending = i
		}
		t.requests = append(t.requests, q)
	}
	return t
}

// at returns the path of a name in the tree. What begins with "/" lies outside, and
// what is not valid stays so.
func (t *trial) at(name string) string {
	switch {
	case name == "":
		return ""
	case name[0] == '/':
		return name[1:]
	}
	return t.dir + "/" + name
}

func (t *trial) request(w wish, g *received) transport.Request {
	p := t.at(w.path)
	switch w.kind {
	case "Stat":
		return &transport.Stat{Path: p}
	case "List":
		return &transport.List{Path: p, Yield: func(e transport.Entry) bool {
			if w.odd == "ends" {
				g.end()
			}
			g.entries = append(g.entries, entryText(e))
			return true
		}}
	case "Store":
		var src io.Reader = bytes.NewReader(random(w.n))
		switch w.odd {
		case "fails":
			src = failingReader{src}
		case "ends":
			src = io.MultiReader(src, readerFunc(func([]byte) (int, error) { g.end(); return 0, io.EOF }))
		}
		return &transport.Store{Path: p, Offset: w.offset, Size: w.size, Src: src}
	case "Retrieve":
		return &transport.Retrieve{Path: p, Offset: w.offset, Limit: w.size, Dst: g}
	case "Rename":
		return &transport.Rename{From: p, To: t.at(w.to), Replace: w.replace}
	case "Remove":
		return &transport.Remove{Path: p}
	case "Mkdir":
		return &transport.Mkdir{Path: p}
	case "Rmdir":
		return &transport.Rmdir{Path: p}
	case "SetTime":
		return &transport.SetTime{Path: p, Time: w.sets}
	case "SetMode":
		return &transport.SetMode{Path: p, Mode: w.mode}
	case "Truncate":
		return &transport.Truncate{Path: p, Size: w.size}
	case "Hash":
		return &transport.Hash{Path: p, Algo: w.to, Offset: w.offset, Size: w.size}
	case "Link":
		return &transport.Link{Path: p, Make: w.to != "", Target: w.to}
	case "Raw":
		return &transport.Raw{Line: w.path}
	case "Space":
		return &transport.Space{Path: p}
	case "Ping":
		return &transport.Ping{}
	}
	panic(w.kind)
}

// ask is a condition. It notices when it is asked too early or twice.
func (t *trial) ask(i int) bool {
	w, c := t.list[i], t.list[i].cond
	t.asked++
	complain := func(format string, args ...any) {
		t.bad = append(t.bad, fmt.Sprintf("the condition of request %d, %s, was asked ", i, w)+fmt.Sprintf(format, args...))
	}
	for j, q := range t.requests[:i] {
		if errors.Is(q.Common().Err, errPending) {
			complain("before request %d was answered", j)
		}
	}
	if !errors.Is(t.requests[i].Common().Err, errPending) {
		complain("when the request had a result")
	}
	if t.got[i].Len() > 0 || len(t.got[i].entries) > 0 {
		complain("when the request had brought something")
	}
	if g := t.got[i]; g.w.cond.kind == "asked" {
		complain("twice")
	} else {
		g.w.cond.kind = "asked"
	}
	var on transport.Request
	if c.on < i {
		on = t.requests[c.on]
	}
	st, _ := on.(*transport.Stat)
	switch c.kind {
	case "ends":
		t.got[i].end()
		return true
	case "true":
		return true
	case "ok":
		return on.Common().OK()
	case "failed":
		return !on.Common().OK()
	case "small":
		return st == nil || st.OK() && st.Entry.Size < 1000
	case "size":
		return st.OK() && st.Entry.Size == t.list[i].offset && st.Entry.Type == transport.TypeFile
	}
	return false
}

// outcome is what can be compared of a request's result.
func (t *trial) outcome(i int) string {
	q, g := t.requests[i], t.got[i]
	s := errorText(q.Common().Err)
	switch q := q.(type) {
	case *transport.Stat:
		s += " " + entryText(q.Entry)
	case *transport.List:
		slices.Sort(g.entries)
		s += " " + strings.Join(g.entries, ", ")
	case *transport.Store:
		s += fmt.Sprintf(" stored %d", q.Stored)
	case *transport.Retrieve:
		s += fmt.Sprintf(" received %d: %d bytes %x", q.Received, g.Len(), sha256.Sum256(g.Bytes()))
	case *transport.Hash:
		s += fmt.Sprintf(" %x", q.Sum)
	case *transport.Link:
		s += " " + q.Target
	case *transport.Raw:
		s += fmt.Sprintf(" %d", q.Code)
	case *transport.Space:
		s += fmt.Sprintf(" free is told: %v, total: %v", q.Free > 0, q.Total > 0)
	}
	return strings.ReplaceAll(s, t.dir, "the tree")
}

func entryText(e transport.Entry) string {
	size := e.Size
	if e.Type != transport.TypeFile {
		size = 0 // a folder's says nothing
	}
	at := when(e.ModTime)
	if e.Type == transport.TypeDir {
		at = ""
	}
	return fmt.Sprintf("{%s %v %d %s %o %s}", e.Name, e.Type, size, at, e.Perm, path.Base(e.Target))
}

// errorText tells an error as far as it can be compared.
func errorText(err error) string {
	var te *transport.Error
	switch {
	case err == nil:
		return "done"
	case err == transport.ErrSkipped || err == transport.ErrUnsent || err == errPending:
		return err.Error()
	case errors.As(err, &te):
		return fmt.Sprintf("%s refused, own: %v", te.Kind, errors.Is(err, errOwn))
	}
	return fmt.Sprintf("%T, which is no error of a request: %v", err, err)
}
