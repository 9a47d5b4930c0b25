package ftpdriver

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// part is a request as the command lines that carry it out.
type part struct {
	q     transport.Request // nil where it is none of the batch
	lines []string
	// judge says what the replies mean: an error of its own, or look, which asks for
	// more and is called when all that was sent has been answered.
	judge func(replies []reply) (look func() error, err error)

	sent    bool
	replies []reply
	judged  bool
	broke   bool // the session ended with it, or had ended before
	doubted bool // of a Stat: a refusal of MLST is not believed yet, see [Conn.deniesFiles]
	look    func() error
	err     error
}

// fails is a part that sends nothing.
func fails(q transport.Request, err error) *part {
	return &part{q: q, judge: func([]reply) (func() error, error) { return nil, err }}
}

// pending are the lines that have been sent and not answered.
func (p *part) pending() []string {
	if !p.sent {
		return nil
	}
	return p.lines[len(p.replies):]
}

// line is a request of one line. done says which replies mean success.
func (c *Conn) line(q transport.Request, line string, done func(reply) bool) *part {
	_, name := nameOf(q)
	return &part{q: q, lines: []string{line}, judge: func(r []reply) (func() error, error) {
		if done(r[0]) {
			return nil, nil
		}
		return c.orLook(r[0], name)
	}}
}

// done reports whether a command was carried out; 202 is "superfluous at this site".
func done(r reply) bool { return r.positive() && r.code != 202 }

// part returns a request that is no more than command lines, nil of another. A Stat is
// left without any: they depend on what it leaves with, see [run.shape].
func (c *Conn) part(q transport.Request) *part {
	if err := c.check(q); err != nil {
		return fails(q, err)
	}
	switch q := q.(type) {
	case *transport.Stat:
		return &part{q: q}
	case *transport.Rename:
		return &part{q: q, lines: []string{"RNFR " + q.From, "RNTO " + q.To}, judge: func(r []reply) (func() error, error) {
			return nil, c.renamed(r, nil, q.From, q.To)
		}}
	case *transport.Remove:
		return c.line(q, "DELE "+q.Path, done)
	case *transport.Mkdir:
		return c.line(q, "MKD "+q.Path, done)
	case *transport.Rmdir:
		return c.line(q, "RMD "+q.Path, done)
	case *transport.SetTime:
		return &part{q: q, lines: []string{c.timeLine(q.Path, q.Time)}, judge: func(r []reply) (func() error, error) {
			return c.timed(r[0], q.Path)
		}}
	case *transport.SetMode:
		return c.line(q, fmt.Sprintf("SITE CHMOD %04o %s", q.Mode&0o7777, q.Path), done)
	case *transport.Space:
		return &part{q: q, lines: []string{"AVBL " + q.Path}, judge: func(r []reply) (func() error, error) {
			return nil, c.available(r[0], q)
		}}
	case *transport.Ping:
		return c.line(q, "NOOP", done)
	}
	return nil
}

// available reads "213 1234567" (draft-peterson-streamlined-ftp-command-extensions).
func (c *Conn) available(r reply, q *transport.Space) error {
	if r.code != 213 {
		return c.refused(r, q.Path)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(r.last()), 10, 64)
	if err != nil || n < 0 {
		return c.ep.Fail("AVBL", q.Path, transport.KindProtocol, badReply("AVBL", r.text))
	}
	q.Free, q.Total = n, -1
	return nil
}

// check finds out what cannot be carried out before anything is sent.
func (c *Conn) check(q transport.Request) error {
	cmd, name := nameOf(q)
	invalid := func(err error) error { return c.ep.Fail(cmd, name, transport.KindInvalid, err) }
	cannot := func(err error) error { return c.ep.Fail(cmd, name, transport.KindUnsupported, err) }
	if raw, ok := q.(*transport.Raw); ok {
		if err := checkRaw(raw.Line); err != nil {
			return invalid(err)
		}
		return nil
	}
	if _, making := q.(*transport.Link); !making {
		for _, p := range q.Paths() {
			if err := transport.CheckPath(*p); err != nil {
				return invalid(err)
			}
		}
	}
	negative := errors.New("the offset is negative")
	switch q := q.(type) {
	case *transport.Store:
		if q.Offset < 0 {
			return invalid(negative)
		}
		if q.ASCII && (q.Offset > 0 || q.Append) {
			return invalid(errNoPart)
		}
		if q.Append && c.traits.appendsNot {
			return cannot(errors.New("APPE of this server replaces the file"))
		}
	case *transport.Retrieve:
		if q.Offset < 0 {
			return invalid(negative)
		}
		if q.ASCII && (q.Offset > 0 || q.Limit > 0 || q.Last) {
			return invalid(errNoPart)
		}
	case *transport.Hash:
		if _, ok := c.hashingOf(q.Algo); !ok {
			return cannot(fmt.Errorf("the server does not offer %q", q.Algo))
		}
		if q.Offset < 0 {
			return invalid(negative)
		}
	case *transport.SetTime:
		if !c.canSetTime() {
			return cannot(errNoSetTime)
		}
	case *transport.Truncate:
		return cannot(errors.New("FTP has no command that cuts a file"))
	case *transport.Link:
		return cannot(errors.New("FTP has no command for links"))
	case *transport.Space:
		if !c.feats.has("AVBL") {
			return cannot(errors.New("the server has no AVBL, the command that tells how much room there is"))
		}
	}
	return nil
}

// nameOf returns the command by which a request is known in errors, and its path.
func nameOf(q transport.Request) (cmd, name string) {
	switch q := q.(type) {
	case *transport.Raw:
		return printableVerb(verbOf(q.Line)), ""
	case *transport.Ping:
		return "NOOP", ""
	case *transport.Rename:
		if transport.CheckPath(q.From) == nil && transport.CheckPath(q.To) != nil {
			return "RNTO", q.To
		}
	}
	if paths := q.Paths(); len(paths) > 0 {
		name = *paths[0]
	}
	return commandOf(q), name
}

func commandOf(q transport.Request) string {
	switch q := q.(type) {
	case *transport.Stat:
		return "MLST"
	case *transport.List:
		return "MLSD"
	case *transport.Store:
		return storeVerb(q)
	case *transport.Retrieve:
		return "RETR"
	case *transport.Rename:
		return "RNFR"
	case *transport.Remove:
		return "DELE"
	case *transport.Mkdir:
		return "MKD"
	case *transport.Rmdir:
		return "RMD"
	case *transport.SetTime:
		return "MFMT"
	case *transport.SetMode:
		return "SITE"
	case *transport.Truncate:
		return "truncate"
	case *transport.Hash:
		return "HASH"
	case *transport.Link:
		return "link"
	case *transport.Space:
		return "AVBL"
	}
	return fmt.Sprintf("%T", q)
}

// forms in which a Stat asks, see [Conn.statPart].
const (
	statAlone = iota // nothing comes with it or after it
	statAmong        // other commands do, which rely on where the session is
	statFile         // if it has a size it is a file
)

// found is the result of a Stat.
func (c *Conn) found(q *transport.Stat, e transport.Entry, err error) error {
	if err == nil {
		e.Name = path.Base(q.Path)
		q.Entry = e
	}
	return err
}

// statPart fills in how a Stat is asked.
func (c *Conn) statPart(p *part, form int) {
	q := p.q.(*transport.Stat)
	found := func(e transport.Entry, err error) error { return c.found(q, e, err) }
	plain := func() error { return found(c.statPlain(q.Path)) }
	if c.feats.has("MLST") && !c.noMLST {
		p.lines = []string{"MLST " + q.Path}
		p.judge = func(r []reply) (func() error, error) {
			e, ok, err := c.tookMLST(r[0], q.Path)
			switch {
			case err == nil && !ok:
				return plain, nil
			case err != nil && !c.saysAbsent(r[0], q.Path) && (p.doubted && c.deniesFiles(r[0]) || vague(r[0])):
				return func() error { return found(c.denied(q.Path, r[0])) }, err
			}
			return nil, found(e, err)
		}
		return
	}
	p.lines = []string{"SIZE " + q.Path, "MDTM " + q.Path}
	switch {
	case form == statFile:
		p.judge = func(r []reply) (func() error, error) {
			if e, ok := c.sizeAndTime(r[0], r[1]); ok && e.Size >= 0 {
				return nil, found(e, nil)
			}
			return plain, nil
		}
	case form == statAlone:
		if c.home == "" {
			p.lines = append(p.lines, "PWD")
		}
		p.lines = append(p.lines, "CWD "+q.Path)
		p.judge = func(r []reply) (func() error, error) {
			return func() error { return found(c.tookPlain(q.Path, r)) }, nil
		}
	case c.home == "":
		// Nobody knows the way back that would go with it.
		p.lines, p.judge = nil, func([]reply) (func() error, error) { return plain, nil }
	default:
		p.lines = append(p.lines, "CWD "+q.Path, "CWD "+c.home)
		p.judge = func(r []reply) (func() error, error) { return c.tookAmong(q.Path, r, found) }
	}
}
