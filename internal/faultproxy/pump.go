package faultproxy

import (
	"errors"
	"io"
	"net"
)

// chunkSize is the most that one read takes: io.Copy's size.
const chunkSize = 32 << 10

// pump forwards direction dir until it ends.
func (c *conn) pump(dir Dir) {
	src, dst := c.endpoints(dir)
	source := c.source(dir, src)
	full := 0 // reads in a row that filled the buffer
	for {
		if full >= bulk && c.beginSplice(dir) {
			err := c.splice(dir, src, dst)
			if err == nil || err != io.EOF && c.expected(dir) {
				continue
			}
			c.finish(dir, dst, err)
			return
		}
		p, err := source.next()
		if len(p) == chunkSize {
			full++
		} else {
			full = 0
		}
		if len(p) > 0 && !c.operate(dir, dst, p) {
			return
		}
		if err != nil {
			c.finish(dir, dst, err)
			return
		}
	}
}

// operate forwards one chunk, unless an armed fault hits it. It reports whether
// the pump goes on.
func (c *conn) operate(dir Dir, dst *net.TCPConn, p []byte) bool {
	if dir == Down && c.watch != nil {
		if n := c.preface(p); n > 0 {
			ok := c.send(dir, dst, p[:n])
			close(c.watch.preface)
			if !ok {
				return false
			}
			p = p[n:]
		}
		if len(p) == 0 {
			if f := c.proxy.operation(c, dir); f != nil {
				c.inflict(aimed(f, dir, 0))
			}
			return true
		}
		c.holdReply()
	}
	f := c.proxy.operation(c, dir)
	if f == nil {
		return c.send(dir, dst, p)
	}
	if f.Kind == LoseReply && dir == Up {
		return c.unanswered(f, func() bool { return c.send(dir, dst, p) })
	}
	head := int(min(max(f.Part, 0), 1) * float64(len(p)))
	if !c.send(dir, dst, p[:head]) {
		return false
	}
	c.inflict(aimed(f, dir, len(p)-head))
	return c.send(dir, dst, p[head:])
}

// aimed fills in what an armed fault leaves to the operation that it hits: the
// direction of garbage and its extent, the rest of the chunk.
func aimed(f *Fault, dir Dir, rest int) *Fault {
	aimed := *f
	if f.Kind == Garbage {
		if aimed.Dir == 0 {
			aimed.Dir = dir
		}
		if aimed.Len == 0 {
			aimed.Len = rest
		}
	}
	return &aimed
}

// send forwards p up to the connection's own fault, inflicts that, and goes on
// with what is left of p.
func (c *conn) send(dir Dir, dst *net.TCPConn, p []byte) bool {
	if c.trig == nil {
		return c.write(dir, dst, p)
	}
	for len(p) > 0 {
		n, hit := c.trig.take(dir, p)
		if n == 0 && !hit {
			select {
			case <-c.trig.fired:
				continue
			case <-c.over:
				return false
			}
		}
		head := p[:n]
		write := func() bool {
			defer c.trig.written()
			return c.write(dir, dst, head)
		}
		switch {
		case hit && c.fault.Kind == LoseReply && dir == Up:
			if !c.unanswered(&c.fault, write) {
				return false
			}
		case !write():
			return false
		case hit:
			c.waitFor(c.trig.settled(), settling)
			c.inflict(&c.fault)
		}
		if hit {
			close(c.trig.fired)
		}
		p = p[n:]
	}
	return true
}

// write does with p what the mode of the direction says.
func (c *conn) write(dir Dir, dst *net.TCPConn, p []byte) bool {
	for len(p) > 0 {
		m, ok := c.pass(dir)
		if !ok {
			return false
		}
		if m == drop {
			c.dropped(len(p))
			return true
		}
		n, ok := c.writeSome(dir, dst, p)
		if !ok {
			return false
		}
		p = p[n:]
	}
	return true
}

// writeSome writes as much of p as goes into one write.
func (c *conn) writeSome(dir Dir, dst *net.TCPConn, p []byte) (int, bool) {
	p = p[:c.admit(dir, len(p))]
	if len(p) == 0 {
		return 0, false
	}
	c.mu.Lock()
	c.scramble(dir, p)
	c.mu.Unlock()
	n, err := dst.Write(p)
	c.count(dir, int64(n))
	if err != nil {
		return n, c.broken(dir)
	}
	return n, true
}

// broken deals with a write that failed because the receiver is gone. If nobody
// here did that, the sender is told the same way.
func (c *conn) broken(dir Dir) bool {
	if c.expected(dir) {
		return true
	}
	c.end(BothSides, true)
	return false
}

// expected reports whether a fault has changed what becomes of direction dir, so
// that a failed write is its doing and the mode decides what happens next.
func (c *conn) expected(dir Dir) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.ended && c.modes[index(dir)] != forward
}

// finish passes on the end of direction dir: a clean end as one, anything else
// as a reset, which is what the sender's end was.
func (c *conn) finish(dir Dir, dst *net.TCPConn, err error) {
	if c.isOver() {
		return
	}
	c.mu.Lock()
	held, flush := c.held, c.flush
	c.mu.Unlock()
	switch {
	case held:
		return // the side that is left is to notice nothing
	case flush && errors.Is(err, net.ErrClosed):
	case !errors.Is(err, io.EOF):
		if m, ok := c.pass(dir); ok && m == forward {
			c.end(BothSides, true)
		}
		return
	}
	if c.info.Role == Data {
		c.proxy.dataEvent(c, DataEnded)
	}
	if f := c.proxy.operation(c, dir); f != nil {
		c.inflict(aimed(f, dir, 0))
	}
	switch m, ok := c.pass(dir); {
	case !ok:
	case m == drop:
		c.dropped(0)
	default:
		_ = dst.CloseWrite()
	}
}

func (c *conn) isOver() bool {
	select {
	case <-c.over:
		return true
	default:
		return false
	}
}

// count records n bytes that were forwarded in direction dir.
func (c *conn) count(dir Dir, n int64) {
	counts := &c.proxy.counts[c.info.Role]
	if dir == Up {
		c.up.Add(n)
		counts.up.Add(n)
	} else {
		c.down.Add(n)
		counts.down.Add(n)
	}
	if n > 0 && c.info.Role == Data && c.proxy.watching.Load() > 0 {
		c.proxy.dataEvent(c, DataMoved)
	}
}
