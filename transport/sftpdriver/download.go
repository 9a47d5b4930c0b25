package sftpdriver

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// download reads one open file. Requests leave in order and the answers are
// written in order; one that is shorter than asked for is completed before the
// next is written. pkg/sftp's WriteTo takes such an answer for the end of the
// file, or leaves the gap out (trap 14): a server that answers with 32 KiB at
// most, whatever is asked, is enough.
type download struct {
	s      *step
	q      *transport.Retrieve
	handle string
	dst    io.Writer

	pos, next, end int64 // written up to, asked for up to, wanted up to
	size           int64 // of the file when opened; -1 where not known
	expected       int64 // where it ends as far as the caller knows, 0 if that is nothing
	main           attrs // of that file
	chunk          int   // bytes in one request
	stat           *reply
	burst          *burst // with which the first requests leave
	queue          []part
	channels       *channels
	smaller        bool // a long read was refused, and a shorter one has not been answered
}

// begin asks for the size and, with it, for the first bytes: without a hint two
// packets, so that a small file costs one round trip and no idle reads.
func (d *download) begin(hint int64, b *burst) {
	d.stat = b.add(fxpFstat, putString(nil, d.handle))
	first := 2
	if hint > 0 {
		d.expected = d.q.Offset + hint
		first = int(min((hint-1)/int64(d.chunk)+1, math.MaxInt32))
	}
	d.burst = b
	d.fill(first)
	d.burst = nil
}

func (d *download) run() error {
	if err := d.takeSize(d.stat); err != nil {
		return err
	}
	for d.pos < d.end && (d.size < 0 || d.pos < d.size) {
		d.channels.join()
		d.fill(math.MaxInt)
		if err := d.same(d.queue[0].channel); err != nil {
			return err
		}
		next := d.queue[0]
		d.queue = d.queue[1:]
		n, err := d.take(next)
		d.s.op.Heard()
		d.channels.answered(next)
		if s := statusOf(err); s != nil && s.code == fxEOF || err == nil && n == 0 {
			if d.pos < min(d.size, d.end) {
				return fmt.Errorf("%w: at %d of %d bytes", errTruncated, d.pos, d.size)
			}
			return nil
		}
		if err != nil && statusOf(err) != nil && next.length > safePacket {
			// Limits are announced that are not kept. What stands behind it was as long.
			d.s.c.smallReads()
			d.chunk, d.smaller = safePacket, true
			d.complete(next.length)
			continue
		}
		if err != nil {
			return err
		}
		if d.smaller {
			d.smaller = false
			d.s.c.ep.Learned.Note(d.s.c.ep.Addr(), lacksLargeReads, true)
		}
		if n < next.length && (d.size < 0 || d.pos < d.size) {
			d.complete(next.length - n)
			d.chunk = min(d.chunk, max(n, safePacket))
		}
	}
	return nil
}

// done closes the file. What is read has been read: the answers are not waited for.
func (d *download) done() {
	for _, p := range d.queue {
		p.reply.drop()
	}
	for _, r := range append(d.channels.closing(), d.s.c.pipe.send(fxpClose, putString(nil, d.handle))) {
		r.drop()
	}
	d.channels.done()
}

// fill sends requests until so many are under way, or all channels are full.
func (d *download) fill(most int) {
	end := d.end
	switch {
	case d.size >= 0:
		end = min(end, d.size)
	case d.pos < d.expected:
		end = min(end, d.expected)
	case d.expected > 0:
		most = min(most, 1) // to learn that it ends here
	}
	for len(d.queue) < most && d.next < end {
		n := int(min(int64(d.chunk), end-d.next))
		l := d.channels.pick(n)
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
		again = append(again, d.ask(d.channels.ready[0], at, n))
		at += int64(n)
		missing -= n
	}
	d.queue = append(again, d.queue...)
}

func (d *download) ask(l *channel, offset int64, n int) part {
	b := putString(make([]byte, requestHead, requestHead+16+len(l.handle)), l.handle)
	b = binary.BigEndian.AppendUint64(b, uint64(offset))
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	var r *reply
	if d.burst != nil && l.pipe == d.burst.p {
		r = d.burst.add(fxpRead, b[requestHead:])
	} else {
		r = l.pipe.sendPacket(fxpRead, b)
	}
	p := d.channels.sent(l, n, r)
	p.offset = offset
	return p
}

// same looks at what a channel has opened, before anything that it has read is taken: the
// name may have been given to another file since the main session opened it, and a
// mixture of both would have the right length. What such a channel was asked for is asked
// of the main session, and no more of the channel. The same goes for a file that grows,
// which cannot be told from another one.
func (d *download) same(l *channel) error {
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
		if p.channel == l {
			p.reply.drop()
			l.under -= weigh(p.length)
			d.queue[i] = d.ask(d.channels.ready[0], p.offset, p.length)
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
	defer p.reply.p.buffers.put(buf)
	r := &reader{b: *buf}
	if typ == fxpStatus {
		if err := r.status(); err != nil {
			return 0, err
		}
		return 0, errMalformed
	}
	data := r.bytes()
	if typ != fxpData || r.bad {
		return 0, errMalformed
	}
	if len(data) > p.length {
		return 0, fmt.Errorf("%w: %d bytes came where %d had been asked for", errMalformed, len(data), p.length)
	}
	n, err := d.dst.Write(data)
	d.pos += int64(n)
	report(d.q.Progress, int64(n))
	return n, err
}
