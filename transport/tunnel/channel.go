package tunnel

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
)

// channelConn makes a net.Conn of an SSH channel: with deadlines, and with a
// Close that frees whatever hangs and never hangs itself. A channel has neither:
// its Read and Write end with an answer of the jump host, and its Close is a
// write. So one goroutine reads and one writes, and the callers wait for those
// and for what may interrupt them.
type channelConn struct {
	ch     ssh.Channel
	client *sftpdriver.Client
	remote addr

	closed    chan struct{}
	closeOnce sync.Once

	readMu   sync.Mutex // one Read at a time; guards rest and buf
	rest     []byte     // read from the channel, not yet handed on
	buf      []byte     // what rest lies in
	filled   chan []byte
	spare    chan []byte
	readErr  error // valid when filled is closed
	readDue  *deadline
	writeMu  sync.Mutex // one Write at a time; guards what follows
	writeBuf []byte
	pending  bool // the writer has not answered for the last chunk
	writeErr error
	ended    bool // CloseWrite has been called
	chunks   chan []byte
	wrote    chan error
	writeDue *deadline
}

// chunk is the size of a channel's packet.
const chunk = 32 << 10

// newChannelConn takes over a channel. Its goroutines end when it is closed, or
// with client; they are counted in work.
func newChannelConn(client *sftpdriver.Client, ch ssh.Channel, requests <-chan *ssh.Request, address string, work *sync.WaitGroup) *channelConn {
	c := &channelConn{
		ch: ch, client: client, remote: addr(address),
		closed: make(chan struct{}),
		filled: make(chan []byte, 2), spare: make(chan []byte, 2),
		chunks: make(chan []byte), wrote: make(chan error, 1),
		readDue: newDeadline(), writeDue: newDeadline(),
	}
	// Two buffers, so that one is filled while the other is handed on.
	c.spare <- make([]byte, chunk)
	c.spare <- make([]byte, chunk)
	work.Go(func() { ssh.DiscardRequests(requests) })
	work.Go(c.pull)
	work.Go(c.push)
	return c
}

// pull reads the channel.
func (c *channelConn) pull() {
	defer close(c.filled)
	for {
		var b []byte
		select {
		case b = <-c.spare:
		case <-c.closed:
			return
		case <-c.client.Ended():
			c.readErr = c.lost(io.ErrUnexpectedEOF)
			return
		}
		n, err := c.ch.Read(b)
		if n > 0 {
			c.filled <- b[:n] // it has room for all there are
		}
		if err != nil {
			c.readErr = c.endOf(err)
			return
		}
	}
}

// endOf tells the end of what the server sent from that of the connection to the
// jump host: x/crypto says io.EOF to both, and on plain FTP the first is the end
// of a file. A connection that still answers was there when the end came.
func (c *channelConn) endOf(err error) error {
	if err != io.EOF || c.client.Ping() == nil {
		return err
	}
	return c.lost(io.ErrUnexpectedEOF)
}

// lost names the end of the connection to the jump host; err says it to those
// who ask by errors.Is.
func (c *channelConn) lost(err error) error {
	return fmt.Errorf("%w: %w", &lostJump{c.client.Cause()}, err)
}

// Read reads what the server sent.
func (c *channelConn) Read(p []byte) (int, error) {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	if c.isClosed() {
		return 0, net.ErrClosed
	}
	if c.readDue.passed() {
		return 0, os.ErrDeadlineExceeded
	}
	if len(p) == 0 {
		return 0, nil
	}
	if len(c.rest) == 0 {
		if c.buf != nil {
			c.spare <- c.buf[:chunk]
			c.buf = nil
		}
		select {
		case b, ok := <-c.filled:
			if !ok {
				if c.isClosed() {
					return 0, net.ErrClosed
				}
				return 0, c.readErr
			}
			c.buf, c.rest = b, b
		case <-c.closed:
			return 0, net.ErrClosed
		case <-c.readDue.wait():
			return 0, os.ErrDeadlineExceeded
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// push writes to the channel; an empty chunk ends this side.
func (c *channelConn) push() {
	for {
		select {
		case b := <-c.chunks:
			var err error
			if len(b) == 0 {
				err = c.ch.CloseWrite()
			} else {
				_, err = c.ch.Write(b)
			}
			c.wrote <- err // it has room: the next chunk comes after this answer
		case <-c.closed:
			return
		case <-c.client.Ended():
			return
		}
	}
}

// Write sends p. It returns when the channel has taken it; what a deadline
// interrupts is counted as written, like what lies in a kernel's buffer, and the
// next Write waits for it.
func (c *channelConn) Write(p []byte) (n int, err error) {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	if c.ended {
		return 0, net.ErrClosed
	}
	if c.writeBuf == nil {
		c.writeBuf = make([]byte, chunk)
	}
	for len(p) > 0 {
		if err := c.settled(); err != nil {
			return n, err
		}
		// A copy: the writer may go on after this Write has been interrupted.
		m := copy(c.writeBuf, p)
		if err := c.hand(c.writeBuf[:m]); err != nil {
			return n, err
		}
		n, p = n+m, p[m:]
	}
	return n, c.settled()
}

// CloseWrite tells the server that no more comes.
func (c *channelConn) CloseWrite() error {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	if c.ended {
		return nil
	}
	if err := c.settled(); err != nil {
		return err
	}
	c.ended = true
	if err := c.hand(nil); err != nil {
		return err
	}
	return c.settled()
}

// hand gives the writer a chunk. The caller holds writeMu and nothing is pending.
func (c *channelConn) hand(b []byte) error {
	select {
	case c.chunks <- b:
		c.pending = true
		return nil
	case <-c.closed:
		return net.ErrClosed
	case <-c.client.Ended():
		return c.lost(io.ErrClosedPipe)
	case <-c.writeDue.wait():
		return os.ErrDeadlineExceeded
	}
}

// settled waits until the writer has done the last chunk. The caller holds writeMu.
func (c *channelConn) settled() error {
	if c.isClosed() {
		return net.ErrClosed
	}
	if c.writeDue.passed() {
		return os.ErrDeadlineExceeded
	}
	if c.pending {
		select {
		case err := <-c.wrote:
			c.pending = false
			if err != nil {
				c.writeErr = c.writeFailure(err)
			}
		case <-c.closed:
			return net.ErrClosed
		case <-c.writeDue.wait():
			return os.ErrDeadlineExceeded
		}
	}
	return c.writeErr
}

// writeFailure names a failed write, which x/crypto calls io.EOF.
func (c *channelConn) writeFailure(err error) error {
	select {
	case <-c.client.Ended():
		return c.lost(io.ErrClosedPipe)
	default:
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the server has closed the connection: %w", io.ErrClosedPipe)
	}
	return fmt.Errorf("write to the jump host: %w: %w", err, io.ErrClosedPipe)
}

// Close ends the channel. It does not wait: what is written goes out first, and
// the farewell after it, or never where the connection to the jump host ends.
func (c *channelConn) Close() error {
	err := net.ErrClosed
	c.closeOnce.Do(func() {
		err = nil
		close(c.closed)
		go func() { _ = c.ch.Close() }()
	})
	return err
}

func (c *channelConn) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// LocalAddr is nothing that anybody could use.
func (c *channelConn) LocalAddr() net.Addr { return addr("tunnel:0") }

// RemoteAddr is the address that was dialled.
func (c *channelConn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *channelConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline bounds Read, one under way too.
func (c *channelConn) SetReadDeadline(t time.Time) error { return c.setDeadline(c.readDue, t) }

// SetWriteDeadline bounds Write, one under way too.
func (c *channelConn) SetWriteDeadline(t time.Time) error { return c.setDeadline(c.writeDue, t) }

func (c *channelConn) setDeadline(d *deadline, t time.Time) error {
	if c.isClosed() {
		return net.ErrClosed
	}
	d.set(t)
	return nil
}
