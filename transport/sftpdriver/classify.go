package sftpdriver

import (
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// error makes an error in the name of the request under way.
func (s *step) error(kind transport.Kind, code int, err error) *transport.Error {
	e := s.c.ep.Fail("SSH_FXP_"+s.name, s.path(), kind, err)
	e.Code = code
	return e
}

// classify names the kind of a failed operation and closes the connection
// where the session is in doubt.
func (s *step) classify(err error) *transport.Error {
	var local *transport.LocalError
	status := statusOf(err)
	switch {
	case s.ctx.Err() != nil:
		e := s.error(transport.KindCanceled, 0, err)
		e.MayHaveActed = s.acts
		return e
	case s.stalled || s.op != nil && s.op.Stalled():
		e := s.error(transport.KindStalled, 0, err)
		e.MayHaveActed = s.acts
		return e
	case errors.As(err, &local):
		return s.error(transport.KindLocal, 0, err)
	case status != nil:
		return s.error(kindOfStatus(s.name, s.path(), status), int(status.code), status)
	case errors.Is(err, errTruncated):
		return s.error(transport.KindTruncated, 0, err)
	case errors.Is(err, errBeyond):
		return s.error(transport.KindRestart, 0, err)
	case errors.Is(err, os.ErrClosed) && s.c.Usable():
		// pkg/sftp: the handle was closed by us; a mistake of ours.
		return s.error(transport.KindUnknown, 0, err)
	case lost(err) || !s.c.Usable():
		e := s.error(transport.KindLost, 0, s.c.cause())
		e.MayHaveActed = s.acts
		return e
	}
	// A packet that makes no sense: whatever follows may not either.
	s.c.fail()
	e := s.error(transport.KindProtocol, 0, err)
	e.MayHaveActed = s.acts
	return e
}

// lost recognises the end of the connection in what pkg/sftp and the pipe return. A
// bare io.EOF is not it: that is a status SSH_FX_EOF.
func lost(err error) bool {
	return libraryLost(err) || errors.Is(err, errEnded) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || transport.KindOf(err) == transport.KindLost
}

// statusOf finds the server's status in an error of ours or of pkg/sftp; nil if the
// server refused nothing.
func statusOf(err error) *statusError {
	var own *statusError
	if errors.As(err, &own) {
		return own
	}
	return libraryStatus(err)
}

// kindOfStatus names the kind of a status. OpenSSH has codes for four errno
// (sftp-server.c, errno_to_portable) and says SSH_FX_FAILURE, "Failure", to
// all others: disk full, file exists, not empty. Other servers put the reason
// into the text, so the text is read, with the words of FTP servers.
func kindOfStatus(request, name string, s *statusError) transport.Kind {
	switch s.code {
	case fxNoSuchFile, 10, 19, 21: // no such path, not a directory, link loop
		return transport.KindNotExist
	case fxPermissionDenied, 12, 22: // write protected, cannot delete
		return transport.KindPermission
	case fxOpUnsupported:
		return transport.KindUnsupported
	case 11: // file already exists
		return transport.KindExist
	case 14: // no space on filesystem
		return transport.KindNoSpace
	case 15: // quota exceeded
		return transport.KindQuota
	case 17, 25, 26: // locked
		return transport.KindLocked
	case 20: // invalid filename
		return transport.KindName
	case 18, 23, 24: // directory not empty, invalid parameter, file is a directory
		return transport.KindRefused
	case fxBadMessage:
		// ENAMETOOLONG and EINVAL on OpenSSH.
		if longName(name) {
			return transport.KindName
		}
		return transport.KindRefused
	case fxEOF, 9: // EOF where there is none, invalid handle
		return transport.KindProtocol
	}
	t := withoutName(strings.ToLower(s.msg), strings.ToLower(name))
	switch {
	case strings.Contains(t, "not empty"), strings.Contains(t, "is a directory"):
		return transport.KindRefused
	case strings.Contains(t, "name too long"):
		return transport.KindName
	}
	// 450 is the FTP reply for "not now": what the text does not explain stays
	// temporary.
	kind := transport.KindOfReply("", 450, t)
	if kind == transport.KindNotExist && strings.Trim(t, " .") != "not found" &&
		!slices.ContainsFunc(missingFile, func(said string) bool { return strings.Contains(t, said) }) {
		return transport.KindTemporary
	}
	return kind
}

// missingFile is what servers say of a file that is not there. A bucket, a host or a session
// that "was not found" is none: a mirror deletes what its source is said not to have.
var missingFile = []string{
	"no such file", "no such directory", "file does not exist", "directory does not exist", "path does not exist",
	"file not found", "directory not found", "path not found", "object not found",
	"cannot find the file", "cannot find the path", "nosuchkey", "no such key", "key does not exist",
}

// withoutName takes a file's name out of a text, where it may say anything. One word could
// be a word of the text.
func withoutName(text, name string) string {
	if strings.Contains(text, name) && strings.Contains(name, "/") {
		return strings.Replace(text, name, "", 1)
	}
	base := path.Base(name)
	if strings.IndexFunc(base, func(r rune) bool { return !unicode.IsLetter(r) }) < 0 {
		return text
	}
	return strings.Replace(text, base, "", 1)
}

// longName reports whether a path is longer than Linux takes: 255 bytes an
// element, 4095 in all.
func longName(name string) bool {
	if len(name) > 4095 {
		return true
	}
	for _, e := range strings.Split(name, "/") {
		if len(e) > 255 {
			return true
		}
	}
	return false
}
