package sftpdriver

import (
	"errors"
	"io"
	"math"
	"math/bits"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/pkg/sftp"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// library is pkg/sftp, which no other file of this package calls.
//
// Through it goes how a session begins (SSH_FXP_INIT, the version, the extensions), the
// reading of the session's answers, and every request that leaves by itself and that
// pkg/sftp sends as the contract wants it: see [library.can]. So the serial way, to
// which the conformance of batches compares the pipelined one, is that of the library.
//
// Packets of our own are
//   - what leaves in one write with others: pkg/sftp waits for each answer;
//   - SSH_FXP_STAT: pkg/sftp does not tell which attributes a server has left out;
//   - SSH_FXP_REMOVE: pkg/sftp tries SSH_FXP_RMDIR next, and deletes an empty folder;
//   - listings: pkg/sftp reads a folder as a whole before it gives any of it;
//   - transfers: short answers (trap 14), what was acknowledged without a gap (trap 8),
//     several channels;
//   - extensions that it does not know: limits@openssh.com, check-file.
type library struct{ client *sftp.Client }

// openLibrary begins an SFTP session.
func openLibrary(p *pipe) (library, error) {
	client, err := sftp.NewClientPipe(p, p)
	return library{client}, err
}

// extension returns the value of an extension that the server has announced.
func (l library) extension(name string) (string, bool) { return l.client.HasExtension(name) }

// can reports whether do carries out a request.
func (l library) can(q transport.Request) bool {
	switch q.(type) {
	case *transport.Rename, *transport.Mkdir, *transport.Rmdir, *transport.SetTime, *transport.SetMode,
		*transport.Truncate, *transport.Link, *transport.Space, *transport.Ping:
		return true
	}
	return false
}

// do carries out a request that has been checked. posix says which of the two ways to
// rename is meant.
func (l library) do(conn *Conn, q transport.Request, posix bool) (err error) {
	c := l.client
	switch q := q.(type) {
	case *transport.Rename:
		if posix {
			return c.PosixRename(q.From, q.To)
		}
		return c.Rename(q.From, q.To)
	case *transport.Mkdir:
		return c.Mkdir(q.Path)
	case *transport.Rmdir:
		return c.RemoveDirectory(q.Path)
	case *transport.SetTime:
		return c.Chtimes(q.Path, q.Time, q.Time)
	case *transport.SetMode:
		return c.Chmod(q.Path, os.FileMode(q.Mode&modeBits))
	case *transport.Truncate:
		return c.Truncate(q.Path, q.Size)
	case *transport.Link:
		if q.Make {
			return c.Symlink(conn.linkOrder(q))
		}
		q.Target, err = c.ReadLink(q.Path)
		return err
	case *transport.Space:
		q.Free, q.Total, err = l.space(q.Path)
		return err
	case *transport.Ping:
		_, err = c.RealPath(".")
		return err
	}
	return errors.ErrUnsupported
}

// space asks how much room there is, see [blocks].
func (l library) space(p string) (free, total int64, err error) {
	fs, err := l.client.StatVFS(p)
	if err != nil {
		return 0, 0, err
	}
	return blocks(fs.Bavail, fs.Frsize), blocks(fs.Blocks, fs.Frsize), nil
}

// room asks how many bytes are free, and whether another file may be made. File systems that
// do not count files have room for one.
func (l library) room(p string) (free int64, file bool, err error) {
	fs, err := l.client.StatVFS(p)
	if err != nil {
		return 0, false, err
	}
	return blocks(fs.Bavail, fs.Frsize), fs.Files == 0 || fs.Favail > 0, nil
}

// blocks is so many blocks in bytes, -1 where the server's numbers make no sense.
func blocks(n, size uint64) int64 {
	high, low := bits.Mul64(n, size)
	if size == 0 || high != 0 || low > math.MaxInt64 {
		return -1
	}
	return int64(low)
}

// libraryLost recognises the end of the connection in what pkg/sftp returns:
// ErrSSHFxConnectionLost matches neither EOF nor ECONNRESET.
func libraryLost(err error) bool { return errors.Is(err, sftp.ErrSSHFxConnectionLost) }

// libraryStatus finds the server's status in an error of pkg/sftp, which turns three of
// them into errors of os and io; nil if the server refused nothing.
func libraryStatus(err error) *statusError {
	var theirs *sftp.StatusError
	switch {
	case errors.As(err, &theirs):
		if theirs.Code == fxNoConnection || theirs.Code == fxConnectionLost {
			// ErrSSHFxConnectionLost is a plain number, so this did come
			// from the server, which the draft forbids (section 7).
			return &statusError{code: theirs.Code, msg: "sent by the server"}
		}
		return &statusError{code: theirs.Code, msg: statusText(theirs)}
	case errors.Is(err, os.ErrNotExist):
		return &statusError{code: fxNoSuchFile}
	case errors.Is(err, os.ErrPermission):
		return &statusError{code: fxPermissionDenied}
	case err == io.EOF:
		return &statusError{code: fxEOF}
	}
	return nil
}

// statusText takes what the server said out of pkg/sftp's `sftp: "text" (name)`.
func statusText(err *sftp.StatusError) string {
	text := strings.TrimPrefix(err.Error(), "sftp: ")
	if i := strings.LastIndex(text, " ("); i > 0 {
		text = text[:i]
	}
	if said, err := strconv.Unquote(text); err == nil {
		return said
	}
	return text
}

// seconds is a time as version 3 of SFTP holds it: unsigned seconds since 1970 in 32
// bits.
func seconds(t time.Time) (uint32, bool) {
	s := t.Unix()
	return uint32(s), s >= 0 && s <= math.MaxUint32
}
