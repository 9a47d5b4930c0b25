package sftpdriver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Packet types of draft-ietf-secsh-filexfer-02 section 3.
const (
	fxpInit          = 1
	fxpVersion       = 2
	fxpOpen          = 3
	fxpClose         = 4
	fxpRead          = 5
	fxpWrite         = 6
	fxpFstat         = 8
	fxpSetstat       = 9
	fxpFsetstat      = 10
	fxpLstat         = 7
	fxpOpendir       = 11
	fxpReaddir       = 12
	fxpRemove        = 13
	fxpMkdir         = 14
	fxpRmdir         = 15
	fxpRealpath      = 16
	fxpStat          = 17
	fxpRename        = 18
	fxpReadlink      = 19
	fxpSymlink       = 20
	fxpStatus        = 101
	fxpHandle        = 102
	fxpData          = 103
	fxpName          = 104
	fxpAttrs         = 105
	fxpExtended      = 200
	fxpExtendedReply = 201
)

// Flags of SSH_FXP_OPEN, section 6.3.
const (
	fxfRead  = 1
	fxfWrite = 2
	fxfCreat = 8
	fxfTrunc = 16
	fxfExcl  = 32
)

// Flags of attributes, section 5.
const (
	attrSize = 1
	attrPerm = 4
	attrTime = 8 // access and modification time
)

// Status codes, section 7 of the draft; those from 9 on are of version 6
// (draft-13 section 9.1), which some servers send in version 3.
const (
	fxOK               = 0
	fxEOF              = 1
	fxNoSuchFile       = 2
	fxPermissionDenied = 3
	fxFailure          = 4
	fxBadMessage       = 5
	fxNoConnection     = 6
	fxConnectionLost   = 7
	fxOpUnsupported    = 8
)

// errMalformed is a packet that does not parse: the stream is out of step or
// the server is hostile, and the session ends.
var errMalformed = errors.New("malformed SFTP packet")

// A reader takes fields off a packet. After a field that is not all there, bad
// is set and what is returned is zero; nothing is ever read beyond the end.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) bytes() []byte {
	n := r.uint32()
	if uint64(n) > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	return r.take(int(n))
}

func (r *reader) string() string { return string(r.bytes()) }

func putString(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}

// attrs are file attributes (section 5), as far as the server gave them.
type attrs struct {
	hasSize, hasPerm, hasTime bool
	size                      uint64
	perm                      uint32
	mtime                     uint32
}

func (r *reader) attrs() (a attrs) {
	flags := r.uint32()
	if flags&1 != 0 {
		a.hasSize, a.size = true, r.uint64()
	}
	if flags&2 != 0 {
		r.take(8) // uid, gid
	}
	if flags&4 != 0 {
		a.hasPerm, a.perm = true, r.uint32()
	}
	if flags&8 != 0 {
		r.uint32() // atime
		a.hasTime, a.mtime = true, r.uint32()
	}
	if flags&0x80000000 != 0 {
		for n := r.uint32(); n > 0 && !r.bad; n-- {
			r.bytes()
			r.bytes()
		}
	}
	return a
}

// entry makes an Entry of attributes. longname is the "ls -l" line that comes
// with a listing, whose first letter is the only sign of the type where a
// server leaves the permissions out.
func (a attrs) entry(name, longname string) transport.Entry {
	e := transport.Entry{Name: name, Type: transport.TypeUnknown, Size: -1}
	if a.hasSize && a.size <= 1<<63-1 {
		e.Size = int64(a.size)
	}
	if a.hasTime {
		e.ModTime, e.TimeExact = time.Unix(int64(a.mtime), 0), true
	}
	if a.hasPerm {
		e.Perm = fs.FileMode(a.perm) & fs.ModePerm
	}
	switch kind := a.perm & 0o170000; {
	case kind == 0o100000:
		e.Type = transport.TypeFile
	case kind == 0o040000:
		e.Type = transport.TypeDir
	case kind == 0o120000:
		e.Type = transport.TypeLink
	case kind != 0:
		e.Type = transport.TypeOther // a device, a pipe or a socket
	case len(longname) > 0 && longname[0] == 'd':
		e.Type = transport.TypeDir
	case len(longname) > 0 && longname[0] == 'l':
		e.Type = transport.TypeLink
	case len(longname) > 0 && longname[0] == '-':
		e.Type = transport.TypeFile
	}
	return e
}

// A statusError is a negative SSH_FXP_STATUS.
type statusError struct {
	code uint32
	msg  string
}

func (e *statusError) Error() string {
	if e.msg == "" {
		return statusName(e.code)
	}
	return fmt.Sprintf("%s (%s)", e.msg, statusName(e.code))
}

var statusNames = map[uint32]string{
	fxOK: "SSH_FX_OK", fxEOF: "SSH_FX_EOF", fxNoSuchFile: "SSH_FX_NO_SUCH_FILE", fxPermissionDenied: "SSH_FX_PERMISSION_DENIED",
	fxFailure: "SSH_FX_FAILURE", fxBadMessage: "SSH_FX_BAD_MESSAGE", fxNoConnection: "SSH_FX_NO_CONNECTION",
	fxConnectionLost: "SSH_FX_CONNECTION_LOST", fxOpUnsupported: "SSH_FX_OP_UNSUPPORTED",
}

func statusName(code uint32) string {
	if s, ok := statusNames[code]; ok {
		return s
	}
	return fmt.Sprintf("SFTP status %d", code)
}

// status reads an SSH_FXP_STATUS after its id: nil for SSH_FX_OK. The message
// is missing on servers that speak an older draft.
func (r *reader) status() error {
	code := r.uint32()
	if r.bad {
		return errMalformed
	}
	msg := r.string()
	if code == fxOK {
		return nil
	}
	return &statusError{code: code, msg: msg}
}
