package faultproxy

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

const (
	// bulk is after how many full reads in a row a connection counts as a bulk
	// transfer that is worth copying in the kernel.
	bulk = 4
	// spliceSize is how much is copied at a time; counters lag by as much.
	spliceSize = 1 << 20
)

// beginSplice reports whether direction dir may be copied in the kernel for a
// while, out of sight: nothing is to happen to the connection, and nobody counts
// operations. Whoever changes that calls interrupt.
func (c *conn) beginSplice(dir Dir) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := index(dir)
	switch {
	case c.info.Role != Data && c.info.Role != Any,
		c.ended, c.modes[i] != forward, c.garble[i].left > 0, c.chunk[i] > 0,
		c.trig != nil, c.watch != nil, !c.shape.isZero(), c.proxy.opts.rate(dir) > 0,
		c.proxy.armed.Load() > 0, c.proxy.watching.Load() > 0:
		return false
	}
	c.splices[i] = true
	return true
}

// splice copies up to spliceSize bytes with TCPConn.ReadFrom, which is splice(2)
// on Linux. A nil error means to go on, in whatever way.
func (c *conn) splice(dir Dir, src, dst *net.TCPConn) error {
	n, err := dst.ReadFrom(&io.LimitedReader{R: src, N: spliceSize})
	c.mu.Lock()
	c.splices[index(dir)] = false
	_ = src.SetReadDeadline(time.Time{})
	c.mu.Unlock()
	c.proxy.counts[c.info.Role].ops.Add(1)
	c.count(dir, n)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil // interrupted; what was read has been written
	case err == nil && n < spliceSize:
		return io.EOF
	default:
		return err
	}
}

// interrupt makes connections that copy in the kernel look at what has changed.
func (p *Proxy) interrupt() {
	for _, c := range p.living() {
		c.mu.Lock()
		c.interruptLocked()
		c.mu.Unlock()
	}
}

// interruptLocked is called with mu held.
func (c *conn) interruptLocked() {
	past := time.Unix(1, 0)
	if c.splices[index(Up)] {
		_ = c.client.SetReadDeadline(past)
	}
	if c.splices[index(Down)] && c.server != nil {
		_ = c.server.SetReadDeadline(past)
	}
}
