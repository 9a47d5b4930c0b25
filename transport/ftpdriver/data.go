package ftpdriver

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// replyGrace, and four round trips, is how long the final reply may take once the
// data connection has failed or was cut. Servers that notice answer at once; one
// that does not would hold the session for its own timeout, 300 s, or never answer.
// A new session costs less than a long wait.
const replyGrace = time.Second

// noDeadline keeps crypto/tls from giving close_notify 5 s to leave: behind a few
// megabytes in the kernel, on a slow line, it takes longer. The operation's
// watchdog looks after it.
type noDeadline struct{ *wire.Wire }

func (noDeadline) SetWriteDeadline(time.Time) error { return nil }

// Close is what crypto/tls does to a handshake that is given up, of a transfer that was
// refused: that is no end in good order.
func (n noDeadline) Close() error { n.Reset(); return nil }

// dataConn is one data connection. The goroutine of the operation uses it.
type dataConn struct {
	ctl  *control
	op   *wire.Op
	wire *wire.Wire
	tls  *tls.Conn // nil in clear

	// upload is set for STOR: closing then means the end of the file.
	upload bool
	moved  func(n int64) // told of payload sent, nil for nobody

	sent int64 // payload accepted by the socket or by TLS
	got  int64 // payload received
	// firstChunk is how much of a download is taken before it is cut off.
	firstChunk int64
	err        error // the first failure: the caller's source, or the connection's
	closed     bool
	ended      bool // of a download: our direction, see nothingToSend

	hears   bool            // or is not to, see hear
	over    chan struct{}   // closed when it is not used any more
	unused  sync.Once       // closes over
	dialled <-chan struct{} // closed when the dialling is over, nil where it was at once

	listening bool // see listen
	drain     sync.WaitGroup
}

func newDataConn(ctl *control, op *wire.Op) *dataConn {
	return &dataConn{ctl: ctl, op: op, over: make(chan struct{})}
}

// stream is what payload goes through.
func (d *dataConn) stream() net.Conn {
	if d.tls != nil {
		return d.tls
	}
	return d.wire
}

// fail notes the first failure and cuts the connection at once: closing TLS in
// good order would block on a dead line, and must not make a server believe that
// a file is whole.
func (d *dataConn) fail(err error) error {
	if d.err == nil {
		d.err = remedy(err)
		d.cut()
	}
	return d.err
}

// cut resets the connection. From here on the final reply comes soon.
func (d *dataConn) cut() {
	d.doneWith()
	d.ctl.shortenWait()
	d.wire.Reset()
}

// cutOff resets a download of which no more is wanted, when enough has come for the server
// to answer that, see [traits.firstChunk].
func (d *dataConn) cutOff() {
	_ = d.wire.SetReadDeadline(time.Now().Add(d.ctl.grace))
	buf := wire.GetBuffer()
	defer wire.PutBuffer(buf)
	for d.got <= d.firstChunk {
		if n, err := d.stream().Read(*buf); err != nil {
			break
		} else {
			d.got += int64(n)
		}
	}
	d.cut()
}

// Handshake does the TLS handshake, which else the first byte does: servers
// begin theirs only after the 150. The library calls it for an empty file.
func (d *dataConn) Handshake() error {
	if d.tls == nil || d.err != nil {
		return d.err
	}
	d.hear()
	if err := d.tls.HandshakeContext(d.op.Context()); err != nil {
		return d.fail(err)
	}
	return nil
}

func (d *dataConn) Read(p []byte) (int, error) {
	d.hear()
	n, err := d.stream().Read(p)
	d.got += int64(n)
	if err != nil && err != io.EOF {
		err = d.fail(err)
	}
	return n, err
}

func (d *dataConn) Write(p []byte) (int, error) {
	n, err := d.stream().Write(p)
	d.sent += int64(n)
	if err != nil {
		err = d.fail(err)
	}
	return n, err
}

// ReadFrom sends a source. io.Copy, in the library, prefers it to Write. In clear
// the source goes to the Wire as it is, so that a file leaves by sendfile.
func (d *dataConn) ReadFrom(r io.Reader) (n int64, err error) {
	d.hear()
	if d.tls == nil {
		d.wire.OnWrite = d.moved
		n, err = d.wire.ReadFrom(r)
	} else {
		if err := d.Handshake(); err != nil {
			return 0, err
		}
		d.listen()
		buf := wire.GetBuffer()
		defer wire.PutBuffer(buf)
		n, err = wire.CopyBuffer(d.tls, r, *buf, d.moved)
		err = markFile(r, err)
	}
	d.sent += n
	if err != nil {
		err = d.fail(err)
	}
	return n, err
}

// markFile marks an error of a file that was not wrapped by [wire.Op.Reader].
func markFile(r io.Reader, err error) error {
	var path *os.PathError
	var local *transport.LocalError
	if _, ok := r.(*io.LimitedReader); ok && errors.As(err, &path) && !errors.As(err, &local) {
		return &transport.LocalError{Err: err}
	}
	return err
}

// Close ends the data connection; the final reply follows. After an upload it
// tells the server that this was all, with close_notify and FIN, and leaves the
// socket open until release: a socket that is closed while TLS 1.3 session
// tickets lie in it unread resets the connection, and vsftpd then loses the
// file's tail; and what the kernel still holds must count as progress for the
// watchdog while it drains.
func (d *dataConn) Close() error {
	if d.closed {
		return nil
	}
	d.closed = true
	d.doneWith()
	if d.err != nil {
		return nil // it has been cut, and the failure has been told
	}
	if d.upload && !d.ctl.begun {
		d.wire.Reset() // STOR was not granted: this is not an empty file
		return nil
	}
	if !d.upload {
		if d.tls != nil && !d.ended {
			_ = d.tls.CloseWrite() // ProFTPD and vsftpd wait for it
		}
		_ = d.wire.Close()
		return nil
	}
	return d.finish()
}

// finish is the end of an upload, see Close.
func (d *dataConn) finish() error {
	if d.tls != nil {
		if err := d.tls.CloseWrite(); err != nil {
			return d.fail(err)
		}
	}
	if err := d.wire.CloseWrite(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return d.fail(err)
	} else if err != nil && d.tls == nil {
		_ = d.wire.Close() // a tunnel that knows no half-close
		return nil
	}
	if d.tls != nil {
		d.listen()
	}
	return nil
}

// listen reads what the server says on the data connection of an upload: TLS
// 1.3 session tickets. Left unread, they turn any end of the socket into a reset,
// also the one that the kernel makes when the program is killed, and with a
// reset goes what both kernels hold: megabytes that were sent for nothing.
func (d *dataConn) listen() {
	if d.listening {
		return
	}
	d.listening = true
	d.drain.Go(func() { _, _ = io.Copy(io.Discard, d.tls) })
}

// release frees the socket once the final reply has been read or given up.
func (d *dataConn) release() {
	d.doneWith()
	_ = d.wire.Abort()
	d.drain.Wait()
}

func (d *dataConn) LocalAddr() net.Addr                { return d.wire.LocalAddr() }
func (d *dataConn) RemoteAddr() net.Addr               { return d.wire.RemoteAddr() }
func (d *dataConn) SetDeadline(t time.Time) error      { return d.wire.SetDeadline(t) }
func (d *dataConn) SetReadDeadline(t time.Time) error  { return d.wire.SetReadDeadline(t) }
func (d *dataConn) SetWriteDeadline(t time.Time) error { return d.wire.SetWriteDeadline(t) }
