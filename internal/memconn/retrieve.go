package memconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// retrieve copies the file from offset on into dst. An offset beyond the end is
// KindRestart. The file is read as it is at each moment, so one that changes
// meanwhile arrives as a mixture. A destination that fails, or a limit, costs the
// connection with [Options].CutCosts alone.
func (c *Conn) retrieve(ctx context.Context, r *transport.Retrieve) (int64, error) {
	p, offset := r.Path, r.Offset
	k, err := c.begin(ctx, "Retrieve", false, p)
	if err != nil {
		return 0, err
	}
	if r.ASCII {
		return 0, k.fail(transport.KindUnsupported, errNoText)
	}
	if offset < 0 {
		return 0, k.fail(transport.KindInvalid, fmt.Errorf("offset %d is negative", offset))
	}
	var file *node
	err = k.ask(func() *refusal {
		file = c.s.files.find(p)
		switch {
		case file == nil:
			return noSuch
		case file.dir:
			return no(transport.KindRefused, "Is a directory")
		case offset > int64(len(file.data)):
			return no(transport.KindRestart, "Restart offset beyond the end")
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	k.op = c.request("Read")
	c.dataConn()
	d := &retrieve{call: k, file: file, dst: r.Dst, progress: r.Progress, pos: offset, begin: time.Now()}
	d.end = -1
	if r.Limit > 0 {
		d.end = offset + r.Limit
	}
	err = d.run()
	return d.pos - offset, err
}

type retrieve struct {
	*call
	file     *node
	dst      io.Writer
	progress func(int64)
	begin    time.Time
	pos      int64
	end      int64 // where Limit, or the destination, ends it, -1 for nowhere
	buf      []byte
}

func (d *retrieve) run() error {
	for d.end < 0 || d.pos < d.end {
		p := d.read()
		if len(p) == 0 {
			break
		}
		last, err := d.chunk(p)
		if err != nil {
			return err
		}
		if last {
			break
		}
		// The line may have gone while the destination was taking it.
		if err := d.interrupted(); err != nil {
			return err
		}
	}
	if d.c.sftp {
		return nil // nobody waits for the answer to CLOSE
	}
	if d.end < 0 || d.pos < d.end {
		return d.reply(nil)
	}
	// The bytes are there, whatever becomes of the reply; the connection pays.
	_ = d.reply(nil)
	if d.more() {
		d.c.cutOff()
	}
	return nil
}

// more reports whether the file goes on behind what was fetched.
func (d *retrieve) more() bool {
	d.c.s.files.lock()
	defer d.c.s.files.unlock()
	return d.pos < int64(len(d.file.data))
}

// read takes a chunk off the disk; it is good until the next one.
func (d *retrieve) read() []byte {
	fs := d.c.s.files
	fs.lock()
	defer fs.unlock()
	n := int64(d.c.s.opts.Chunk)
	if d.end >= 0 {
		n = min(n, d.end-d.pos)
	}
	if n = min(n, int64(len(d.file.data))-d.pos); n <= 0 {
		return nil
	}
	d.buf = append(d.buf[:0], d.file.data[d.pos:d.pos+n]...)
	return d.buf
}

var errCutShort = errors.New("the server ended the file early")

func (d *retrieve) chunk(p []byte) (last bool, err error) {
	if err := d.interrupted(); err != nil {
		return false, err
	}
	f := d.next(StepData, d.pos, int64(len(p)))
	if err := d.pace(int64(len(p)), d.begin); err != nil {
		return false, err
	}
	switch f.Do {
	case Pass:
		return false, d.write(p)
	case Corrupt:
		p[0] ^= 0xff
		return false, d.write(p)
	case CutShort:
		if d.c.sftp {
			return false, d.fail(transport.KindTruncated, errCutShort)
		}
		return true, nil
	case Stall:
		return false, d.stall()
	case Refuse:
		return false, d.refused(newRefusal(f.Kind, f))
	case Garbage:
		return false, d.lost(transport.KindProtocol, errGarbage, true)
	case LostAfter:
		err = d.write(p)
	case ShortWrite:
		n := f.Bytes
		if n <= 0 || n > int64(len(p)) {
			n = int64(len(p)) / 2
		}
		err = d.write(p[:n])
	}
	if err != nil {
		return false, err
	}
	return false, d.lost(transport.KindLost, errReset, true)
}

// write hands a chunk to the destination.
func (d *retrieve) write(p []byte) error {
	n, err := d.dst.Write(p)
	d.pos += int64(n)
	d.report(int64(n))
	d.c.s.moved(0, int64(n))
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if errors.Is(err, transport.ErrEnough) {
		d.end, err = d.pos, nil
	}
	if err == nil {
		return nil
	}
	// A context that ended comes before what the destination made of it.
	if ierr := d.interrupted(); ierr != nil {
		return ierr
	}
	d.c.cutOff()
	return d.fail(transport.KindLocal, &transport.LocalError{Writing: true, Err: err})
}

func (d *retrieve) report(n int64) {
	if d.progress != nil && n > 0 {
		d.progress(n)
	}
}
