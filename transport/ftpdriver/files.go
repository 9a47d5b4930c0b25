package ftpdriver

import (
	"errors"
	"io/fs"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/ftplist"
)

// renamed judges the replies to RNFR and RNTO.
func (c *Conn) renamed(replies []reply, err error, from, to string) error {
	switch {
	case len(replies) > 0 && replies[0].code/100 != 3:
		// Without it RNTO (503) cannot have acted, answered or not.
		return c.refused(replies[0], from)
	case err != nil:
		return err
	case !replies[1].positive() || replies[1].code == 202:
		return c.refused(replies[1], to)
	}
	return nil
}

// vagueTexts are vsftpd's whole answer to a request that fails, for whatever reason.
var vagueTexts = []string{"Failed to open file.", "Delete operation failed.", "Remove directory operation failed.",
	"Create directory operation failed.", "Could not set file modification time."}

// clarify finds out what a vague refusal leaves open, by a look at what is there:
// to take a folder that is not empty, or a file that is somebody else's, for a
// missing one would be a lie that RemoveAll believes.
func (c *Conn) clarify(verb, name string, err error) error {
	var r *textproto.Error
	if !errors.As(err, &r) || r.Code != 550 || !slices.Contains(vagueTexts, r.Msg) || !c.ctl.inStep() {
		return err
	}
	kind := c.kindOf(verb, err)
	entry, serr := c.statPlain(name)
	switch missing := errors.Is(serr, fs.ErrNotExist); {
	case serr != nil && !missing:
		return err // the look has failed, which is not what was asked for
	case verb == "MKD" && missing:
	case missing:
		kind = transport.KindNotExist
	case verb == "MKD":
		kind = transport.KindExist
	case verb == "RMD", entry.IsDir():
		kind = transport.KindRefused // not empty, or not a folder; not a file
	default:
		kind = transport.KindPermission
	}
	return c.ep.Fail(verb, name, kind, err)
}

// orLook makes an error of a refusal, or says how to find out what a vague one means.
func (c *Conn) orLook(r reply, path string) (look func() error, err error) {
	if r.code != 550 || !slices.Contains(vagueTexts, r.text) {
		return nil, c.refused(r, path)
	}
	return func() error {
		err := c.clarify(r.verb, path, r.err())
		var own *transport.Error
		if isReply(err) && !errors.As(err, &own) {
			return c.refused(r, path)
		}
		return err
	}, nil
}

// timeVal is the form of times in MDTM, MFMT and MLSx (RFC 3659 section 2.3),
// always UTC.
const timeVal = "20060102150405"

// timed judges the reply to the command that sets a time: MFMT
// (draft-somers-ftp-mfxx), or else MDTM with a time before the path, which is vsftpd's
// way. look is what is to be done about a reply that leaves it open.
func (c *Conn) timed(r reply, path string) (look func() error, err error) {
	switch {
	case r.verb == "MFMT" && r.positive() && r.code != 202:
		return nil, nil
	case r.verb == "MFMT":
		if unknown(r) {
			c.never("MFMT")
		}
		return nil, c.refused(r, path)
	case r.code == 213 && !isTime(r.text):
		return nil, nil
	case r.positive() || !saysModification(r.text):
		// The server took "20260102030405 name" for the name of a file.
		c.noSetTime = true
		c.derive()
		return nil, c.ep.Fail("MDTM", path, transport.KindUnsupported, joinErr(errNoSetTime, r.err()))
	}
	return c.orLook(r, path)
}

// timeLine is the command that sets a time.
func (c *Conn) timeLine(path string, mtime time.Time) string {
	if c.feats.has("MFMT") {
		return "MFMT " + mtime.UTC().Format(timeVal) + " " + path
	}
	return "MDTM " + mtime.In(c.zoneOfMDTM()).Format(timeVal) + " " + path
}

// saysModification recognises vsftpd's "550 Could not set file modification
// time." for a file that is missing or somebody else's. Without mdtm_write it
// says "Could not get file modification time.".
func saysModification(text string) bool { return strings.Contains(strings.ToLower(text), "not set") }

// isTime reports whether a reply tells a time instead of having set one.
func isTime(text string) bool { _, ok := ftplist.Time(strings.TrimSpace(text)); return ok }
