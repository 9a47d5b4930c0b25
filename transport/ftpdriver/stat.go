package ftpdriver

import (
	"errors"
	"strconv"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/ftplist"
)

var errNoSetTime = errors.New("the server has no command that sets a modification time")

// stat asks with MLST, or with SIZE, MDTM and, for a folder, CWD in one write.
func (c *Conn) stat(name string) (transport.Entry, error) {
	if c.feats.has("MLST") && !c.noMLST {
		r, err := c.ctl.command("MLST " + name)
		if err != nil {
			return transport.Entry{}, err
		}
		switch entry, ok, err := c.tookMLST(r, name); {
		case err != nil && !c.saysAbsent(r, name) && (c.deniesFiles(r) || vague(r)):
			return c.denied(name, r)
		case ok || err != nil:
			return entry, err
		}
	}
	return c.statPlain(name)
}

// tookMLST takes the reply to MLST. It is not ok where the plain questions are needed.
func (c *Conn) tookMLST(r reply, name string) (entry transport.Entry, ok bool, err error) {
	switch {
	case r.positive():
		if entry, ok = ftplist.MLST(r.text); ok && entry.Type == transport.TypeFile {
			c.tookFile()
		}
		// A link must be followed, which SIZE and MDTM do; or the facts make no sense,
		// or leave the type out.
		return entry, ok && !maybeLink(entry) && entry.Type != transport.TypeUnknown, nil
	case r.kind() == transport.KindUnsupported:
		c.noMLST = true
		return entry, false, nil
	case c.saysAbsent(r, name):
		return entry, false, c.refusedAs(transport.KindNotExist, r, name)
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
		c.notEntered(cwd)
	case lost != nil:
		c.ctl.broken.Store(true) // it is there, and knows no way back
	default:
		lost = c.goHomeProving()
	}
	return c.judge(name, replies[0], replies[1], func() (bool, error) {
		if lost != nil && isReply(lost) && c.home == "" {
			lost = c.refused(replies[2], name)
		}
		return c.wasFolder(cwd, name, lost)
	})
}

// tookAmong takes the replies to SIZE, MDTM, CWD and CWD to the login folder. If it is
// not there, what was sent behind them was asked in another folder. look is for a CWD of
// which it is not known yet whether it says anything.
func (c *Conn) tookAmong(name string, replies []reply, found func(transport.Entry, error) error) (look func() error, err error) {
	size, mdtm, cwd, home := replies[0], replies[1], replies[2], replies[3]
	judge := func(lost error) error {
		entry, err := c.judge(name, size, mdtm, func() (bool, error) { return c.wasFolder(cwd, name, lost) })
		return found(entry, joinErr(err, lost))
	}
	switch {
	case !cwd.positive():
		c.notEntered(cwd)
	case !home.positive():
		c.ctl.broken.Store(true)
		return nil, judge(c.refused(home, name))
	case c.unproven():
		return func() error {
			if !c.unproven() { // what came behind it has told
				return judge(nil)
			}
			return judge(c.goHomeProving())
		}, nil
	}
	if c.sizeless(size) || !cwd.positive() && cwd.kind() == transport.KindPermission || !cwd.positive() && c.untold(size, mdtm, name) {
		return func() error { return judge(nil) }, nil // a listing has its own data connection
	}
	return nil, judge(nil)
}

// judge makes an entry of the replies to SIZE and MDTM, and asks whether it is a folder:
// some servers tell the size of a folder, too, and what CWD enters is one, whatever SIZE
// says of it.
func (c *Conn) judge(name string, size, mdtm reply, isFolder func() (bool, error)) (transport.Entry, error) {
	entry, ok := c.sizeAndTime(size, mdtm)
	c.inList = unseen
	sized := size.code == 213
	for _, r := range []reply{size, mdtm} {
		if sized {
			break
		}
		// 421, 530: the session's trouble, not the file's.
		switch r.kind() {
		case transport.KindBusy, transport.KindLost, transport.KindAuth, transport.KindTemporary, transport.KindInsecure:
			return transport.Entry{}, c.refused(r, name)
		}
	}
	isDir, err := isFolder()
	if c.noCWD && err == nil && !sized && size.positive() && mdtm.code != 213 {
		isDir = true // it says yes to everything: there is no other evidence
	}
	forbidden := errors.Is(err, errForbidden)
	if !ok && !isDir && (err == nil || forbidden) {
		e, seen, _ := c.listed(name)
		if seen != there || e.Type != transport.TypeFile || e.Size < 0 {
			return transport.Entry{}, c.refusedAs(transport.KindProtocol, size, name)
		}
		entry.Size = e.Size
	}
	switch {
	case isDir:
		entry.Type, entry.Size = transport.TypeDir, -1 // that of a folder is the server's own affair
		return entry, nil
	case forbidden && (sized || mdtm.code == 213):
		return c.typed(name, entry), nil
	case sized && (err == nil || c.ctl.inStep()):
		return entry, nil
	case err != nil && !forbidden:
		return transport.Entry{}, err
	case mdtm.code == 213:
		return entry, nil // a file whose size the server does not tell
	case forbidden, c.untold(size, mdtm, name):
		return c.searched(name, size, mdtm)
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
	entry = transport.Entry{Type: transport.TypeFile, Size: -1}
	if mdtm.code == 213 {
		if t, ok := ftplist.Time(strings.TrimSpace(mdtm.last())); ok {
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
