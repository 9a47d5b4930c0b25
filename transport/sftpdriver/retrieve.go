package sftpdriver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// errTruncated: the server said that the file ends before the size that it had
// when it was opened.
var errTruncated = errors.New("the server ended the file early")

// errBeyond: the offset lies behind the end of the file.
var errBeyond = errors.New("the offset is beyond the end of the file")

// Retrieve copies the file from offset on into dst, with many reads under way.
// The size is asked with the first of them, on the open file: an end before it
// is [transport.KindTruncated].
func (c *Conn) Retrieve(ctx context.Context, p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
	if offset < 0 {
		return 0, c.ep.Fail("SSH_FXP_OPEN", p, transport.KindInvalid, fmt.Errorf("offset %d is negative", offset))
	}
	k, err := c.begin(ctx, "OPEN", false, p)
	if err != nil {
		return 0, err
	}
	n, err := k.retrieve(p, offset, dst, opt)
	return n, k.end(err)
}

func (k *call) retrieve(p string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
	open := openRequest(p, fxfRead)
	lanes := k.c.newLanes(open, opt.SizeHint())
	handle, err := k.c.pipe.send(fxpOpen, open).handle()
	if err != nil {
		lanes.done()
		return 0, err
	}
	return k.retrieveOpen(p, handle, lanes, offset, dst, opt)
}

// retrieveOpen is retrieve of a file that has been opened on the main session.
func (k *call) retrieveOpen(p, handle string, lanes *lanes, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
	defer lanes.done()
	lanes.looks = true
	lanes.begin(handle)
	k.c.applyLimits()
	k.at("READ", p)
	d := &download{
		k: k, handle: handle, dst: k.op.Writer(dst), opt: opt,
		pos: offset, next: offset, end: math.MaxInt64, size: -1, chunk: k.c.readSize(),
		lanes: lanes,
	}
	if limit := opt.LimitOr(0); limit > 0 && limit < math.MaxInt64-offset {
		d.end = offset + limit
	}
	err := d.run(opt.SizeHint())
	if errors.Is(err, transport.ErrEnough) {
		err = nil
	}
	for _, p := range d.queue {
		p.reply.drop()
	}
	// What is read has been read: the answers are not waited for.
	for _, r := range append(d.lanes.closing(), k.c.pipe.send(fxpClose, putString(nil, handle))) {
		r.drop()
	}
	return d.pos - offset, err
}

// download reads one open file. Requests leave in order and the answers are
// written in order; one that is shorter than asked for is completed before the
// next is written. pkg/sftp's WriteTo takes such an answer for the end of the
// file, or leaves the gap out (trap 14): a server that answers with 32 KiB at
// most, whatever is asked, is enough.
type download struct {
	k      *call
	handle string
	dst    io.Writer
	opt    *transport.IO

	pos, next, end int64 // written up to, asked for up to, wanted up to
	size           int64 // of the file when opened; -1 where not known
	main           attrs // of that file
	chunk          int   // bytes in one request
	queue          []part
	lanes          *lanes
}

func (d *download) run(hint int64) error {
	// The size is asked, and the first reads with it: without a hint two, so
	// that a small file costs one round trip and no idle reads.
	stat := d.k.c.pipe.send(fxpFstat, putString(nil, d.handle))
	first := 2
	if hint > 0 {
		first = int(min((hint-1)/int64(d.chunk)+1, math.MaxInt32))
	}
	d.fill(first)
	if err := d.takeSize(stat); err != nil {
		return err
	}
	for d.pos < d.end && (d.size < 0 || d.pos < d.size) {
		d.lanes.join()
		d.fill(math.MaxInt)
		if err := d.same(d.queue[0].lane); err != nil {
			return err
		}
		next := d.queue[0]
		d.queue = d.queue[1:]
		n, err := d.take(next)
		d.k.op.Heard()
		d.lanes.answered(next)
		if s := statusOf(err); s != nil && s.code == fxEOF || err == nil && n == 0 {
			if d.pos < min(d.size, d.end) {
				return fmt.Errorf("%w: at %d of %d bytes", errTruncated, d.pos, d.size)
			}
			return nil
		}
		if err != nil {
			return err
		}
		if n < next.length && (d.size < 0 || d.pos < d.size) {
			d.complete(next.length - n)
			d.chunk = min(d.chunk, max(n, safePacket))
		}
	}
	return nil
}

// fill sends requests until so many are under way, or all lanes are full.
func (d *download) fill(most int) {
	end := d.end
	if d.size >= 0 {
		end = min(end, d.size)
	}
	for len(d.queue) < most && d.next < end {
		n := int(min(int64(d.chunk), end-d.next))
		l := d.lanes.pick(n)
		if l == nil {
			return
		}
		d.queue = append(d.queue, d.ask(l, d.next, n))
		d.next += int64(n)
	}
}

// complete asks for what a short answer left out, before all else.
func (d *download) complete(missing int) {
	var again []part
	for at := d.pos; missing > 0; {
		n := min(missing, max(d.chunk, safePacket))
		again = append(again, d.ask(d.lanes.ready[0], at, n))
		at += int64(n)
		missing -= n
	}
	d.queue = append(again, d.queue...)
}

func (d *download) ask(l *lane, offset int64, n int) part {
	b := putString(make([]byte, requestHead, requestHead+16+len(l.handle)), l.handle)
	b = binary.BigEndian.AppendUint64(b, uint64(offset))
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	p := d.lanes.sent(l, n, l.pipe.sendPacket(fxpRead, b))
	p.offset = offset
	return p
}

// same looks at what a lane has opened, before anything that it has read is taken: the
// name may have been given to another file since the main session opened it, and a
// mixture of both would have the right length. What such a lane was asked for is asked
// of the main session, and no more of the lane. The same goes for a file that grows,
// which cannot be told from another one.
func (d *download) same(l *lane) error {
	if l.stat == nil {
		return nil
	}
	var a attrs
	err := l.stat.parse(fxpAttrs, func(r *reader) { a = r.attrs() })
	l.stat = nil
	if err != nil && statusOf(err) == nil {
		return err
	}
	if err == nil && a == d.main && a.hasSize {
		return nil
	}
	l.other = true
	for i, p := range d.queue {
		if p.lane == l {
			p.reply.drop()
			l.under -= weigh(p.length)
			d.queue[i] = d.ask(d.lanes.ready[0], p.offset, p.length)
		}
	}
	return nil
}

// takeSize waits for the size. A server that does not give it is read to the
// end that it declares; so is a file of size 0, which /proc is full of.
func (d *download) takeSize(stat *reply) error {
	var a attrs
	if err := stat.parse(fxpAttrs, func(r *reader) { a = r.attrs() }); err != nil {
		if statusOf(err) != nil {
			return nil
		}
		return err
	}
	d.main = a
	e := a.entry("", "")
	if e.Type != transport.TypeFile && e.Type != transport.TypeUnknown || e.Size <= 0 {
		return nil
	}
	if d.size = e.Size; d.pos > d.size {
		return fmt.Errorf("%w: %d of %d bytes", errBeyond, d.pos, d.size)
	}
	return nil
}

// take writes one answer to the destination.
func (d *download) take(p part) (int, error) {
	typ, buf, err := p.reply.wait()
	if err != nil {
		return 0, err
	}
	defer putBuffer(buf)
	r := &reader{b: *buf}
	if typ == fxpStatus {
		if err := r.status(); err != nil {
			return 0, err
		}
		return 0, errMalformed
	}
	data := r.bytes()
	if typ != fxpData || r.bad || len(data) > p.length {
		return 0, errMalformed
	}
	n, err := d.dst.Write(data)
	d.pos += int64(n)
	d.opt.Report(int64(n))
	return n, err
}
