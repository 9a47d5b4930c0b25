package sftpdriver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Store writes src to the file from offset on, with many writes under way, on
// several sessions where one does not fill the line.
//
// On failure n is the acknowledged prefix. If the connection is still there,
// the file has been cut back to it: writes behind the one that failed may have
// succeeded and left a hole (trap 8). If it is lost, the file may be longer
// than offset+n, by up to [transport.Caps.WriteWindow], and what lies beyond
// may have holes: the caller must cut it back to offset+n, or prove it.
func (c *Conn) Store(ctx context.Context, p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
	if offset < 0 {
		return 0, c.ep.Fail("SSH_FXP_OPEN", p, transport.KindInvalid, fmt.Errorf("offset %d is negative", offset))
	}
	name := "OPEN"
	if offset == 0 && c.created.has(p) {
		name = "WRITE"
	}
	k, err := c.begin(ctx, name, true, p)
	if err != nil {
		return 0, err
	}
	handle := ""
	if offset == 0 {
		handle = c.created.take(p)
	}
	n, err := k.store(p, handle, offset, src, opt)
	if err = k.end(err); offset > 0 && n == 0 && c.Usable() {
		err = notFrom(err)
	}
	return n, err
}

// notFrom makes [transport.KindRestart] of a refusal to go on with a file, of which not a
// byte was taken. SFTP has no status for it: servers that store whole objects say
// SSH_FX_FAILURE, or that it is not permitted, to SSH_FXP_OPEN or to the first write.
// What is as likely to have another reason is found out by beginning anew.
func notFrom(err error) error {
	var te *transport.Error
	if errors.As(err, &te) {
		switch te.Kind {
		case transport.KindTemporary, transport.KindUnsupported, transport.KindPermission:
			te.Kind = transport.KindRestart
		}
	}
	return err
}

// store writes to a file that it opens, unless there is a handle.
func (k *call) store(p, handle string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
	// A file that is to be continued must be there: creating it would leave a
	// hole up to offset. Write alone, because AWS Transfer refuses to open for
	// both.
	flags := uint32(fxfWrite)
	if offset == 0 {
		flags |= fxfCreat | fxfTrunc
	}
	lanes := k.c.newLanes(openRequest(p, fxfWrite), opt.SizeHint())
	defer lanes.done()
	if handle == "" {
		var err error
		if handle, err = k.c.pipe.send(fxpOpen, openRequest(p, flags)).handle(); err != nil {
			return 0, err
		}
		k.at("WRITE", p)
	}
	lanes.begin(handle)
	k.c.applyLimits()
	u := &upload{k: k, path: p, handle: handle, lanes: lanes, src: k.op.Reader(src), opt: opt, start: offset, acked: offset, next: offset}
	err := u.run()
	return u.acked - offset, err
}

// alive reports whether the connection can still be used after err: the server
// refused something, or the source failed.
func (k *call) alive(err error) bool {
	var local *transport.LocalError
	return k.c.Usable() && k.op.Context().Err() == nil && (statusOf(err) != nil || errors.As(err, &local))
}

// explain asks whether a write that failed without a reason did so because the
// disk is full, which OpenSSH answers with SSH_FX_FAILURE like anything else.
func (k *call) explain(err error, p string) error {
	s := statusOf(err)
	if s == nil || kindOfStatus(k.name, p, s) != transport.KindTemporary {
		return err
	}
	if v, ok := k.c.sftp.HasExtension("statvfs@openssh.com"); !ok || v != "2" {
		return err
	}
	fs, verr := k.c.sftp.StatVFS(path.Dir(p))
	if verr != nil || fs.Bavail*fs.Frsize >= uint64(k.c.writeSize()) {
		return err
	}
	return &statusError{code: s.code, msg: s.msg + ": no space left on the server's disk"}
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
