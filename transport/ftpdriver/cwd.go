package ftpdriver

import (
	"crypto/rand"
	"errors"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// CWD is how FTP tells a folder from a file where there is no MLST: a folder can be
// entered. Two kinds of servers spoil that. On those with data sets (z/OS) every name is
// the beginning of others and can be entered, so that CWD says nothing; and a folder that
// this user may not enter is refused like a file, in words that tell.

// errForbidden says that a name could not be entered for want of a permission, which leaves
// open whether it is a folder.
var errForbidden = errors.New("it may not be entered, so that it may be a folder or a file")

// isFolder finds out by going there and back.
func (c *Conn) isFolder(name string) (bool, error) {
	r, err := c.enter(name)
	if err != nil {
		return false, err
	}
	if r.positive() {
		err = c.goHomeProving()
	} else {
		c.notEntered(r)
	}
	return c.wasFolder(r, name, err)
}

// enter changes into a folder; goHome must follow if the reply is positive. All
// paths are relative to the login folder, which is therefore asked for first.
func (c *Conn) enter(name string) (reply, error) {
	if err := c.findHome(); err != nil {
		return reply{}, err
	}
	return c.ctl.command("CWD " + name)
}

// wasFolder judges a reply to CWD; lost is what has gone wrong with the way home.
func (c *Conn) wasFolder(cwd reply, name string, lost error) (bool, error) {
	switch {
	case lost != nil:
		return false, lost
	case cwd.code == 421: // which says nothing of the name
		return false, c.refused(cwd, name)
	case cwd.kind() == transport.KindPermission:
		return false, errForbidden
	}
	return cwd.positive() && !c.noCWD, nil
}

// notEntered takes note of a CWD that was refused: a server that refuses one for want of
// a folder does not enter anything. 501 would be about the form of the name.
func (c *Conn) notEntered(cwd reply) {
	if cwd.code == 550 {
		c.cwdTells = true
	}
}

// unproven reports whether nothing is known of what CWD says on this server.
func (c *Conn) unproven() bool { return !c.cwdTells && !c.noCWD && !c.traits.entersFolders }

// goHomeProving is goHome after a CWD that was to show that there is a folder. Until this
// connection has seen one refused, a name that cannot be there is tried first, in the same
// write: where that is entered too, CWD is no evidence, here and on later connections.
func (c *Conn) goHomeProving() error {
	if !c.unproven() {
		return c.goHome()
	}
	replies, err := c.exchange("CWD "+nowhere(), "CWD "+c.home)
	if err != nil {
		c.ctl.broken.Store(true)
		return err
	}
	there, home := replies[0], replies[1]
	if !home.positive() && c.inside.login != "" {
		if home, err = c.comesBack(); err != nil {
			return err
		}
	}
	switch {
	case !home.positive():
		c.ctl.broken.Store(true)
		return home.err()
	case there.positive():
		c.noCWD = true
	default:
		c.cwdTells = true
	}
	return nil
}

// nowhere is a name that cannot be there, and that every server takes for one: eight
// capital letters and digits, which is all that data sets have.
func nowhere() string { return "X" + rand.Text()[:7] }

// findHome asks for the login folder, once.
func (c *Conn) findHome() error {
	if c.home != "" {
		return nil
	}
	r, err := c.ctl.command("PWD")
	if err != nil {
		return err
	}
	return c.tookHome(r)
}

// findHomeAndPort is findHome before a transfer: the port for that is asked for in the
// same round trip.
func (c *Conn) findHomeAndPort() error {
	if c.home != "" || c.hasPort() || !c.mayPrefetch() {
		return c.findHome()
	}
	prefetch := []string{"EPSV"}
	if err := c.ctl.send(append([]string{"PWD"}, prefetch...)...); err != nil {
		return err
	}
	r, _, err := c.ctl.final()
	if err != nil {
		return err
	}
	lost := c.tookHome(r)
	return joinErr(c.tookPrefetch(prefetch), lost)
}

// tookHome takes the reply to a PWD that was asked in the login folder.
func (c *Conn) tookHome(r reply) error {
	if r.code != 257 {
		return r.err()
	}
	home, ok := parsePWD(r.text)
	if !ok {
		return badReply("PWD", r.shown())
	}
	c.home = home
	return nil
}

// goHome goes back to the login folder. A session that is somewhere else would
// put files in the wrong place.
func (c *Conn) goHome() error {
	r, err := c.ctl.command("CWD " + c.home)
	if err == nil && !r.positive() && c.inside.login != "" {
		r, err = c.comesBack()
	}
	if err == nil && r.positive() {
		return nil
	}
	c.ctl.broken.Store(true)
	if err == nil {
		err = r.err()
	}
	return err
}
