package sftpdriver

import (
	"errors"
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Writes of more than 32 KiB are sent to servers that announce to take them
// (limits@openssh.com). Some refuse them all the same, and some write their beginning and
// call that success, which leaves a hole in the middle of a file of the right size. So a
// server that is not known to mean it is asked for the size of the file right behind the
// first write of each length, which costs no round trip: it answers what is about one
// file in order (section 4.1 of the draft).

var (
	errCut = errors.New("the server has written a part of what it acknowledged")
	// errUnchecked is for servers that do not tell the size of an open file.
	errUnchecked = errors.New("the server does not say whether it has written all of what it acknowledged")
)

// doubtful reports whether an upload ended because a write was not whole, or may not be.
func doubtful(err error) bool { return errors.Is(err, errCut) || errors.Is(err, errUnchecked) }

// check is the question for the size behind a write.
type check struct {
	size   *reply
	length int   // of the write
	end    int64 // where it ends
}

// longest is how long a write may be. Several sessions write behind one another, so that
// the size shows nothing: there a server has to be known.
func (u *upload) longest() int {
	c := u.s.c
	n := c.writeSize()
	if n > safePacket && !c.traits.inOrder && u.channels.holding && int64(n) > c.limits.proven.Load() {
		return safePacket
	}
	return n
}

// check asks for the size behind a write that is longer than any before.
func (u *upload) check(l *channel, n int) {
	c := u.s.c
	if n <= safePacket || c.traits.inOrder || int64(n) <= c.limits.proven.Load() {
		return
	}
	for _, k := range u.checks {
		if n <= k.length {
			return
		}
	}
	u.checks = append(u.checks, check{l.pipe.send(fxpFstat, putString(nil, l.handle)), n, u.next})
}

// whole judges an acknowledged write of n bytes, if it is one of those. A server that does
// not tell the size is not believed either.
func (u *upload) whole(n int) error {
	if len(u.checks) == 0 || u.checks[0].end != u.acked+int64(n) {
		return nil
	}
	k := u.checks[0]
	u.checks = u.checks[1:]
	var a attrs
	err := k.size.parse(fxpAttrs, func(r *reader) { a = r.attrs() })
	switch {
	case err != nil && statusOf(err) == nil:
		return err
	case err != nil, !a.hasSize:
		u.length = n
		return errUnchecked
	case a.size < uint64(k.end):
		u.length = n
		return errCut
	}
	u.s.c.limits.proven.Store(int64(n))
	return nil
}

// tooLong judges a failed upload: where it may be for the length of a write, no longer ones
// than every server takes are sent from now on, and the upload is worth another attempt.
func (u *upload) tooLong(err error) error {
	s := u.s
	if u.length <= safePacket || !s.c.Usable() || s.ctx.Err() != nil {
		return err
	}
	code := 0
	if st := statusOf(err); st != nil {
		code = int(st.code)
		switch kindOfStatus(s.name, s.path(), st) {
		case transport.KindTemporary, transport.KindRefused, transport.KindUnsupported:
		default:
			return err
		}
	} else if !doubtful(err) {
		return err
	}
	s.c.smallWrites()
	if u.q.Offset > 0 && u.acked == u.q.Offset {
		return err // it may be the offset that it does not take, see notFrom
	}
	s.c.ep.Learned.Note(s.c.info.Addr, lacksLargeWrites, true)
	return s.error(transport.KindTemporary, code, fmt.Errorf("a write of %d bytes, which the server announced to take: %w", u.length, err))
}
