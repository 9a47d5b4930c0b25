package sftpdriver

import (
	"encoding/binary"
	"io"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// upload writes one open file. Requests leave in the order of the file, and their
// answers are taken in that order: what is acknowledged without a gap ends where
// the first request stands that is not.
type upload struct {
	s      *step
	q      *transport.Store
	handle string // of the main session
	src    io.Reader

	packet      int   // bytes in the next write, see read
	acked, next int64 // acknowledged up to, sent up to
	queue       []part
	failed      error // the first refusal or loss
	length      int   // of the write that was refused
	checks      []check
	channels    *channels
}

func (u *upload) run() error {
	buf := wire.GetBuffer()
	defer wire.PutBuffer(buf)
	n, err := u.read(*buf)
	switch {
	case u.s.kept && n == 0 && err != io.EOF:
		return u.leave(err) // to cut it back would empty what is to be kept
	case u.s.kept:
		if rerr := u.replace(*buf, n); rerr != nil {
			return rerr
		}
		n = 0
	case err == io.EOF && u.q.Offset == 0:
		return u.small(*buf, n)
	}
	for u.failed == nil {
		if n > 0 {
			u.send(*buf, n)
		}
		if err != nil {
			break
		}
		n, err = u.read(*buf)
	}
	for len(u.queue) > 0 {
		u.take()
	}
	switch {
	case u.failed != nil:
	case err != io.EOF:
		u.failed = err
	default:
		return u.finish()
	}
	return u.giveUp()
}

// dataAt is where in a packet of SSH_FXP_WRITE the payload begins.
func dataAt(handle string) int { return requestHead + 4 + len(handle) + 8 + 4 }

// windowPackets is the least number of packets that fill a window, [transport.Store].Window.
const windowPackets = 4

// read fills a packet with what comes next of the source. A packet that is cut off
// is lost as a whole, so that on a line that breaks early large ones never arrive,
// and the last one is sent again where it is stuck in the window of a connection
// that has died: a file of many packets begins and ends with small ones.
func (u *upload) read(buf []byte) (int, error) {
	at, most := dataAt(u.handle), u.longest()
	if w := u.q.Window; w > 0 { // several are under way at once, so that the line is never idle
		most = min(most, int(max(w/windowPackets, safePacket)))
	}
	size := u.q.Size
	many := size > int64(most)
	if u.packet == 0 && !many {
		u.packet = most
	}
	u.packet = min(max(2*u.packet, safePacket), most)
	n := u.packet
	if left := size - (u.next - u.q.Offset); many && left > 0 {
		n = int(min(int64(n), max(left/4, safePacket)))
	}
	if u.next == 0 && u.s.kept {
		n = min(n, safePacket) // the file is cut to what was acknowledged, which must be true
	}
	n, err := readFull(u.src, buf[at:at+n])
	report(u.q.Progress, int64(n))
	return n, err
}

// send writes a packet, whose payload of n bytes is in place, on the channel that has
// room for it soonest.
func (u *upload) send(buf []byte, n int) {
	u.channels.join()
	for len(u.queue) > 0 && u.queue[0].reply.answered() {
		u.take()
	}
	var l *channel
	for l = u.channels.pick(n); l == nil && u.failed == nil; l = u.channels.pick(n) {
		u.take()
	}
	if u.failed != nil {
		return
	}
	if l.handle != u.handle && len(l.handle) != len(u.handle) {
		copy(buf[dataAt(l.handle):], buf[dataAt(u.handle):][:n])
	}
	r := l.pipe.sendPacket(fxpWrite, writeHead(buf, l.handle, u.next, n))
	u.next += int64(n)
	u.queue = append(u.queue, u.channels.sent(l, n, r))
	u.check(l, n)
}

// writeHead puts what precedes the payload before it and returns the packet.
func writeHead(buf []byte, handle string, offset int64, n int) []byte {
	b := putString(buf[:requestHead], handle)
	b = binary.BigEndian.AppendUint64(b, uint64(offset))
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	return buf[:len(b)+n]
}

// take takes the oldest answer.
func (u *upload) take() {
	p := u.queue[0]
	u.queue = u.queue[1:]
	err := p.reply.parse(fxpStatus, nil)
	u.s.op.Heard()
	u.channels.answered(p)
	switch {
	case u.failed != nil:
	case err != nil:
		u.failed, u.length = err, p.length
	default:
		if u.failed = u.whole(p.length); u.failed == nil {
			u.acked += int64(p.length)
		}
	}
}

// small writes a file that fits into one packet and closes it, in one go with what
// follows in the batch: requests about one file are served in their order (section 4.1).
func (u *upload) small(buf []byte, n int) error {
	b := &burst{p: u.s.c.pipe, packets: buf[:0]}
	var written *reply
	if n > 0 {
		// The payload lies where the burst begins.
		written = b.adopt(fxpWrite, writeHead(buf, u.handle, 0, n))
	}
	closed := u.close(b)
	if written != nil {
		if err := written.parse(fxpStatus, nil); err != nil {
			closed.drop()
			u.length = n
			if u.s.alive(err) {
				err = u.s.explain(err, int64(u.s.c.writeSize()))
			}
			return err
		}
	}
	u.s.at("CLOSE")
	u.acked += int64(n)
	return u.closed(closed.parse(fxpStatus, nil))
}

// finish closes a file that has been written and acknowledged.
func (u *upload) finish() error {
	u.s.at("CLOSE")
	others := u.channels.closing()
	main := u.close(&burst{p: u.s.c.pipe})
	err := main.parse(fxpStatus, nil)
	for _, r := range others {
		if rerr := r.parse(fxpStatus, nil); err == nil {
			err = rerr
		}
	}
	return u.closed(err)
}

// close sends a burst that ends with the file, and what may leave with that.
func (u *upload) close(b *burst) *reply {
	closed := b.add(fxpClose, putString(nil, u.handle))
	u.s.closing = true
	u.s.send(u.s.i, b)
	return closed
}

// closed judges the answer to SSH_FXP_CLOSE: network file systems say only there
// that they could not keep what they had acknowledged.
func (u *upload) closed(err error) error {
	if err != nil && u.s.alive(err) {
		u.acked = u.q.Offset
	}
	return err
}

// giveUp ends an upload that has failed. On a connection that lives, the file is
// cut back to what was acknowledged, by its handle: the name may belong to another
// file by now. What the server says to that changes nothing.
func (u *upload) giveUp() error {
	err := u.failed
	if !u.s.alive(err) {
		return err
	}
	err = u.s.explain(err, int64(u.s.c.writeSize()))
	for _, r := range u.channels.closing() {
		_, buf, rerr := r.wait() // what they write must not follow the cut
		if rerr == nil {
			r.p.buffers.put(buf)
		}
	}
	size := binary.BigEndian.AppendUint32(putString(nil, u.handle), attrSize)
	size = binary.BigEndian.AppendUint64(size, uint64(u.acked))
	cut := u.s.c.pipe.send(fxpFsetstat, size)
	end := u.s.c.pipe.send(fxpClose, putString(nil, u.handle))
	_ = cut.parse(fxpStatus, nil)
	_ = end.parse(fxpStatus, nil)
	return err
}
