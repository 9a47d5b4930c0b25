package ftpdriver

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

var errNoSetTime = errors.New("the server has no command that sets a modification time")

// stat asks with MLST, or with SIZE, MDTM and, for a folder, CWD in one write.
func (c *Conn) stat(name string) (transport.Entry, error) {
	if c.feats.has("MLST") && !c.noMLST {
		r, err := c.ctl.command("MLST " + name)
		if err != nil {
			return transport.Entry{}, err
		}
		if entry, ok, err := c.tookMLST(r, name); ok || err != nil {
			return entry, err
		}
	}
	return c.statPlain(name)
}

// tookMLST takes the reply to MLST. It is not ok where the plain questions are needed.
func (c *Conn) tookMLST(r reply, name string) (entry transport.Entry, ok bool, err error) {
	switch {
	case r.positive():
		entry, ok = parseMLST(r.text)
		// A link must be followed, which SIZE and MDTM do; or the facts make no sense.
		return entry, ok && !maybeLink(entry), nil
	case r.kind() == transport.KindUnsupported:
		c.noMLST = true
		return entry, false, nil
	}
	return entry, false, c.refused(r, name)
}

// maybeLink reports whether an entry of MLST may describe a link and not what it
// leads to. ProFTPD calls a link to a file a file, and gives the size, the time
// and the mode of the link itself; that mode is 0777 on every link of Linux, and
// on next to no file.
func maybeLink(e transport.Entry) bool {
	return e.Type == transport.TypeLink || e.Type == transport.TypeFile && e.Perm == 0o777
}

// statPlain does without MLST. What asks for a folder goes with what asks for a file:
// where there is neither, as before most uploads, that is a round trip less, or two.
func (c *Conn) statPlain(name string) (transport.Entry, error) {
	if c.serial {
		replies, err := c.exchange("SIZE "+name, "MDTM "+name)
		if err != nil {
			return transport.Entry{}, err
		}
		return c.judge(name, replies[0], replies[1], func() (bool, error) { return c.isFolder(name) })
	}
	lines := []string{"SIZE " + name, "MDTM " + name}
	if c.home == "" {
		lines = append(lines, "PWD")
	}
	replies, err := c.exchange(append(lines, "CWD "+name)...)
	if err != nil {
		return transport.Entry{}, err
	}
	return c.tookPlain(name, replies)
}

// tookPlain takes the replies to SIZE, MDTM, PWD if the login folder was not known, and
// CWD, and goes back where the last has led elsewhere.
func (c *Conn) tookPlain(name string, replies []reply) (transport.Entry, error) {
	var lost error // of the way home
	if len(replies) > 3 {
		lost = c.tookHome(replies[2])
	}
	cwd := replies[len(replies)-1]
	switch {
	case !cwd.positive():
	case lost != nil:
		c.ctl.broken.Store(true) // it is there, and knows no way back
	default:
		lost = c.goHome()
	}
	return c.judge(name, replies[0], replies[1], func() (bool, error) {
		if lost != nil && isReply(lost) && c.home == "" {
			lost = c.refused(replies[2], name)
		}
		return c.wasFolder(cwd, name, lost)
	})
}

// tookAmong takes the replies to SIZE, MDTM, CWD and CWD to the login folder. If it is
// not there, what was sent behind them was asked in another folder.
func (c *Conn) tookAmong(name string, replies []reply) (transport.Entry, error) {
	size, mdtm, cwd, home := replies[0], replies[1], replies[2], replies[3]
	var lost error
	if cwd.positive() && !home.positive() {
		c.ctl.broken.Store(true)
		lost = c.refused(home, name)
	}
	entry, err := c.judge(name, size, mdtm, func() (bool, error) { return c.wasFolder(cwd, name, lost) })
	return entry, besides(err, lost)
}

// wasFolder judges a reply to CWD; lost is what has gone wrong with the way home.
func (c *Conn) wasFolder(cwd reply, name string, lost error) (bool, error) {
	switch {
	case lost != nil:
		return false, lost
	case cwd.code == 421: // which says nothing of the name
		return false, c.refused(cwd, name)
	}
	return cwd.positive(), nil
}

// judge makes an entry of the replies to SIZE and MDTM, and asks whether it is a folder
// if they leave that open.
func (c *Conn) judge(name string, size, mdtm reply, isFolder func() (bool, error)) (transport.Entry, error) {
	entry, ok := c.sizeAndTime(size, mdtm)
	if !ok {
		return transport.Entry{}, c.refusedAs(transport.KindProtocol, size, name)
	}
	if size.code == 213 {
		return entry, nil
	}
	for _, r := range []reply{size, mdtm} {
		// 421, 530: the session's trouble, not the file's.
		switch r.kind() {
		case transport.KindBusy, transport.KindLost, transport.KindAuth, transport.KindTemporary, transport.KindInsecure:
			return transport.Entry{}, c.refused(r, name)
		}
	}
	isDir, err := isFolder()
	switch {
	case err != nil:
		return transport.Entry{}, err
	case isDir:
		entry.Type = transport.TypeDir
		return entry, nil
	case mdtm.code == 213:
		return entry, nil // a file whose size the server does not tell
	}
	kind := size.kind()
	if kind == transport.KindUnsupported {
		size, kind = mdtm, mdtm.kind()
	}
	if size.code == 550 && kind == transport.KindRefused {
		kind = transport.KindNotExist // there is neither a file nor a folder
	}
	return transport.Entry{}, c.refusedAs(kind, size, name)
}

// sizeAndTime reads the replies to SIZE and MDTM; a size that is not told is -1, and
// not ok if what is told makes no sense.
func (c *Conn) sizeAndTime(size, mdtm reply) (entry transport.Entry, ok bool) {
	entry = transport.Entry{Size: -1}
	if mdtm.code == 213 {
		if t, ok := parseTime(strings.TrimSpace(mdtm.last())); ok {
			entry.ModTime, entry.TimeExact = c.fromMDTM(t), true
		}
	}
	if size.code == 213 {
		n, err := strconv.ParseInt(strings.TrimSpace(size.last()), 10, 64)
		if err != nil || n < 0 {
			return entry, false
		}
		entry.Size = n
	}
	return entry, true
}

func (c *Conn) refusedAs(kind transport.Kind, r reply, name string) error {
	if kind == transport.KindProtocol {
		c.ctl.broken.Store(true)
	}
	return c.ep.Fail(r.verb, name, kind, r.err())
}

// isFolder finds out by going there and back.
func (c *Conn) isFolder(name string) (bool, error) {
	r, err := c.enter(name)
	if err != nil || !r.positive() {
		return false, err
	}
	return true, c.goHome()
}

// enter changes into a folder; goHome must follow if the reply is positive. All
// paths are relative to the login folder, which is therefore asked for first.
func (c *Conn) enter(name string) (reply, error) {
	if err := c.findHome(); err != nil {
		return reply{}, err
	}
	return c.ctl.command("CWD " + name)
}

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
	if err == nil && r.positive() {
		return nil
	}
	c.ctl.broken.Store(true)
	if err == nil {
		err = r.err()
	}
	return err
}

// parsePWD reads the path out of `257 "/a ""b""" is the current directory`
// (RFC 959 appendix II).
func parsePWD(text string) (string, bool) {
	i := strings.IndexByte(text, '"')
	if i < 0 {
		return "", false
	}
	var b strings.Builder
	for rest := text[i+1:]; ; {
		part, after, ok := strings.Cut(rest, `"`)
		if !ok {
			return "", false
		}
		b.WriteString(part)
		if !strings.HasPrefix(after, `"`) {
			return b.String(), b.Len() > 0 && transport.CheckPath(b.String()) == nil
		}
		b.WriteByte('"')
		rest = after[1:]
	}
}

// parseTime reads YYYYMMDDHHMMSS with an optional fraction (RFC 3659 section
// 2.3). It is UTC.
func parseTime(s string) (time.Time, bool) {
	if len(s) < len(timeVal) {
		return time.Time{}, false
	}
	t, err := time.Parse(timeVal, s[:len(timeVal)])
	if err != nil {
		return time.Time{}, false
	}
	frac := s[len(timeVal):]
	if frac == "" {
		return t, true
	}
	if frac[0] != '.' || len(frac) == 1 {
		return time.Time{}, false
	}
	ns, scale := 0, int(time.Second)
	for _, c := range []byte(frac[1:]) {
		if c < '0' || c > '9' {
			return time.Time{}, false
		}
		scale /= 10
		ns += int(c-'0') * scale
	}
	return t.Add(time.Duration(ns)), true
}
