package sftpdriver

import (
	"encoding/binary"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// modeBits are the permission bits that a request may set.
const modeBits = 0o7777

// packet is the first packet of a step: its type and what follows the id.
func (s *step) packet() (typ byte, body []byte) {
	p := putString(nil, s.path())
	switch q := s.req.(type) {
	case *transport.Stat:
		if q.NoFollow {
			return fxpLstat, p
		}
	case *transport.List:
		return fxpOpendir, p
	case *transport.Store:
		// A file that is to be continued must be there: creating it would leave a
		// hole up to the offset. Write alone, because AWS Transfer refuses to open for
		// both.
		flags := uint32(fxfWrite)
		s.kept = !s.guessed && s.keeps(q)
		switch {
		case s.guessed, q.New:
			flags |= fxfCreat | fxfExcl
		case q.Offset == 0 && (q.Append || s.kept):
			flags |= fxfCreat
		case q.Offset == 0:
			flags |= fxfCreat | fxfTrunc
		}
		return fxpOpen, openRequest(q.Path, flags)
	case *transport.Retrieve:
		return fxpOpen, openRequest(q.Path, fxfRead)
	case *transport.Rename:
		switch s.name {
		case "RENAME":
			return fxpRename, putString(p, q.To)
		case "EXTENDED " + posixRename:
			return fxpExtended, putString(putString(putString(nil, posixRename), q.From), q.To)
		}
	case *transport.Remove:
		return fxpRemove, p
	case *transport.Mkdir:
		return fxpMkdir, putUint32(p, 0) // no attributes
	case *transport.Rmdir:
		return fxpRmdir, p
	case *transport.SetTime:
		// Of access and of modification: the protocol cannot set one of them.
		t, _ := seconds(q.Time)
		return fxpSetstat, putUint32(putUint32(putUint32(p, attrTime), t), t)
	case *transport.SetMode:
		return fxpSetstat, putUint32(putUint32(p, attrPerm), q.Mode&modeBits)
	case *transport.Truncate:
		return fxpSetstat, binary.BigEndian.AppendUint64(putUint32(p, attrSize), uint64(q.Size))
	case *transport.Hash:
		if !s.needsSize(q) {
			return fxpExtended, checkFile(q.Path, q.Algo, q.Offset, q.Size)
		}
	case *transport.Link:
		if !q.Make {
			return fxpReadlink, p
		}
		first, second := s.c.linkOrder(q)
		return fxpSymlink, putString(putString(nil, first), second)
	case *transport.Space:
		return fxpExtended, putString(putString(nil, statvfs), q.Path)
	case *transport.Ping:
		return fxpRealpath, p
	}
	return fxpStat, p
}

// linkOrder is in which order the two paths of a new link are sent. The draft names the
// link first. OpenSSH mixed them up (section 4.1 of its PROTOCOL), and everybody does as
// it does, but for AsyncSSH, which does so to clients that call themselves OpenSSH only.
func (c *Conn) linkOrder(q *transport.Link) (first, second string) {
	if strings.HasPrefix(c.info.Server, "SSH-2.0-AsyncSSH_") {
		return q.Path, q.Target
	}
	return q.Target, q.Path
}

func putUint32(b []byte, n uint32) []byte { return binary.BigEndian.AppendUint32(b, n) }

// openRequest is the body of SSH_FXP_OPEN.
func openRequest(path string, flags uint32) []byte {
	return putUint32(putUint32(putString(nil, path), flags), 0) // no attributes
}

// space reads the answer to statvfs@openssh.com (section 4.4 of PROTOCOL).
func (r *reader) space() (free, total int64) {
	r.uint64() // the preferred block size
	size, all := r.uint64(), r.uint64()
	r.uint64() // what only root may use is free as well
	return blocks(r.uint64(), size), blocks(all, size)
}
