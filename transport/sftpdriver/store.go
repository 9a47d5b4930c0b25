package sftpdriver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/pkg/sftp"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Store writes src to the file from offset on, with many writes under way.
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
	k, err := c.begin(ctx, "OPEN", true, p)
	if err != nil {
		return 0, err
	}
	n, err := k.store(p, offset, src, opt)
	return n, k.end(err)
}

func (k *call) store(p string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
	c := k.c
	// A file that is to be continued must be there: creating it would leave a
	// hole up to offset. Write alone, because AWS Transfer refuses to open for
	// both.
	flags := os.O_WRONLY
	if offset == 0 {
		flags |= os.O_CREATE | os.O_TRUNC
	}
	f, err := c.sftp.OpenFile(p, flags)
	if err == nil && f == nil {
		err = errMalformed // pkg/sftp, for an SSH_FX_OK in place of a handle
	}
	if err != nil {
		return 0, err
	}
	c.applyLimits()
	if _, err := f.Seek(offset, io.SeekStart); err != nil { // asks nothing of the server
		return 0, err
	}
	k.at("WRITE", p)
	err = k.write(f, &counted{k.op.Reader(src), opt}, opt.SizeHint())
	end, _ := f.Seek(0, io.SeekCurrent)
	n := end - offset
	if err != nil {
		if k.alive(err) {
			err = k.explain(err, p)
			// f.Truncate works on the handle: the name may belong to
			// another file by now. What it answers changes nothing for n.
			_ = f.Truncate(end)
			_ = f.Close()
		}
		return n, err
	}
	k.at("CLOSE")
	if err := f.Close(); err != nil {
		if k.alive(err) {
			// Network file systems report at the close that they could not
			// keep what they had acknowledged.
			n = 0
		}
		return n, err
	}
	return n, nil
}

// write sends src in packets of the size that the server takes. One that fits
// into a single packet goes without the goroutines and buffers of many.
func (k *call) write(f *sftp.File, src io.Reader, size int64) error {
	c := k.c
	buf := transport.GetBuffer()
	defer transport.PutBuffer(buf)
	first := (*buf)[:c.write]
	n, err := readFull(src, first)
	switch {
	case err == io.EOF && n == 0:
		return nil
	case err == io.EOF:
		_, err = f.Write(first[:n])
		return err
	case err != nil:
		if n > 0 {
			if _, werr := f.Write(first[:n]); werr != nil {
				return werr
			}
		}
		return err
	}
	parallel := inFlight(c.write)
	if size > 0 {
		parallel = min(parallel, int((size-1)/int64(c.write)+1))
	}
	// ReadFromWithConcurrency returns what it has read; what is acknowledged
	// without a gap is where it leaves the file's offset: on success the end of
	// all, on failure the offset of the first write that failed, for which it
	// waits until every write is answered (client.go, readFromWithConcurrency).
	_, err = f.ReadFromWithConcurrency(io.MultiReader(bytes.NewReader(first), src), parallel)
	return err
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
	if verr != nil || fs.Bavail*fs.Frsize >= uint64(k.c.write) {
		return err
	}
	return &statusError{code: s.code, msg: s.msg + ": no space left on the server's disk"}
}

// counted reports what is read of the source, which pkg/sftp does in one
// goroutine and in order.
type counted struct {
	r   io.Reader
	opt *transport.IO
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.opt.Report(int64(n))
	return n, err
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
