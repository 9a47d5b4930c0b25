package ftpdriver

import (
	"context"
	"errors"
	"io"

	"github.com/jlaffaye/ftp"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Retrieve reads with RETR, from offset on with REST. The end of the data
// connection proves nothing: a file that was cut off looks just like it, and all
// three big servers say 226 to it. Callers compare the size.
func (c *Conn) Retrieve(ctx context.Context, path string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
	if offset < 0 {
		return 0, c.ep.Fail("RETR", path, transport.KindInvalid, errors.New("the offset is negative"))
	}
	var got int64
	err := c.doPath(ctx, "RETR", path, func(op *transport.Op) error {
		d, err := c.openData(op, "RETR "+path)
		if err != nil {
			return err
		}
		defer d.release()
		c.lend(d)
		resp, err := c.lib.RetrFrom(path, uint64(offset))
		if err != nil {
			d.release()
			return c.clarify("RETR", path, c.retrieveError(d, err, offset))
		}
		var moved func(int64)
		if opt != nil && opt.Progress != nil {
			moved = func(n int64) { op.Aside(func() { opt.Report(n) }) }
		}
		buf := transport.GetBuffer()
		defer transport.PutBuffer(buf)
		limit := opt.LimitOr(-1)
		from := io.Reader(resp)
		if limit > 0 {
			from = io.LimitReader(resp, limit)
		}
		got, err = transport.CopyBuffer(op.Writer(dst), from, *buf, moved)
		if err == nil && got == limit {
			c.stopAt(d, resp)
			return nil
		}
		if err != nil {
			_ = d.fail(err) // where it was dst that failed, the rest must not come
		}
		return c.retrieveError(d, besides(err, resp.Close()), offset)
	})
	return got, err
}

// stopAt ends a transfer at its limit. If that is the end of the file all is in
// order; else the connection is cut, and whether the session survives depends on
// the server. Either way the bytes are there.
func (c *Conn) stopAt(d *dataConn, resp *ftp.Response) {
	if n, err := resp.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		d.cut()
	}
	_ = resp.Close()
}

// retrieveError is transferError with what REST means here: 554 to it, or to the
// RETR after it, is an offset that the server refuses.
func (c *Conn) retrieveError(d *dataConn, err error, offset int64) error {
	err = c.transferError(d, err, 0)
	if last := c.ctl.last; offset > 0 && isReply(err) && last.verb == "REST" && restartRefused(last) {
		return as(transport.KindRestart, err)
	}
	return err
}
