package wire

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Wire is the module's own net.Conn: it lies under TLS and SSH on every socket,
// counts bytes for the watchdog of an [Op], and can be cut at any moment from
// any goroutine.
type Wire struct {
	net.Conn
	tcp *net.TCPConn // Conn itself, where it is one: for sendfile and socket options

	read, written atomic.Int64
	sent          atomic.Int64 // what progress last saw of what the peer has
	closeOnce     sync.Once
	closeErr      error

	answered func()             // told of the first byte, see Endpoint.Answered
	traffic  *transport.Traffic // counts it when it is closed, nil for nobody

	// OnWrite, if set before use, is told of payload as [Wire.ReadFrom] sends it.
	OnWrite func(n int64)
}

// New wraps conn and sets the socket options that make a dead peer known:
// keepalive probes, and TCP_USER_TIMEOUT where the platform has it, at stall
// (or [transport.DefaultStall] when stall is not positive).
func New(conn net.Conn, stall time.Duration) *Wire {
	if stall <= 0 {
		stall = transport.DefaultStall
	}
	w := &Wire{Conn: conn}
	if tcp, ok := conn.(*net.TCPConn); ok {
		w.tcp = tcp
		// Failing to set an option leaves a connection that works.
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3})
		setUserTimeout(tcp, stall)
	}
	return w
}

// Read reads from the socket and counts.
func (w *Wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if w.read.Add(int64(n)) == int64(n) && n > 0 && w.answered != nil {
		w.answered()
	}
	return n, err
}

// Write writes to the socket and counts.
func (w *Wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.written.Add(int64(n))
	return n, err
}

// BytesRead counts what has come, TLS and SSH overhead included.
func (w *Wire) BytesRead() int64 { return w.read.Load() }

// Delivered reports whether the peer's host has acknowledged all that was
// written, where the platform tells; elsewhere it is true. It tells a server
// that is silent from one that is gone.
func (w *Wire) Delivered() bool { return w.tcp == nil || unacknowledged(w.tcp) == 0 }

// progress rises whenever a byte arrives or the peer acknowledges one, where
// the platform tells what it has acknowledged; else whenever the kernel
// accepts one. Without this a slow line would look stalled while the kernel
// empties its buffer of several megabytes, or while one long Write is under way.
// On a closed socket it stays where it was last seen.
func (w *Wire) progress() int64 {
	if w.tcp == nil {
		return w.read.Load() + w.written.Load()
	}
	sent, ok := acknowledged(w.tcp)
	if !ok {
		sent = w.written.Load() - unacknowledged(w.tcp)
	}
	for {
		last := w.sent.Load()
		if sent <= last {
			sent = last
			break
		}
		if w.sent.CompareAndSwap(last, sent) {
			break
		}
	}
	return w.read.Load() + sent
}

// CountIn has the socket count in t when it is closed.
func (w *Wire) CountIn(t *transport.Traffic) { w.traffic = t }

// Abort closes the socket at once. TLS and SSH above it are not told; data that
// the kernel holds still goes out.
func (w *Wire) Abort() error {
	w.closeOnce.Do(func() {
		w.traffic.Add(w.written.Load(), w.read.Load(), tcpInfo(w.tcp))
		w.closeErr = w.Conn.Close()
	})
	return w.closeErr
}

// Reset closes the socket and drops what was not sent, so that the peer sees a
// reset.
func (w *Wire) Reset() {
	if w.tcp != nil {
		_ = w.tcp.SetLinger(0)
	}
	_ = w.Abort()
}

// Close is Abort: this layer has nobody to say goodbye to.
func (w *Wire) Close() error { return w.Abort() }

// CloseWrite ends this side of the connection and leaves the other open.
func (w *Wire) CloseWrite() error {
	if c, ok := w.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Chunk sizes of a zero-copy upload, see ReadFrom.
const (
	minChunk  = 64 << 10
	maxChunk  = 4 << 20
	slowChunk = 500 * time.Millisecond
)

// ReadFrom sends r. A file, alone or under an *io.LimitedReader, goes out by
// sendfile on platforms that have it. It goes in chunks, so that the watchdog
// and the progress see it move; a chunk grows while the line takes it quickly
// and shrinks when it does not, so that a slow line is not taken for a dead
// one. Errors of the file are [*transport.LocalError].
func (w *Wire) ReadFrom(r io.Reader) (int64, error) {
	file, limit := fileOf(r)
	if file == nil || w.tcp == nil {
		return w.copyFrom(r)
	}
	var total int64
	for chunk := int64(minChunk); limit == nil || limit.N > 0; {
		lr := io.LimitedReader{R: file, N: chunk}
		if limit != nil {
			lr.N = min(chunk, limit.N)
		}
		want, begin := lr.N, time.Now()
		n, err := w.tcp.ReadFrom(&lr)
		total += n
		w.written.Add(n)
		if limit != nil {
			limit.N -= n
		}
		if w.OnWrite != nil && n > 0 {
			w.OnWrite(n)
		}
		if err != nil {
			if sourceFailed(err) {
				err = &transport.LocalError{Err: err}
			}
			return total, err
		}
		if n < want {
			return total, nil
		}
		switch d := time.Since(begin); {
		case d > slowChunk && chunk > minChunk:
			chunk /= 2
		case d < slowChunk/4 && chunk < maxChunk:
			chunk *= 2
		}
	}
	return total, nil
}

// sourceFailed tells an error of the file from one of the socket, both of which
// sendfile returns.
func sourceFailed(err error) bool {
	var path *fs.PathError
	if errors.As(err, &path) {
		return true
	}
	var call *os.SyscallError
	if !errors.As(err, &call) || call.Syscall != "sendfile" {
		return false
	}
	switch call.Err {
	case syscall.EIO, syscall.EBADF, syscall.EISDIR, syscall.ESTALE, syscall.EACCES:
		return true
	}
	return false
}

func fileOf(r io.Reader) (*os.File, *io.LimitedReader) {
	switch r := r.(type) {
	case *os.File:
		return r, nil
	case *io.LimitedReader:
		if f, ok := r.R.(*os.File); ok {
			return f, r
		}
	}
	return nil, nil
}

func (w *Wire) copyFrom(r io.Reader) (int64, error) {
	buf := GetBuffer()
	defer PutBuffer(buf)
	return CopyBuffer(w, r, *buf, w.OnWrite)
}
