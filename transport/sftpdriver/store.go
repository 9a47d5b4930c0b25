package sftpdriver

import (
	"errors"
	"io"
	"path"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// store writes to the file that has been opened, from the offset on, with many writes
// under way, on several sessions where one does not fill the line.
//
// On failure Stored is the acknowledged prefix. If the connection is still there, the
// file has been cut back to it: writes behind the one that failed may have succeeded
// and left a hole (trap 8). If it is lost, the file may be longer than that, by up to
// [transport.Caps.WriteWindow], and what lies beyond may have holes: the caller must cut
// it back, or prove it.
func (s *step) store(q *transport.Store) error {
	handle := s.handle
	if s.guessed {
		s.guessed = false
	} else {
		var err error
		if handle, err = s.reply.handle(); statusOf(err) != nil && s.kept {
			handle, err = s.openEmptied(q) // it opens nothing that it does not empty
		}
		if err != nil {
			return s.explain(err, 1)
		}
	}
	s.at("WRITE", q.Path)
	channels := s.c.newChannels(openRequest(q.Path, fxfWrite), max(q.Size, 0), q.Window)
	defer channels.done()
	channels.begin(handle)
	s.c.applyLimits()
	u := &upload{s: s, q: q, handle: handle, channels: channels, src: s.op.Reader(q.Src), acked: q.Offset, next: q.Offset}
	err := u.run()
	q.Stored = u.acked - q.Offset
	if err != nil {
		err = u.tooLong(err)
	}
	return err
}

// notFrom makes [transport.KindRestart] of a refusal to continue a file, of which not a
// byte was taken. SFTP has no status for it: servers that store whole objects say
// SSH_FX_FAILURE, or that it is not permitted, to SSH_FXP_OPEN or to the first write. What
// is as likely to have another reason is found out by beginning anew.
func notFrom(te *transport.Error) {
	switch te.Kind {
	case transport.KindTemporary, transport.KindUnsupported, transport.KindPermission:
		te.Kind = transport.KindRestart
	}
}

// alive reports whether the connection can still be used after err: the server
// refused something, or the source failed.
func (s *step) alive(err error) bool {
	var local *transport.LocalError
	return s.c.Usable() && s.op.Context().Err() == nil && (statusOf(err) != nil || errors.As(err, &local) || doubtful(err))
}

// explain asks whether what failed without a reason did so for want of room, of so many
// bytes or for another file, which OpenSSH answers with SSH_FX_FAILURE like anything else.
func (s *step) explain(err error, need int64) error {
	st := statusOf(err)
	if st == nil || kindOfStatus(s.name, s.path(), st) != transport.KindTemporary {
		return err
	}
	if v, ok := s.c.lib.extension(statvfs); !ok || v != "2" {
		return err
	}
	free, files, verr := s.c.lib.room(path.Dir(s.path()))
	switch {
	case verr != nil:
		return err
	case free >= 0 && free < need:
		return &statusError{code: st.code, msg: st.msg + ": no space left on the server's disk"}
	case !files && s.name == "OPEN":
		return &statusError{code: st.code, msg: st.msg + ": no space left on the server's disk for another file"}
	}
	return err
}

// readFull fills b unless r ends or fails, whose error it returns as it is.
func readFull(r io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = r.Read(b[n:])
		n += m
	}
	return n, err
}

// report tells a request's Progress of what has moved.
func report(progress func(int64), n int64) {
	if progress != nil && n > 0 {
		progress(n)
	}
}
