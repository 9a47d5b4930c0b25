package ftpdriver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Retrieve reads with RETR, from offset on with REST. The end of the data
// connection proves nothing: a file that was cut off looks just like it, and all
// three big servers say 226 to it. Callers compare the size.
func (c *Conn) Retrieve(ctx context.Context, path string, offset int64, dst io.Writer, opt *IO) (int64, error) {
	if offset < 0 {
		return 0, c.ep.Fail("RETR", path, transport.KindInvalid, errors.New("the offset is negative"))
	}
	var got int64
	err := c.doPath(ctx, "RETR", path, func(op *transport.Op) (err error) {
		r := retrieval{path: path, offset: offset, limit: opt.LimitOr(-1), dst: op.Writer(dst), part: opt.Parting(), proof: opt != nil && opt.Part != nil}
		if opt != nil && opt.Progress != nil {
			r.moved = func(n int64) { op.Aside(func() { opt.Report(n) }) }
		}
		r.ranged = r.limit > 0 && r.limit <= math.MaxInt64-offset && !r.part.Last && c.hasRange()
		if c.together() && (r.limit > 0 || r.offset > 0) {
			got, err = (&part{retrieval: r, c: c, op: op}).retrieve()
			return err
		}
		if r.ranged {
			got, err = c.retrieve(op, r, true)
			if got > 0 || err == nil || c.ctl.last.code != 554 || !c.ctl.inStep() {
				return err
			}
			// The file ends before the range does.
		}
		got, err = c.retrieve(op, r, false)
		return err
	})
	return got, err
}

// hasRange reports whether RETR can be told where to end (draft-bryan-ftp-range),
// which ProFTPD does: else what is on its way when the limit is reached is sent
// for nothing.
func (c *Conn) hasRange() bool { return strings.EqualFold(c.feats["RANG"], "STREAM") }

// retrieval is one call of Retrieve.
type retrieval struct {
	path          string
	offset, limit int64
	dst           io.Writer
	moved         func(int64)
	part          *Part
	ranged        bool // RANG may be asked
	proof         bool // it is read to prove what was being written
}

func (c *Conn) retrieve(op *transport.Op, r retrieval, ranged bool) (int64, error) {
	d, err := c.openData(op, "RETR "+r.path)
	if err != nil {
		return 0, err
	}
	defer d.release()
	rest := r.offset
	if ranged {
		answer, err := c.ctl.command(fmt.Sprintf("RANG %d %d", r.offset, r.offset+r.limit-1))
		switch {
		case err != nil:
			return 0, err
		case answer.code == 350:
			rest = 0 // the range has begun where it should
		default:
			c.never("RANG")
		}
	}
	c.lend(d)
	// Part of a file is asked for to prove what was being written.
	c.ctl.readBack = r.proof
	resp, err := c.lib.RetrFrom(r.path, uint64(rest))
	if err != nil {
		d.release()
		return 0, c.clarify("RETR", r.path, c.retrieveError(d, err, r.offset))
	}
	buf := transport.GetBuffer()
	defer transport.PutBuffer(buf)
	from := io.Reader(resp)
	if r.limit > 0 {
		from = io.LimitReader(resp, r.limit)
	}
	got, err := transport.CopyBuffer(r.dst, from, *buf, r.moved)
	if err == nil && got == r.limit || errors.Is(err, transport.ErrEnough) {
		if !r.atEnd(resp) {
			d.cut()
		}
		_ = resp.Close()
		return got, nil
	}
	if err != nil {
		_ = d.fail(err) // where it was dst that failed, the rest must not come
	}
	return got, c.retrieveError(d, besides(err, resp.Close()), r.offset)
}

// atEnd reports whether nothing follows where the limit is reached. If that is the end
// of the file all is in order; else the connection is to be cut, and whether the session
// survives depends on the server. Either way the bytes are there.
func (r *retrieval) atEnd(from io.Reader) bool {
	n, err := from.Read(make([]byte, 1))
	if r.part.Last && n > 0 {
		r.part.Beyond = true
	}
	return n == 0 && err == io.EOF
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
