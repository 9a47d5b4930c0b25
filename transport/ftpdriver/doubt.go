package ftpdriver

import (
	"errors"
	"io/fs"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// One answer of a server may be refuted by another one. MLST of some refuses every file;
// SIZE of some has no size of an empty one. They are asked in another way then, where that
// costs nothing on servers that are right.

// deniesFiles reports whether a refusal of MLST may be one of all files: on this host it
// has not described one yet.
func (c *Conn) deniesFiles(r reply) bool {
	if c.describes || r.code < 500 {
		return false
	}
	switch r.kind() {
	case transport.KindNotExist, transport.KindRefused, transport.KindPermission, transport.KindName, transport.KindExist:
		return true
	}
	return false
}

// tookFile takes note of a file that MLST has described.
func (c *Conn) tookFile() {
	if !c.describes {
		c.describes = true
		c.learned.Note(c.addr, describesFiles, true)
	}
}

// denied asks for a name that MLST has refused in the plain way.
func (c *Conn) denied(name string, r reply) (transport.Entry, error) {
	e, err := c.statPlain(name)
	switch missing := errors.Is(err, fs.ErrNotExist); {
	case err == nil && c.inList == unseen:
		c.noMLST = true
		return e, nil
	case err == nil, !c.ctl.inStep():
		return e, err // what is found in a listing alone says nothing against MLST
	case missing && vague(r) && (c.inList == absent || r.kind() == transport.KindRefused):
		c.tookAbsent(r, name)
		return e, c.refusedAs(transport.KindNotExist, r, name)
	}
	return e, c.refused(r, name)
}

// deniesFolders reports whether the refusal of MLSD that was read last may be one of all
// paths.
func (c *Conn) deniesFolders() bool {
	if c.lists || c.ctl.last.verb != "MLSD" || c.ctl.last.code < 500 || !c.ctl.inStep() {
		return false
	}
	switch c.ctl.last.kind() {
	case transport.KindNotExist, transport.KindRefused, transport.KindPermission, transport.KindName:
		return true
	}
	return false
}

// deniedFolder asks for a listing from inside a folder that MLSD has refused, where that
// can be entered.
func (c *Conn) deniedFolder(op *wire.Op, path string, l *lister) error {
	denied := c.refused(c.ctl.last, path)
	r, err := c.enter(path)
	if err != nil && !c.ctl.inStep() {
		return err
	}
	if err != nil || !r.positive() {
		return denied
	}
	err = c.listing(op, "MLSD", l)
	if err != nil && l.lines == 0 && c.deniesFolders() {
		l.denied, err = true, denied // LIST may do
	}
	if !c.ctl.inStep() {
		return err
	}
	return joinErr(err, c.goHome())
}

// agreed forgets the doubts about refusals of names that RETR has refused as well. What has
// not been refused yet is still to be looked at.
func (g *download) agreed(first reply) {
	for _, p := range g.w.parts {
		if q, ok := p.q.(*transport.Stat); ok && p.doubted && p.err != nil && q.Path == g.q.Path && first.code >= 500 {
			p.look = nil
		}
	}
}

// sizeless reports whether a reply to SIZE is a size by its code and has none.
func (c *Conn) sizeless(size reply) bool {
	_, ok := c.sizeAndTime(size, reply{})
	return !ok
}
