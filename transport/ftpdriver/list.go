package ftpdriver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/ftplist"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// A listing is hostile input like any other: these bound it. 256 MiB are more
// than a million entries; names are at most 255 bytes on most file systems, and
// 4096 where a link's target follows.
const (
	maxListing  = 256 << 20
	maxListLine = 32 << 10
)

// list streams a folder's entries: with MLSD, whose format is fixed, or else
// with LIST, which is for people and has neither years nor time zones.
func (c *Conn) list(op *wire.Op, path string, yield func(transport.Entry) bool) error {
	if c.noMLSD || !c.feats.has("MLST") && !c.feats.has("MLSD") {
		_, err := c.listPlain(op, path, yield)
		return err
	}
	machine, err := c.listMachine(op, path, yield)
	if err == nil || machine.lines > 0 || !machine.denied && transport.KindUnsupported != c.kindOf("MLSD", err) {
		return err
	}
	if !machine.denied {
		// ftpserverlib and others advertise it, or MLST, without having it.
		c.noMLSD = true
	}
	plain, perr := c.listPlain(op, path, yield)
	if machine.denied && plain.lines == 0 && c.ctl.inStep() {
		return err // a refusal is no empty folder
	}
	c.noMLSD = true
	return perr
}

// listMachine lists with MLSD. Some servers take the path for a pattern, and list what
// matches it, which is nothing or something else: a path that can be one is gone into
// instead. So is one of which nothing at all was said, where there is reason to doubt that:
// it has something in it that may mean something to the server, or that says something of
// other folders, if only of themselves, or had nothing to send: "226 0 matches".
func (c *Conn) listMachine(op *wire.Op, path string, yield func(transport.Entry) bool) (*lister, error) {
	l := c.lister(path, ftplist.Facts, yield)
	pattern := maybePattern(path)
	if !pattern {
		err := c.listing(op, "MLSD "+path, l)
		c.namesItself, c.lists = c.namesItself || l.itself, c.lists || l.entries > 0
		if err != nil && l.lines == 0 && c.deniesFolders() {
			return l, c.deniedFolder(op, path, l)
		}
		if err != nil || l.lines > 0 || !l.unsent && !c.namesItself && plainPath(path) || !c.ctl.inStep() {
			return l, err
		}
	}
	r, err := c.enter(path)
	switch {
	case err != nil:
		return l, err
	case !r.positive() && r.kind() == transport.KindPermission && !pattern:
		return l, nil // where no folder may be entered, its first word stands
	case !r.positive():
		c.notEntered(r)
		return l, c.notFolder(r, path)
	}
	err = c.listing(op, "MLSD", l)
	if !c.ctl.inStep() {
		return l, err
	}
	return l, joinErr(err, c.goHome())
}

// plainPath reports whether a path has nothing in it that may mean something to a server.
func plainPath(path string) bool {
	return !strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r < 0x7f && strings.ContainsRune("!#%&()+,:;<=>@^|", r) })
}

// maybePattern reports whether a server may take a path for a pattern or for options,
// or may not see where it begins and ends.
func maybePattern(path string) bool {
	if strings.ContainsAny(path, "*?[]{}~\\\"'`$") || strings.HasPrefix(path, "-") {
		return true
	}
	for name := range strings.SplitSeq(path, "/") {
		if strings.TrimSpace(name) != name {
			return true
		}
	}
	return false
}

// listZone is what the times of LIST are in.
func (c *Conn) listZone() *time.Location {
	if c.ep.ListZone == nil {
		return time.UTC
	}
	return c.ep.ListZone
}

// humanLines parses the lines of LIST.
func (c *Conn) humanLines() func(line string) (transport.Entry, bool, bool) {
	return ftplist.Lines(time.Now().In(c.listZone()))
}

// listPlain lists with LIST, from inside the folder: vsftpd answers LIST of a
// missing one with an empty listing, and names with spaces or a leading "-" are
// taken for options.
func (c *Conn) listPlain(op *wire.Op, path string, yield func(transport.Entry) bool) (*lister, error) {
	l := c.lister(path, c.humanLines(), yield)
	r, err := c.enter(path)
	if err != nil {
		return l, err
	}
	if !r.positive() {
		if !c.isHome(path) && (r.kind() == transport.KindNotExist || maybePattern(path)) || r.code/100 != 5 {
			return l, c.notFolder(r, path)
		}
		return c.listOutside(op, path, yield, r)
	}
	l, err = c.listHuman(op, path, "", yield)
	if !c.ctl.inStep() {
		return l, err
	}
	return l, joinErr(err, c.goHome())
}

// listHuman lists the folder that the session is in, or another one where name is " " and
// its path.
func (c *Conn) listHuman(op *wire.Op, path, name string, yield func(transport.Entry) bool) (*lister, error) {
	l := c.lister(path, c.humanLines(), yield)
	// -a shows hidden files, on vsftpd and others only so. Servers that do not
	// know it look for a file of that name.
	err := c.listing(op, "LIST -a"+name, l)
	switch {
	case l.lines > 0 || !c.ctl.inStep():
	case err == nil && c.traits.listsItself:
		// A folder holds itself: this is a listing whose connection ended early,
		// in good order, and the next one may not be believed for being longer.
		err = as(transport.KindTruncated, errors.New("the listing ended before it began"))
	case err == nil || noSuchOption(c.kindOf("LIST", err)):
		l = c.lister(path, c.humanLines(), yield)
		err = c.listing(op, "LIST"+name, l)
	}
	return l, err
}

// listOutside lists a folder that may not be entered by its path, and the login folder,
// where the session is, without one. What lists nothing, or no more than the name itself,
// need not be a folder.
func (c *Conn) listOutside(op *wire.Op, path string, yield func(transport.Entry) bool, cwd reply) (*lister, error) {
	if c.isHome(path) && path != "/" || c.home == "/" && path == "/" {
		return c.listHuman(op, path, "", yield)
	}
	var first *transport.Entry
	several := false
	l, err := c.listHuman(op, path, " "+path, func(e transport.Entry) bool {
		switch {
		case first == nil && !several:
			first = &e
			return true
		case first != nil:
			e1 := *first
			if first, several = nil, true; !yield(e1) {
				return false
			}
		}
		return yield(e)
	})
	if !c.ctl.inStep() {
		return l, err
	}
	if err != nil && l.lines > 0 {
		return l, err
	}
	if err != nil || l.lines == 0 || first != nil && lastOf(first.Name) == lastOf(path) {
		return l, c.refused(cwd, path)
	}
	if first != nil {
		yield(*first)
	}
	return l, nil
}

// lastOf is the last element of a path.
func lastOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// noSuchOption reports whether a refusal of LIST -a may be one of -a. A transfer that
// broke is none: to ask without it then would leave hidden files out, and a mirror
// would delete them.
func noSuchOption(k transport.Kind) bool {
	switch k {
	case transport.KindNotExist, transport.KindRefused, transport.KindUnsupported, transport.KindName, transport.KindPermission:
		return true
	}
	return false
}

// notFolder tells a missing folder from a file, which vsftpd does not.
func (c *Conn) notFolder(r reply, path string) error {
	if r.kind() != transport.KindNotExist || !c.ctl.inStep() {
		return r.err()
	}
	size, err := c.ctl.command("SIZE " + path)
	if err != nil || size.code != 213 {
		return c.refusedAs(transport.KindNotExist, r, path)
	}
	return c.refusedAs(transport.KindRefused, r, path)
}

// listing runs one listing command.
func (c *Conn) listing(op *wire.Op, line string, l *lister) error {
	d, err := c.openData(op, line)
	if err != nil {
		return err
	}
	defer d.release()
	if err := c.ctl.send(line); err != nil {
		return err
	}
	r, err := c.ctl.receive()
	if err != nil {
		return err
	}
	if !r.preliminary() {
		if r.positive() && r.code != 202 {
			l.unsent = true // "226 no files": RFC 959 allows it, and there is no data
			return nil
		}
		return r.err()
	}
	d.hear()
	err = l.read(op, d)
	if err != nil || l.stopped {
		d.cut()
	}
	_ = d.Close()
	final, ferr := c.ctl.receive()
	if l.stopped {
		return nil // yield has what it wanted; what came after is its own affair
	}
	if ferr == nil && !final.positive() {
		ferr = final.err()
	}
	if err != nil && d.err == nil {
		return err // the listing makes no sense, whatever the server thinks of it
	}
	return c.transferError(d, joinErr(err, ferr), 0)
}

func (c *Conn) lister(path string, parse func(string) (transport.Entry, bool, bool), yield func(transport.Entry) bool) *lister {
	return &lister{parse: parse, yield: yield, whole: func(line string) bool { return c.endsSo(path, line) }}
}

// lister turns a listing into entries.
type lister struct {
	parse   func(line string) (entry transport.Entry, skip, ok bool)
	yield   func(transport.Entry) bool
	lines   int
	entries int    // lines that could be parsed
	strange string // the first line that could not
	stopped bool
	itself  bool                   // a line was about the folder itself, or the one above
	unsent  bool                   // the server had nothing to send
	denied  bool                   // MLSD was refused in a folder that was entered
	whole   func(line string) bool // reports whether a last line without an end is one
}

func (l *lister) read(op *wire.Op, d io.Reader) error {
	lr := &io.LimitedReader{R: d, N: maxListing}
	br := bufio.NewReaderSize(lr, maxListLine)
	for {
		b, err := br.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return as(transport.KindProtocol, errors.New("a line of the listing is longer than 32 KiB"))
		}
		if len(b) > 0 && (err == nil || err == io.EOF) {
			line := strings.TrimRight(string(b), "\r\n")
			if err == io.EOF && lr.N > 0 && !l.whole(line) {
				return as(transport.KindTruncated, errors.New("the listing ended within a line"))
			}
			l.line(op, line)
			if l.stopped {
				return nil
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if lr.N <= 0 {
		return as(transport.KindRefused, fmt.Errorf("%w: it is longer than 256 MiB", transport.ErrListingTooLong))
	}
	return l.judge()
}

// judge makes an error of lines that could not be parsed. Leaving an entry out
// would be a lie: a mirror would delete its file. Where some lines make sense the
// others may be garbled, which another attempt would show; where none does, the
// server has a form that is not known here.
func (l *lister) judge() error {
	switch {
	case l.strange == "":
		return nil
	case l.entries == 0 && l.lines > 2:
		return as(transport.KindUnsupported, fmt.Errorf("the server lists in a form that is not supported, such as %q: let it list as ls -l does, or offer MLSD", shorten(l.strange)))
	}
	return as(transport.KindProtocol, fmt.Errorf("the listing has lines in an unknown form, such as %q", shorten(l.strange)))
}

func (l *lister) line(op *wire.Op, line string) {
	if line == "" {
		return
	}
	l.lines++
	entry, skip, ok := l.parse(line)
	if ok {
		l.entries++
	}
	switch {
	case !ok:
		if l.strange == "" {
			l.strange = line
		}
	case skip || entry.Name == "." || entry.Name == "..":
		l.itself = true
	default:
		op.Aside(func() { l.stopped = !l.yield(entry) })
	}
}
