package sftpdriver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// pipe carries the SFTP packets of pkg/sftp over an SSH channel and lets
// requests of our own travel between them: pkg/sftp offers no way to send
// SSH_FXP_REMOVE alone, to read a folder bit by bit, or to ask for limits.
//
// Requests of our own have ids with the top bit set; pkg/sftp counts from 1
// and would need 2^31 requests on one connection to get there. Their replies
// are taken out of the stream by the goroutine in which pkg/sftp reads.
type pipe struct {
	ch   io.ReadWriter
	stop func() // ends the connection under the channel

	// Sending. wmu is held from the first to the last byte of a packet;
	// pkg/sftp sends a packet in one or two writes, one packet at a time.
	wmu    sync.Mutex
	rest   int // bytes of pkg/sftp's packet still to come
	broken atomic.Pointer[error]

	// Receiving, by pkg/sftp's reader alone.
	head []byte // of a packet for pkg/sftp, not yet handed on
	left int64  // bytes of it still in the channel
	hdr  [9]byte

	mu     sync.Mutex // guards what follows
	nextID uint32
	calls  map[uint32]*reply
	err    error
	ended  chan struct{} // closed when err is set
}

func newPipe(ch io.ReadWriter, stop func()) *pipe {
	return &pipe{ch: ch, stop: stop, calls: make(map[uint32]*reply), ended: make(chan struct{})}
}

// Write sends bytes of pkg/sftp.
func (p *pipe) Write(b []byte) (int, error) {
	if p.rest == 0 {
		if len(b) < 4 {
			return 0, errMalformed
		}
		p.wmu.Lock()
		p.rest = 4 + int(binary.BigEndian.Uint32(b))
	}
	n, err := p.write(b)
	p.rest -= n
	if err != nil || p.rest <= 0 {
		p.rest = 0
		p.wmu.Unlock()
	}
	return n, err
}

// write sends with wmu held. After an error the stream is in the middle of a
// packet and good for nothing.
func (p *pipe) write(b []byte) (int, error) {
	if err := p.broken.Load(); err != nil {
		return 0, *err
	}
	n, err := p.ch.Write(b)
	if err != nil {
		why := err // err itself would be allocated for every write
		p.broken.Store(&why)
	}
	return n, err
}

// Read gives pkg/sftp the packets that are its own.
func (p *pipe) Read(b []byte) (int, error) {
	for len(p.head) == 0 && p.left == 0 {
		if err := p.next(); err != nil {
			p.fail(err)
			return 0, err
		}
	}
	if len(p.head) > 0 {
		n := copy(b, p.head)
		p.head = p.head[n:]
		return n, nil
	}
	if int64(len(b)) > p.left {
		b = b[:p.left]
	}
	n, err := p.ch.Read(b)
	p.left -= int64(n)
	if err != nil {
		p.fail(err)
	}
	return n, err
}

// next reads the head of a packet and, if it answers a request of our own,
// all of it.
func (p *pipe) next() error {
	if _, err := io.ReadFull(p.ch, p.hdr[:4]); err != nil {
		return err
	}
	length := int64(binary.BigEndian.Uint32(p.hdr[:]))
	if length < 5 || length > maxPacket {
		// Not a reply, and not SFTP: pkg/sftp says so.
		p.head, p.left = p.hdr[:4], length
		return nil
	}
	if _, err := io.ReadFull(p.ch, p.hdr[4:]); err != nil {
		return unexpected(err)
	}
	var r *reply
	if p.hdr[4] != fxpVersion {
		r = p.take(binary.BigEndian.Uint32(p.hdr[5:]))
	}
	if r == nil {
		p.head, p.left = p.hdr[:], length-5
		return nil
	}
	buf := getBuffer(int(length - 5))
	if _, err := io.ReadFull(p.ch, *buf); err != nil {
		r.done <- answer{err: ended(err)}
		return unexpected(err)
	}
	if r.dropped.Load() {
		putBuffer(buf)
		return nil
	}
	r.done <- answer{typ: p.hdr[4], buf: buf}
	return nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Close is called by pkg/sftp when it gives the session up. Ending the channel
// would be a write, which can hang on a dead line (trap 9); ending the
// connection frees everything.
func (p *pipe) Close() error {
	p.fail(errEnded)
	return nil
}

var errEnded = errors.New("the SFTP session has ended")

// fail ends the session for every request under way.
func (p *pipe) fail(err error) {
	p.mu.Lock()
	if p.err == nil {
		p.err = ended(err)
		close(p.ended)
	}
	p.mu.Unlock()
	p.stop()
}

// ended marks the end of the stream, whose io.EOF would otherwise look like
// pkg/sftp's for a status SSH_FX_EOF.
func ended(err error) error {
	if errors.Is(err, errEnded) {
		return err
	}
	return fmt.Errorf("%w: %w", errEnded, err)
}

// maxPacket is the longest packet taken, as in pkg/sftp and OpenSSH.
const maxPacket = 256 << 10

// An answer is the packet that came for a request, after its id.
type answer struct {
	typ byte
	buf *[]byte
	err error
}

// reply is a request under way.
type reply struct {
	p       *pipe
	done    chan answer
	dropped atomic.Bool
}

// send sends a request: its type and what follows the id. It does not wait for
// the answer; the server answers requests about one file in their order.
func (p *pipe) send(typ byte, body []byte) *reply {
	r := &reply{p: p, done: make(chan answer, 1)}
	p.mu.Lock()
	if p.err != nil {
		r.done <- answer{err: p.err}
		p.mu.Unlock()
		return r
	}
	p.nextID++
	id := p.nextID | 1<<31
	p.calls[id] = r
	p.mu.Unlock()

	packet := make([]byte, 0, 9+len(body))
	packet = binary.BigEndian.AppendUint32(packet, uint32(5+len(body)))
	packet = append(packet, typ)
	packet = binary.BigEndian.AppendUint32(packet, id)
	packet = append(packet, body...)
	p.wmu.Lock()
	_, err := p.write(packet)
	p.wmu.Unlock()
	if err != nil && p.take(id) != nil {
		r.done <- answer{err: ended(err)}
	}
	return r
}

func (p *pipe) take(id uint32) *reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.calls[id]
	delete(p.calls, id)
	return r
}

// wait returns the answer. Its buffer must be given back with putBuffer.
func (r *reply) wait() (byte, *[]byte, error) {
	select {
	case a := <-r.done:
		return a.typ, a.buf, a.err
	default:
	}
	select {
	case a := <-r.done:
		return a.typ, a.buf, a.err
	case <-r.p.ended:
	}
	select {
	case a := <-r.done: // it came before the end
		return a.typ, a.buf, a.err
	default:
		return 0, nil, r.p.err
	}
}

// drop says that nobody waits for the answer.
func (r *reply) drop() {
	r.dropped.Store(true)
	select {
	case a := <-r.done:
		if a.buf != nil {
			putBuffer(a.buf)
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
	defer putBuffer(buf)
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

// Buffers of answers: small ones are made, those of a 32 KiB read and of a
// larger one are pooled.
const midBuffer = 36 << 10

var midBuffers = sync.Pool{New: func() any { b := make([]byte, midBuffer); return &b }}

func getBuffer(n int) *[]byte {
	var b *[]byte
	switch {
	case n <= 2<<10:
		small := make([]byte, n)
		return &small
	case n <= midBuffer:
		b = midBuffers.Get().(*[]byte)
	default:
		b = transport.GetBuffer()
	}
	*b = (*b)[:n]
	return b
}

func putBuffer(b *[]byte) {
	*b = (*b)[:cap(*b)]
	switch cap(*b) {
	case midBuffer:
		midBuffers.Put(b)
	case maxPacket:
		transport.PutBuffer(b)
	}
}
