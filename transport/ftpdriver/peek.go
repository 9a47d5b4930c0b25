package ftpdriver

import (
	"context"
	"errors"
	"path"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Peek implements [transport.Peeker]: what Stat asks of each name leaves in one write,
// and with it, where a Store is to follow, the question for its port.
func (c *Conn) Peek(ctx context.Context, store bool, names ...string) []Looked {
	k := &peek{c: c, ctx: ctx, found: make([]Looked, len(names))}
	for i, name := range names {
		if err := transport.CheckPath(name); err != nil {
			k.found[i].Err = c.ep.Fail("MLST", name, transport.KindInvalid, err)
			continue
		}
		k.found[i].Err = errUnasked
		k.names = append(k.names, asked{i, name})
	}
	if len(k.names) == 0 {
		return k.found
	}
	err := c.do(ctx, "MLST", k.names[0].name, func(*transport.Op) error {
		if store && !c.serial && c.mayAskAhead() {
			k.ends = []string{"EPSV"}
			c.aheadPort = 0 // the server forgets it
		}
		return k.all()
	})
	for _, a := range k.names {
		var e *transport.Error
		if k.found[a.at].Err == errUnasked && errors.As(err, &e) {
			own := *e
			own.Path = a.name
			k.found[a.at].Err = &own
		}
	}
	return k.found
}

// Forget implements [transport.Peeker]. A port that was asked for goes by itself.
func (c *Conn) Forget(context.Context, string) {}

var errUnasked = errors.New("nothing is known of the name")

// peek is one call of Peek.
type peek struct {
	c     *Conn
	ctx   context.Context
	names []asked
	found []Looked
	ends  []string // what goes with the first questions
}

// asked is a name and its place among all.
type asked struct {
	at   int
	name string
}

// all asks for all names. An error is about the connection.
func (k *peek) all() error {
	c := k.c
	switch {
	case c.serial:
		return k.each(k.names, c.stat)
	case c.feats.has("MLST") && !c.noMLST:
		rest, err := k.machine()
		if err != nil {
			return err
		}
		return k.each(rest, c.statPlain)
	}
	// A folder among the names changes what those after it are relative to, unless the
	// way home goes with the questions.
	if err := c.findHome(); err != nil {
		if !c.ctl.inStep() {
			return err
		}
		return k.each(k.names, c.statPlain)
	}
	return k.plain()
}

// each asks one after the other.
func (k *peek) each(names []asked, stat func(string) (transport.Entry, error)) error {
	for _, a := range names {
		entry, err := stat(a.name)
		if err = k.tell(a, entry, err); err != nil {
			return err
		}
	}
	return nil
}

// tell takes what was found of a name. An error of the connection is returned.
func (k *peek) tell(a asked, entry transport.Entry, err error) error {
	if err == nil {
		entry.Name = path.Base(a.name)
		k.found[a.at] = Looked{Entry: entry}
		return nil
	}
	var own *transport.Error
	if !errors.As(err, &own) && !k.c.ctl.inStep() {
		return err
	}
	k.found[a.at].Err = k.c.failure(k.ctx, "MLST", a.name, err)
	return nil
}

// ask sends lines, and takes the replies to what goes with them.
func (k *peek) ask(lines []string) ([]reply, error) {
	replies, err := k.c.exchange(append(lines, k.ends...)...)
	if err != nil {
		return nil, err
	}
	for _, r := range replies[len(lines):] {
		k.c.took(r, nil, false)
	}
	return replies[:len(lines)], nil
}

// machine asks with MLST, and returns the names of which that does not tell enough.
func (k *peek) machine() (rest []asked, err error) {
	var lines []string
	for _, a := range k.names {
		lines = append(lines, "MLST "+a.name)
	}
	replies, err := k.ask(lines)
	if err != nil {
		return nil, err
	}
	for i, a := range k.names {
		entry, ok, err := k.c.tookMLST(replies[i], a.name)
		if err == nil && !ok {
			rest = append(rest, a)
		} else if err = k.tell(a, entry, err); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// plain asks without MLST, from the login folder each time.
func (k *peek) plain() error {
	c := k.c
	const each = 4
	var lines []string
	for _, a := range k.names {
		lines = append(lines, "SIZE "+a.name, "MDTM "+a.name, "CWD "+a.name, "CWD "+c.home)
	}
	replies, err := k.ask(lines)
	if err != nil {
		return err
	}
	for i := range k.names {
		c.notEntered(replies[each*i+2])
	}
	for i, a := range k.names {
		r := replies[each*i:]
		size, mdtm, cwd, home := r[0], r[1], r[2], r[3]
		var lost error
		if cwd.positive() && !home.positive() {
			c.ctl.broken.Store(true)
			lost = c.refused(home, a.name)
		} else if cwd.positive() && !c.cwdTells {
			lost = c.leaveAsking() // it is at home, and goes there again
		}
		entry, err := c.judge(a.name, size, mdtm, func() (bool, error) { return c.wasFolder(cwd, a.name, lost) })
		if err = k.tell(a, entry, err); err != nil {
			return err
		}
		if lost != nil {
			return lost // what follows was asked in another folder
		}
	}
	return nil
}
