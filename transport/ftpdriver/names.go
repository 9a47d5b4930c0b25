package ftpdriver

import (
	"errors"
	"path"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// What is at a name is asked by MLST; by SIZE, MDTM and CWD; and, where those leave it
// open, by a listing of the name and of its folder. They leave it open where SIZE and MDTM
// are unknown or refused for everything, and where a refusal is in words that are not known
// here: most servers say it in English, and not all in the same. Whoever cannot be asked in
// any of these ways, and has refused the name in all of them with 550, has nothing there as
// far as can be known.

// errNotListed says why a name is taken for missing.
var errNotListed = errors.New("the server's listing does not have it")

// listedState is what a listing has told of a name.
type listedState int

const (
	unseen listedState = iota // there is no listing to be had
	there                     // it has the name
	absent                    // it does not
)

// vague reports whether a refusal leaves open whether the name is there: its words are not
// known, or say "access denied", which some servers say of everything that is missing.
func vague(r reply) bool {
	return r.code == 550 && (r.kind() == transport.KindRefused || r.kind() == transport.KindPermission)
}

// wordsFor is what a refusal says of any name.
func wordsFor(r reply, name string) string {
	text := strings.ReplaceAll(r.text, name, "\x00")
	return r.verb + " " + strings.ReplaceAll(text, path.Base(name), "\x00")
}

// maxWords bounds what is kept of them.
const maxWords = 16

// tookAbsent takes note of words of a refusal: a listing has shown that the name is not
// there. "Access denied" is said of what is there as well.
func (c *Conn) tookAbsent(r reply, name string) {
	if !vague(r) || r.kind() == transport.KindPermission || len(c.absentWords) >= maxWords {
		return
	}
	if c.absentWords == nil {
		c.absentWords = map[string]bool{}
	}
	c.absentWords[wordsFor(r, name)] = true
}

// saysAbsent reports whether a refusal says that the name is not there, in words of its own.
func (c *Conn) saysAbsent(r reply, name string) bool {
	return r.code == 550 && r.kind() == transport.KindRefused && c.absentWords[wordsFor(r, name)]
}

// isHome reports whether a path is that of the login folder or of the root, which are there.
func (c *Conn) isHome(name string) bool {
	return name == "." || name == "/" || c.home != "" && path.Clean(name) == path.Clean(c.home)
}

// untold reports whether the refusals of SIZE and MDTM leave open whether there is a file.
func (c *Conn) untold(size, mdtm reply, name string) bool {
	for _, r := range []reply{size, mdtm} {
		if r.code/100 != 5 || r.kind() == transport.KindNotExist || c.saysAbsent(r, name) {
			return false
		}
	}
	return vague(size) || vague(mdtm) || size.kind() == transport.KindUnsupported && mdtm.kind() == transport.KindUnsupported
}

// searched looks for a name that SIZE, MDTM and CWD have refused, in a listing.
func (c *Conn) searched(name string, size, mdtm reply) (transport.Entry, error) {
	if c.isHome(name) {
		c.inList = there
		return transport.Entry{Type: transport.TypeDir, Size: -1}, nil
	}
	e, seen, err := c.listed(name)
	c.inList = seen
	if err != nil {
		return transport.Entry{}, err
	}
	switch {
	case seen == there && e.Type == transport.TypeLink && size.code == 550 && mdtm.code == 550:
		return transport.Entry{}, c.refusedAs(transport.KindNotExist, size, name) // it leads nowhere
	case seen == there && e.Type == transport.TypeLink: // to a folder CWD would have led
		e = transport.Entry{Type: transport.TypeFile, Size: -1}
	case seen == there && e.Type == transport.TypeDir:
		e.Size = -1
	}
	if seen == there {
		return e, nil
	}
	if seen == absent {
		c.tookAbsent(size, name)
		c.tookAbsent(mdtm, name)
	}
	for _, r := range []reply{size, mdtm} {
		if r.code == 550 && (seen == absent || r.kind() == transport.KindRefused) {
			return transport.Entry{}, c.refusedAs(transport.KindNotExist, r, name)
		}
	}
	if seen == absent {
		return transport.Entry{}, c.ep.Fail("LIST", name, transport.KindNotExist, errNotListed)
	}
	if kind := size.kind(); kind != transport.KindUnsupported {
		return transport.Entry{}, c.refusedAs(kind, size, name)
	}
	return transport.Entry{}, c.refusedAs(mdtm.kind(), mdtm, name)
}

// typed tells a file from a folder, both of which may not be entered, by a listing.
func (c *Conn) typed(name string, entry transport.Entry) transport.Entry {
	entry.Type = transport.TypeUnknown
	switch e, seen, _ := c.listed(name); {
	case seen == there && e.Type == transport.TypeDir:
		entry.Type, entry.Size = transport.TypeDir, -1
	case seen == there && e.Type == transport.TypeFile:
		entry.Type = transport.TypeFile
	}
	return entry
}

// listed finds a name in a listing: of the name, which most servers give of a file, or of
// its folder. An error is about the session. The listing is read to its end: some servers
// end the session with one that is cut off.
func (c *Conn) listed(name string) (found transport.Entry, seen listedState, err error) {
	if !c.ctl.inStep() || c.op == nil {
		return found, unseen, nil
	}
	take := func(e transport.Entry) bool {
		if seen != there && path.Base(e.Name) == path.Base(name) {
			found, seen = e, there
		}
		return true
	}
	if !maybePattern(name) {
		l := c.lister(name, c.humanLines(), nil)
		l.yield = func(e transport.Entry) bool {
			if e.Type == transport.TypeFile {
				take(e)
			}
			return true
		}
		err = c.listing(c.op, "LIST "+name, l)
		if l.entries > 1 {
			seen = unseen // it is a folder that has one of that name
		}
		switch {
		case !c.ctl.inStep():
			return found, unseen, err
		case seen == there:
			c.listsNames = true
			return found, there, nil
		case c.listsNames && l.lines == 0 && (err == nil || c.saysMissing(err)):
			return found, absent, nil
		}
	}
	folder := path.Dir(name)
	if folder == "." && c.home != "" {
		folder = c.home
	}
	_, err = c.listPlain(c.op, folder, take)
	switch {
	case !c.ctl.inStep():
		return found, unseen, joinErr(err, errBroken)
	case seen == there:
		return found, there, nil
	case err == nil || c.saysMissing(err):
		return found, absent, nil
	}
	return found, unseen, nil
}

// saysMissing reports whether what a listing ended with is that there is nothing to list.
func (c *Conn) saysMissing(err error) bool {
	return isReply(err) && c.kindOf("LIST", err) == transport.KindNotExist
}
