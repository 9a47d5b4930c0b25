package ftpdriver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// lockedAfter is how long STOR may go unanswered.
func lockedAfter(stall time.Duration) time.Duration {
	const most = 6 * time.Second
	if stall <= 0 {
		return most
	}
	return min(most, stall*9/10) // before the watchdog, which knows less
}

// Store sends src with STOR, from offset on with REST and STOR and never with
// APPE: after a reset a stale size would make it append in the wrong place.
func (c *Conn) Store(ctx context.Context, path string, offset int64, src io.Reader, opt *IO) (int64, error) {
	if offset < 0 {
		return 0, c.ep.Fail("STOR", path, transport.KindInvalid, errors.New("the offset is negative"))
	}
	var sent int64
	err := c.doPath(ctx, "STOR", path, func(op *transport.Op) error {
		if !readsAtOnce(src) {
			// It may wait for anything, the rename that is to go out first included.
			if err := c.flush(ctx); err != nil {
				return err
			}
		}
		if data, whole, rest := c.small(op, offset, src, opt); whole {
			sent = int64(len(data))
			return c.storeSmall(op, path, data, opt)
		} else {
			src = rest
		}
		if err := c.flush(ctx); err != nil {
			return err
		}
		c.digest = digestWanted{}
		var moved func(int64)
		if opt != nil && opt.Progress != nil {
			moved = func(n int64) { op.Aside(func() { opt.Report(n) }) }
		}
		var err error
		if c.together() {
			s := &largeStore{c: c, op: op, path: path, offset: offset, src: src, moved: moved, finish: opt.Finishing()}
			err = s.store()
			if sent = s.sent; s.finished {
				return err
			}
		} else {
			sent, err = c.storeInTurn(op, path, offset, src, moved)
		}
		if err == nil {
			c.finishFile(path, opt.Finishing())
		}
		return err
	})
	if err != nil {
		return 0, err // what the server has, only a fresh size tells
	}
	return sent, nil
}

// storeInTurn lets the library send the file, one command after the other.
func (c *Conn) storeInTurn(op *transport.Op, path string, offset int64, src io.Reader, moved func(int64)) (int64, error) {
	d, err := c.openData(op, "STOR "+path)
	if err != nil {
		return 0, err
	}
	defer d.release()
	d.upload, d.moved = true, moved
	c.lend(d)
	err = c.lib.StorFrom(path, sourceOf(op, src), uint64(offset))
	return d.sent, c.transferError(d, err, offset)
}

// readsAtOnce reports whether a source waits for nobody.
func readsAtOnce(src io.Reader) bool {
	switch r := src.(type) {
	case *os.File, *bytes.Reader, *strings.Reader:
		return true
	case *io.LimitedReader:
		return readsAtOnce(r.R)
	}
	return false
}

// sourceOf prepares a source for io.Copy. A file must reach [dataConn.ReadFrom]
// as it is, for sendfile; but os.File has a WriteTo, which io.Copy would prefer,
// and which hands on something that is no *os.File. An io.LimitedReader has none.
func sourceOf(op *transport.Op, src io.Reader) io.Reader {
	switch r := src.(type) {
	case *os.File:
		return &io.LimitedReader{R: r, N: math.MaxInt64}
	case *io.LimitedReader:
		if _, ok := r.R.(*os.File); ok {
			return r
		}
	}
	return op.Reader(src)
}

// transferError picks, of all that went wrong in a transfer, what tells most:
// the caller's own source or destination, then the server's definite word (disk
// full, quota), then the data connection, then the control connection. The rest
// stays in the cause.
func (c *Conn) transferError(d *dataConn, err error, offset int64) error {
	if err == nil && d.err == nil {
		return nil
	}
	last := c.ctl.last
	answered := len(c.ctl.waiting) == 0 && last.code >= 400
	var said error
	if answered {
		said = last.err()
	}
	kind := transport.KindUnknown
	if d.err != nil {
		kind = c.kindOf(last.verb, d.err)
	}
	switch {
	case kind == transport.KindLocal, kind == transport.KindCertificate, kind == transport.KindInsecure:
		// A source that fails is cut off, and the reply is then negative, as it
		// should be.
		return as(kind, besides(d.err, said))
	case answered && c.wantsResumption(d, last):
		return as(transport.KindUnsupported, besides(errNoTickets, said))
	case answered && offset > 0 && d.sent == 0 && restartRefused(last):
		return as(transport.KindRestart, said)
	case answered:
		return as(c.kindOf(last.verb, said), besides(said, d.err))
	case d.err != nil && errors.Is(err, errHurry):
		return as(kind, besides(d.err, errHurry))
	case d.err != nil:
		return d.err
	}
	return err
}

// wantsResumption recognises the refusal of a data connection because it has not
// resumed a TLS session, where none ever will: trying again is no use. vsftpd says
// 522 "session reuse required", ProFTPD 425 "Operation not permitted".
func (c *Conn) wantsResumption(d *dataConn, r reply) bool {
	if d.tls == nil || r.code != 522 && r.code != 425 || !c.tls.neverResumes() {
		return false
	}
	return strings.Contains(r.text, "Operation not permitted") || strings.Contains(r.text, "session reuse required")
}

// restartRefused reports whether the reply to REST, or to the STOR after it, says
// that this server does not go on from an offset. ProFTPD without
// AllowStoreRestart takes REST and answers STOR with 451, which elsewhere is a
// passing fault; without offset there is nothing that could be meant by it.
func restartRefused(r reply) bool {
	switch r.verb {
	case "REST":
	case "STOR":
		if r.code != 451 && r.code != 550 && r.code != 554 && r.code != 501 {
			return false
		}
	default:
		return false
	}
	switch r.kind() {
	case transport.KindRestart, transport.KindTemporary, transport.KindRefused, transport.KindUnsupported, transport.KindName:
		return true
	}
	return false
}
