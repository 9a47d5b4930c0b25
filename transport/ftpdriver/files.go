package ftpdriver

import (
	"context"
	"errors"
	"io/fs"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Rename sends RNFR and RNTO in one write. FTP has no flag for replace: what
// RNTO does to an existing target is the server's custom.
func (c *Conn) Rename(ctx context.Context, from, to string, _ bool) error {
	if err := transport.CheckPath(to); err != nil {
		return c.ep.Fail("RNTO", to, transport.KindInvalid, err)
	}
	return c.doPath(ctx, "RNFR", from, func(*transport.Op) error {
		replies, err := c.exchange("RNFR "+from, "RNTO "+to)
		return c.renamed(replies, err, from, to)
	})
}

// refused makes an error of a reply that need not be the last one read.
func (c *Conn) refused(r reply, path string) error {
	return c.ep.Fail(r.verb, path, c.kindOf(r.verb, r.err()), r.err())
}

// Remove sends DELE.
func (c *Conn) Remove(ctx context.Context, path string) error {
	return c.doPath(ctx, "DELE", path, func(*transport.Op) error { return c.clarify("DELE", path, c.lib.Delete(path)) })
}

// Mkdir sends MKD.
func (c *Conn) Mkdir(ctx context.Context, path string) error {
	return c.doPath(ctx, "MKD", path, func(*transport.Op) error { return c.clarify("MKD", path, c.lib.MakeDir(path)) })
}

// Rmdir sends RMD.
func (c *Conn) Rmdir(ctx context.Context, path string) error {
	return c.doPath(ctx, "RMD", path, func(*transport.Op) error { return c.clarify("RMD", path, c.lib.RemoveDir(path)) })
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

// timeVal is the form of times in MDTM, MFMT and MLSx (RFC 3659 section 2.3),
// always UTC.
const timeVal = "20060102150405"

// Chtimes sends MFMT (draft-somers-ftp-mfxx), or else MDTM with a time before the
// path, which is vsftpd's way.
func (c *Conn) Chtimes(ctx context.Context, path string, mtime time.Time) error {
	if !c.Info().Caps.SetTime {
		return c.ep.Fail("MFMT", path, transport.KindUnsupported, errNoSetTime)
	}
	if c.feats.has("MFMT") {
		return c.doPath(ctx, "MFMT", path, func(*transport.Op) error {
			r, err := c.ctl.command(c.timeLine(path, mtime))
			if err == nil && r.positive() && r.code != 202 {
				return nil
			}
			if err == nil && unknown(r) {
				c.never("MFMT")
			}
			return besides(err, errIf(err == nil, r))
		})
	}
	return c.doPath(ctx, "MDTM", path, func(*transport.Op) error {
		r, err := c.ctl.command(c.timeLine(path, mtime))
		if err != nil {
			return err
		}
		if r.code == 213 && !isTime(r.text) {
			return nil
		}
		if r.positive() || !saysModification(r.text) {
			// The server took "20260102030405 name" for the name of a file.
			c.noSetTime = true
			c.derive()
			return as(transport.KindUnsupported, besides(errNoSetTime, r.err()))
		}
		return c.clarify("MDTM", path, r.err())
	})
}

// timeLine is the command that sets a time.
func (c *Conn) timeLine(path string, mtime time.Time) string {
	if c.feats.has("MFMT") {
		return "MFMT " + mtime.UTC().Format(timeVal) + " " + path
	}
	return "MDTM " + mtime.In(c.zoneOfMDTM()).Format(timeVal) + " " + path
}

func errIf(is bool, r reply) error {
	if is {
		return r.err()
	}
	return nil
}

// saysModification recognises vsftpd's "550 Could not set file modification
// time." for a file that is missing or somebody else's. Without mdtm_write it
// says "Could not get file modification time.".
func saysModification(text string) bool { return strings.Contains(strings.ToLower(text), "not set") }

// isTime reports whether a reply tells a time instead of having set one.
func isTime(text string) bool { _, ok := parseTime(strings.TrimSpace(text)); return ok }
