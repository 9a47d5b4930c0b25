package sftpdriver

import (
	"encoding/binary"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A file that is stored in the place of another keeps what it holds until the first bytes of
// the new one are acknowledged (transport.Store.Keep): it is opened without SSH_FXF_TRUNC,
// the first write is waited for, and then the file is cut to that (SSH_FXP_FSETSTAT), which
// is looked at, because servers ignore it. Where any of that is not to be had, it is opened
// again and emptied, as always.

// lacksCutting is the word in [transport.Learned] for a server that does not open a file
// without emptying it, or does not cut an open one.
const lacksCutting = "replacing a file without emptying it first"

// keeps reports whether a Store is to be opened in that way. What holds from then on is
// step.kept: another connection may learn something of the server at any moment.
func (s *step) keeps(q *transport.Store) bool {
	return q.Keep && q.Offset == 0 && !q.Append && !q.New && !s.c.ep.Learned.Lacks(s.c.info.Addr, lacksCutting)
}

// openEmptied opens the file as if it were not to be kept.
func (s *step) openEmptied(q *transport.Store) (string, error) {
	s.kept = false
	handle, err := s.c.pipe.send(fxpOpen, openRequest(q.Path, fxfWrite|fxfCreat|fxfTrunc)).handle()
	if err == nil {
		s.c.ep.Learned.Note(s.c.info.Addr, lacksCutting, true)
	}
	return handle, err
}

// replace writes the first n bytes, which are in place in buf, and cuts off what the file
// held. Where the first write is refused, the file is as it was.
func (u *upload) replace(buf []byte, n int) error {
	err := u.writeFirst(buf, n)
	if err != nil {
		return u.leave(err)
	}
	cut, err := u.cutTo(n)
	if err != nil {
		return u.leave(err)
	}
	if !cut {
		_ = u.s.c.pipe.send(fxpClose, putString(nil, u.handle)).parse(fxpStatus, nil)
		handle, err := u.s.openEmptied(u.q)
		if err != nil {
			return u.s.explain(err, 1)
		}
		if at := dataAt(handle); at != dataAt(u.handle) {
			copy(buf[at:], buf[dataAt(u.handle):][:n])
		}
		u.handle, u.channels.ready[0].handle = handle, handle
		if err := u.writeFirst(buf, n); err != nil {
			return u.leave(err)
		}
	}
	u.acked, u.next = int64(n), int64(n)
	return nil
}

// writeFirst writes the first bytes and waits until they are acknowledged.
func (u *upload) writeFirst(buf []byte, n int) error {
	if n == 0 {
		return nil
	}
	u.length = n
	err := u.s.c.pipe.sendPacket(fxpWrite, writeHead(buf, u.handle, 0, n)).parse(fxpStatus, nil)
	u.s.op.Heard()
	return err
}

// cutTo cuts the file to n bytes, and reports whether it has them then. The error is one of
// the session.
func (u *upload) cutTo(n int) (bool, error) {
	size := binary.BigEndian.AppendUint32(putString(nil, u.handle), attrSize)
	size = binary.BigEndian.AppendUint64(size, uint64(n))
	b := &burst{p: u.s.c.pipe}
	cut, stat := b.add(fxpFsetstat, size), b.add(fxpFstat, putString(nil, u.handle))
	b.send()
	var a attrs
	cerr := cut.parse(fxpStatus, nil)
	serr := stat.parse(fxpAttrs, func(r *reader) { a = r.attrs() })
	u.s.op.Heard()
	for _, err := range []error{cerr, serr} {
		if err != nil && statusOf(err) == nil {
			return false, err
		}
	}
	// A file that was no longer than that need not be cut.
	return serr == nil && a.hasSize && a.size == uint64(n), nil
}

// leave ends an upload of which nothing, or no more than the first write, is there.
func (u *upload) leave(err error) error {
	if !u.s.alive(err) {
		return err
	}
	err = u.s.explain(err, int64(u.s.c.writeSize()))
	for _, r := range u.channels.closing() {
		_ = r.parse(fxpStatus, nil)
	}
	_ = u.s.c.pipe.send(fxpClose, putString(nil, u.handle)).parse(fxpStatus, nil)
	return err
}
