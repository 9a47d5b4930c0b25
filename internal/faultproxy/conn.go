package faultproxy

import (
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// mode is what a pump does with what it has read.
type mode uint8

const (
	forward mode = iota
	drop         // read on and throw away
	stall        // wait
)

// conn is one connection through the proxy: two sockets and a pump for each
// direction. Faults act on it through inflict.
type conn struct {
	proxy  *Proxy
	route  *Route
	info   ConnInfo
	fault  Fault
	shape  Shape
	trig   *trigger
	watch  *watch // for faults that come with a data event
	client *net.TCPConn
	start  time.Time

	over  chan struct{}  // closed when the sockets are; nothing is forwarded any more
	pumps sync.WaitGroup // the two pumps and what reads ahead for them

	up, down, lost atomic.Int64 // bytes forwarded, and bytes dropped
	queued         atomic.Int64 // bytes in the delay queues
	rates          [2]limiter   // of this connection, by index(dir)

	mu      sync.Mutex
	server  *net.TCPConn // nil until dialled
	modes   [2]mode      // by index(dir)
	changed chan struct{}
	ended   bool   // over is closed
	held    bool   // one side was reset, the other is kept until lifted
	flush   bool   // the client was reset, what it sent is still delivered
	onDrop  *Fault // follows the next bytes that are dropped
	garble  [2]garbler
	chunk   [2]int  // most bytes a write, when positive
	splices [2]bool // the pump is copying in the kernel
	struck  Kind    // the last fault inflicted
}

// garbler says what becomes of the next bytes of a direction.
type garbler struct {
	left int
	text string
	at   int // position in text
}

func index(dir Dir) int { return int(dir) - 1 }

// endpoints returns where direction dir comes from and goes to.
func (c *conn) endpoints(dir Dir) (src, dst *net.TCPConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if dir == Up {
		return c.client, c.server
	}
	return c.server, c.client
}

// pass waits until direction dir is not stalled and returns its mode. ok is
// false when the connection is over.
func (c *conn) pass(dir Dir) (m mode, ok bool) {
	for {
		c.mu.Lock()
		m, changed, ended := c.modes[index(dir)], c.changed, c.ended
		c.mu.Unlock()
		if ended {
			return m, false
		}
		if m != stall {
			return m, true
		}
		select {
		case <-changed:
		case <-c.over:
			return m, false
		}
	}
}

// setModes is called with mu held.
func (c *conn) setModes(dir Dir, m mode) {
	for _, d := range [...]Dir{Up, Down} {
		if dir.has(d) {
			c.modes[index(d)] = m
		}
	}
	close(c.changed)
	c.changed = make(chan struct{})
	c.interruptLocked()
}

// lift ends stalls. A connection of which one side is gone ends.
func (c *conn) lift() {
	c.mu.Lock()
	held := c.held
	for _, d := range [...]Dir{Up, Down} {
		if c.modes[index(d)] == stall {
			c.setModes(d, forward)
		}
	}
	c.mu.Unlock()
	if held {
		c.end(BothSides, false)
	}
}

// end closes the sockets, with RST on the sides named, and stops the pumps. It
// may be called more than once; the first call counts.
func (c *conn) end(sides Sides, reset bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	c.ended = true
	close(c.over)
	closeSocket(c.client, reset && sides&ClientSide != 0)
	if c.server != nil {
		closeSocket(c.server, reset && sides&ServerSide != 0)
	}
}

// closeSocket closes with FIN, or with RST. After SetLinger(0) the kernel sends
// RST on close and forgets what it had not sent yet.
func closeSocket(socket *net.TCPConn, reset bool) {
	if reset {
		_ = socket.SetLinger(0)
	}
	_ = socket.Close()
}

// wait waits for d and reports false when the connection ended meanwhile.
func (c *conn) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.over:
		return false
	}
}

// scramble garbles what is due of p in place. CR and LF are neither changed nor
// made. It is called with mu held.
func (c *conn) scramble(dir Dir, p []byte) {
	g := &c.garble[index(dir)]
	n := min(g.left, len(p))
	for i := range p[:n] {
		if p[i] == '\r' || p[i] == '\n' {
			continue
		}
		if g.text != "" {
			p[i] = g.text[g.at%len(g.text)]
			g.at++
			continue
		}
		p[i] = other(c.info.Rand, p[i])
	}
	g.left -= n
}

// other returns a byte that is neither b nor a line end.
func other(random *rand.Rand, b byte) byte {
	for {
		if n := byte(random.Uint32()); n != b && n != '\r' && n != '\n' {
			return n
		}
	}
}
