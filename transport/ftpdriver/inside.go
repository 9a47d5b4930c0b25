package ftpdriver

import (
	"context"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// A few servers take a path in no command that moves a file: "STOR in/x" is refused, and
// "CWD in", "STOR x" is not. It shows in a refusal of the one that the other one refutes,
// on a host that has not taken a path yet. Then each request is carried out in its folder,
// one after the other.

// inside is where the session is while a request is carried out in its folder: home is
// that folder then.
type inside struct {
	login string   // the login folder, "" if the session is in it
	steps []string // from there
}

// tookPath takes note of a path that a transfer was granted for.
func (c *Conn) tookPath(name string) {
	if !c.takesPaths && folderOf(name) != "" {
		c.takesPaths = true
		c.learned.Note(c.addr, takesPaths, true)
	}
}

// deniesPath reports whether a refusal of a transfer may be one of its path.
func (c *Conn) deniesPath(name string, err error) bool {
	if c.takesPaths || c.noPaths || folderOf(name) == "" || !isReply(err) || c.ctl.last.code < 500 || !c.ctl.inStep() {
		return false
	}
	switch c.ctl.last.kind() {
	case transport.KindNotExist, transport.KindRefused, transport.KindPermission, transport.KindName, transport.KindUnsupported:
		return true
	}
	return false
}

// folderOf returns the folder that a path leads to, "" if it leads to none.
func folderOf(name string) string {
	if dir := path.Dir(name); dir != "." && path.Base(name) != ".." && path.Base(name) != "." && dir != name {
		return dir
	}
	return ""
}

// tryInside carries out a transfer, refused with err, in its folder. first is the word that
// stands if it is refused there too.
func (c *Conn) tryInside(name string, first error, move func(base string) error) error {
	last := c.ctl.last
	if entered, err := c.goInside(folderOf(name)); !entered {
		c.ctl.last = last
		return joinErr(orNil(c.ctl.inStep(), err), first)
	}
	err := move(path.Base(name))
	if err == nil {
		c.noPaths = true
		return c.goOut()
	}
	if !isReply(err) || !c.ctl.inStep() {
		return joinErr(err, c.goOut())
	}
	c.takesPaths = true // on this connection: it was not for the path
	if err = c.goOut(); err == nil {
		c.ctl.last = last
	}
	return joinErr(err, first)
}

// storeInside stores what is left of a source that no byte was taken of.
func (c *Conn) storeInside(op *wire.Op, q *transport.Store, src io.Reader, refused error) error {
	return c.tryInside(q.Path, refused, func(base string) (err error) {
		again := *q
		again.Path, again.Src = base, src
		q.Stored, err = c.storeInTurn(op, &again)
		return err
	})
}

// retrieveInside asks for a file of which nothing has come.
func (c *Conn) retrieveInside(op *wire.Op, q *transport.Retrieve, refused error) error {
	return c.tryInside(q.Path, refused, func(base string) error {
		again := *q
		again.Path = base
		err := c.retrieveInTurn(op, &again)
		q.Received, q.Beyond = again.Received, again.Beyond
		return err
	})
}

// orNil returns err unless it is of no consequence.
func orNil(none bool, err error) error {
	if none {
		return nil
	}
	return err
}

// goInside changes into a folder, in steps where that is refused at once.
func (c *Conn) goInside(folder string) (entered bool, err error) {
	r, err := c.enter(folder)
	if err != nil {
		return false, err
	}
	login := c.home
	steps := []string{folder}
	if !r.positive() {
		rest := strings.TrimPrefix(folder, strings.TrimSuffix(login, "/")+"/")
		if steps = strings.Split(rest, "/"); strings.HasPrefix(rest, "/") || len(steps) == 1 && rest == folder {
			return false, c.notThere(r, folder)
		}
		if r, err = c.descend(steps); err == nil && !r.positive() {
			err = joinErr(c.goHome(), c.notThere(r, folder))
		}
		if err != nil {
			return false, err
		}
	}
	c.inside = inside{login: login, steps: steps}
	if c.home = folder; !strings.HasPrefix(folder, "/") {
		c.home = path.Join(login, folder)
	}
	return true, nil
}

// notThere is the error of a folder that is not entered.
func (c *Conn) notThere(r reply, folder string) error {
	kind := r.kind()
	if r.code == 550 && kind == transport.KindRefused {
		kind = transport.KindNotExist
	}
	return c.refusedAs(kind, r, folder)
}

// descend changes into one folder after the other, as far as it comes.
func (c *Conn) descend(steps []string) (r reply, err error) {
	for _, step := range steps {
		if r, err = c.ctl.command("CWD " + step); err != nil || !r.positive() {
			return r, err
		}
	}
	return r, nil
}

// goOut is the way back to the login folder.
func (c *Conn) goOut() error {
	c.home, c.inside = c.inside.login, inside{}
	if !c.ctl.inStep() {
		return errBroken
	}
	return c.goHome()
}

// comesBack changes into the folder that the request is carried out in, where its path is
// refused.
func (c *Conn) comesBack() (reply, error) {
	return c.descend(append([]string{c.inside.login}, c.inside.steps...))
}

// inFolder carries out a request, by one, in the folder of its first path.
func (c *Conn) inFolder(ctx context.Context, q transport.Request, one func(context.Context, transport.Request) error) error {
	if err := c.check(q); err != nil {
		return err
	}
	paths := q.Paths()
	full := *paths[0]
	err := c.operate(ctx, wire.WatchOf(c.ep), func(*wire.Op) error {
		entered, err := c.goInside(folderOf(full))
		if !entered {
			return err
		}
		return nil
	})
	if err != nil {
		own := c.failure(ctx, q, err, c.ctl.waiting)
		own.Path = full
		return own
	}
	was := make([]string, len(paths))
	for i, p := range paths {
		if was[i] = *p; folderOf(*p) == folderOf(full) {
			*p = path.Base(*p)
		} else if !strings.HasPrefix(*p, "/") {
			*p = path.Join(c.inside.login, *p)
		}
	}
	err = one(ctx, q)
	var own *transport.Error
	named := errors.As(err, &own)
	for i, p := range paths {
		if named && own.Path == *p {
			own.Path = was[i]
		}
		*p = was[i]
	}
	if lost := c.operate(ctx, wire.WatchOf(c.ep), func(*wire.Op) error { return c.goOut() }); err == nil && lost != nil {
		// The request was carried out; the next one finds the session lost.
		c.ctl.broken.Store(true)
	}
	return err
}

// goesInside reports whether a request is carried out in a folder other than the login's.
func (c *Conn) goesInside(q transport.Request) bool {
	if !c.noPaths {
		return false
	}
	switch q.(type) {
	case *transport.Raw, *transport.Link, *transport.Ping:
		return false
	}
	return folderOf(*q.Paths()[0]) != ""
}
