package sftpdriver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
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
	stop func(error) // ends the connection under the channel, which err has cost
	// alone is called where the server opens nothing while something is open; nil for none.
	alone func()

	// Sending. wmu is held from the first to the last byte of a packet;
	// pkg/sftp sends a packet in one or two writes, one packet at a time.
	wmu    sync.Mutex
	rest   int // bytes of pkg/sftp's packet still to come
	broken atomic.Pointer[error]

	// Receiving, by pkg/sftp's reader alone.
	head []byte // of a packet for pkg/sftp, not yet handed on
	left int64  // bytes of it still in the channel
	hdr  [9]byte
	open map[string]bool // handles, see answered
	crowd

	buffers buffers

	mu     sync.Mutex // guards what follows
	nextID uint32
	calls  map[uint32]*reply
	err    error
	ended  chan struct{} // closed when err is set
}

func newPipe(ch io.ReadWriter, stop func(error)) *pipe {
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
	buf := p.buffers.get(int(length - 5))
	if _, err := io.ReadFull(p.ch, *buf); err != nil {
		r.done <- answer{err: ended(err)}
		return unexpected(err)
	}
	if err := p.answered(r, p.hdr[4], *buf); err != nil {
		p.buffers.put(buf)
		return err // which is the answer, once the session has ended with it
	}
	if r.dropped.Load() {
		p.buffers.put(buf)
		return nil
	}
	r.done <- answer{typ: p.hdr[4], buf: buf, at: time.Now()}
	return nil
}

// serve reads a session on which pkg/sftp does not. Such a session ends with its
// connection and not alone.
func (p *pipe) serve() {
	for {
		err := p.next()
		if err == nil && p.left > 0 {
			err = errMalformed // an answer to nothing
		}
		if err != nil {
			p.fail(err)
			return
		}
	}
}

// hello makes a session of a new channel (section 4 of the draft).
func (p *pipe) hello() error {
	_, err := p.write([]byte{0, 0, 0, 5, fxpInit, 0, 0, 0, 3})
	return err
}

// greeted takes the server's answer to hello.
func (p *pipe) greeted() error {
	if _, err := io.ReadFull(p.ch, p.hdr[:5]); err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(p.hdr[:])
	if p.hdr[4] != fxpVersion || length < 5 || length > maxPacket {
		return errMalformed
	}
	_, err := io.CopyN(io.Discard, p.ch, int64(length-1))
	return err
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

// fail ends the session for every request under way, and the connection with it.
func (p *pipe) fail(err error) {
	p.stop(err) // first: whoever hears of the end asks the connection why
	p.end(err)
}

// end ends the session alone.
func (p *pipe) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = ended(err)
		close(p.ended)
	}
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
