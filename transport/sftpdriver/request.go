package sftpdriver

import (
	"encoding/binary"
	"sync/atomic"
	"time"
)

// An answer is the packet that came for a request, after its id.
type answer struct {
	typ byte
	buf *[]byte
	at  time.Time // when it had come
	err error
}

// reply is a request under way.
type reply struct {
	p       *pipe
	done    chan answer
	at      time.Time // when the answer came, once it has been waited for
	typ     byte      // of the request
	closes  string    // the handle that SSH_FXP_CLOSE ends
	dropped atomic.Bool
}

// requestHead is the length, type and id that begin a request.
const requestHead = 9

// send sends a request: its type and what follows the id. It does not wait for
// the answer; the server answers requests about one file in their order.
func (p *pipe) send(typ byte, body []byte) *reply {
	return p.sendPacket(typ, append(make([]byte, requestHead, requestHead+len(body)), body...))
}

// sendPacket is send for a packet with room for its head, which is filled in. It
// does not keep the packet.
func (p *pipe) sendPacket(typ byte, packet []byte) *reply {
	r, id := p.expect(typ, packet[requestHead:])
	if id == 0 {
		return r
	}
	putHead(packet, typ, id)
	p.wmu.Lock()
	_, err := p.write(packet)
	p.wmu.Unlock()
	if err != nil && p.take(id) != nil {
		r.done <- answer{err: ended(err)}
	}
	return r
}

func putHead(packet []byte, typ byte, id uint32) {
	binary.BigEndian.PutUint32(packet, uint32(len(packet)-4))
	packet[4] = typ
	binary.BigEndian.PutUint32(packet[5:], id)
}

// expect registers a request and returns its id, or 0 with the reply of a session
// that has ended.
func (p *pipe) expect(typ byte, body []byte) (*reply, uint32) {
	r := &reply{p: p, done: make(chan answer, 1), typ: typ}
	if typ == fxpClose {
		r.closes = (&reader{b: body}).string()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		r.done <- answer{err: p.err}
		return r, 0
	}
	p.nextID++
	id := p.nextID | 1<<31
	p.calls[id] = r
	return r, id
}

// A burst is several requests that leave in one write.
type burst struct {
	p       *pipe
	packets []byte
	ids     []uint32
	replies []*reply
	sent    time.Time
}

func (b *burst) add(typ byte, body []byte) *reply {
	r, id := b.p.expect(typ, body)
	if id != 0 {
		start := len(b.packets)
		b.packets = append(append(b.packets, make([]byte, requestHead)...), body...)
		putHead(b.packets[start:], typ, id)
		b.ids, b.replies = append(b.ids, id), append(b.replies, r)
	}
	return r
}

// adopt makes a packet with room for its head the first of the burst, where it lies.
func (b *burst) adopt(typ byte, packet []byte) *reply {
	r, id := b.p.expect(typ, packet[requestHead:])
	if id != 0 {
		putHead(packet, typ, id)
		b.packets = packet
		b.ids, b.replies = append(b.ids, id), append(b.replies, r)
	}
	return r
}

func (b *burst) send() {
	if len(b.replies) == 0 {
		return
	}
	b.sent = time.Now()
	b.p.wmu.Lock()
	_, err := b.p.write(b.packets)
	b.p.wmu.Unlock()
	if err == nil {
		return
	}
	for i, id := range b.ids {
		if b.p.take(id) != nil {
			b.replies[i].done <- answer{err: ended(err)}
		}
	}
}

func (p *pipe) take(id uint32) *reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.calls[id]
	delete(p.calls, id)
	return r
}

// answered reports whether wait would return at once.
func (r *reply) answered() bool {
	select {
	case <-r.p.ended:
		return true
	default:
		return len(r.done) > 0
	}
}

// wait returns the answer. Its buffer must be given back.
func (r *reply) wait() (byte, *[]byte, error) {
	select {
	case a := <-r.done:
		return r.got(a)
	default:
	}
	select {
	case a := <-r.done:
		return r.got(a)
	case <-r.p.ended:
	}
	select {
	case a := <-r.done: // it came before the end
		return r.got(a)
	default:
		return 0, nil, r.p.err
	}
}

func (r *reply) got(a answer) (byte, *[]byte, error) {
	r.at = a.at
	return a.typ, a.buf, a.err
}

// drop says that nobody waits for the answer.
func (r *reply) drop() {
	r.dropped.Store(true)
	select {
	case a := <-r.done:
		if a.buf != nil {
			r.p.buffers.put(a.buf)
		}
	default:
	}
}

// parse waits for an answer and reads it as the type wanted; a status is
// returned as an error, SSH_FX_OK as nil. read must not keep the bytes.
func (r *reply) parse(want byte, read func(*reader)) error {
	typ, buf, err := r.wait()
	if err != nil {
		return err
	}
	defer r.p.buffers.put(buf)
	rd := &reader{b: *buf}
	switch {
	case typ == fxpStatus:
		err = rd.status()
		if err == nil && want != fxpStatus {
			err = errMalformed // success, but not what was asked for
		}
		return err
	case typ != want:
		return errMalformed
	}
	read(rd)
	if rd.bad {
		return errMalformed
	}
	return nil
}
