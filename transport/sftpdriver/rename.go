package sftpdriver

import (
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// renamed judges the answer to a request of one packet. Servers announce
// posix-rename@openssh.com and do not mean it: they refuse it, as unsupported or in any
// other words. Until one was carried out, a refusal is not the last word: SSH_FXP_RENAME
// may do, which replaces nothing on most servers. Nothing that acts has left behind it
// then, see [run.unsettled]; what only reads is asked again.
func (s *step) renamed(err error) error {
	if s.name != "EXTENDED "+posixRename {
		return err
	}
	st := statusOf(err)
	switch {
	case err == nil:
		s.c.posixMeant.Store(true)
		return nil
	case st == nil, st.code == fxNoSuchFile:
		return err
	case st.code == fxOpUnsupported:
		s.c.lacksPosixRename()
	case s.c.posixMeant.Load():
		return err
	}
	for j := s.i + 1; j < s.sent; j++ {
		if s.steps[j].acts && s.steps[j].bad == nil {
			return err // it has left behind it, as if it had not been renamed
		}
	}
	s.abandon(s.i + 1) // what only reads was answered as if it had not been renamed
	q := s.req.(*transport.Rename)
	s.instead(err, "RENAME", q.From, q.To)
	plain := s.c.lib.do(s.c, q, false)
	if plain == nil {
		s.c.lacksPosixRename()
		return nil
	}
	switch refused := statusOf(plain); {
	case refused == nil:
		return plain
	case refused.code == fxNoSuchFile, refused.code == fxOpUnsupported,
		st.code != fxOpUnsupported && kindOfStatus(posixRename, q.From, st) != transport.KindTemporary:
		// The first word says more. Where it names a reason it is the same whether the
		// second was asked for or not.
		return err
	}
	return plain
}

// lacksPosixRename takes note that the extension is not to be asked for, on this
// connection and on those to come.
func (c *Conn) lacksPosixRename() {
	c.posixRename.Store(false)
	c.ep.Learned.Note(c.info.Addr, posixRename, true)
}
