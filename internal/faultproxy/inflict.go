package faultproxy

import "net"

const (
	defaultGarbage = 64
	defaultChunk   = 1
)

// inflict makes f happen to the connection now. It is called by a pump between
// two writes, or by whoever cuts the connection from outside.
func (c *conn) inflict(f *Fault) {
	counts := &c.proxy.counts[c.info.Role]
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return
	}
	c.struck = f.Kind
	c.mu.Unlock()
	switch f.Kind {
	case Reset, Refuse:
		counts.resets.Add(1)
		if c.wait(f.Grace) {
			c.reset(f)
		}
	case FIN:
		counts.fins.Add(1)
		c.fin(f.Dir.orBoth())
	case Stall, BlackHole:
		counts.stalls.Add(1)
		c.mu.Lock()
		c.setModes(f.Dir.orBoth(), stall)
		c.mu.Unlock()
	case Garbage:
		counts.garbled.Add(1)
		c.setGarbage(f)
	case LoseReply:
		counts.repliesLost.Add(1)
		c.mu.Lock()
		c.setModes(Down, drop)
		c.onDrop = &Fault{Kind: f.Then}
		c.mu.Unlock()
	case Short:
		c.setChunk(f)
	}
}

// reset sends RST to the sides that f names and deals with the other one.
func (c *conn) reset(f *Fault) {
	sides := f.Sides
	c.mu.Lock()
	if sides == 0 || sides == BothSides || c.server == nil || c.ended {
		c.mu.Unlock()
		c.end(BothSides, true)
		return
	}
	defer c.mu.Unlock()
	gone, rest, toRest := c.client, c.server, Up
	if sides == ServerSide {
		gone, rest, toRest = c.server, c.client, Down
	}
	switch f.Rest {
	case RestHold:
		c.held = true
		c.setModes(Both, stall)
	case RestFIN:
		c.setModes(Both, drop)
		_ = rest.CloseWrite()
	case RestFlush:
		c.flush = true
		c.setModes(Both&^toRest, drop)
	}
	closeSocket(gone, true)
}

// fin ends the directions of dir cleanly: their receivers see the end of the
// stream and their senders are read on, so that closing never turns into a reset.
func (c *conn) fin(dir Dir) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setModes(dir, drop)
	for d, dst := range map[Dir]*net.TCPConn{Up: c.server, Down: c.client} {
		if dir.has(d) && dst != nil {
			_ = dst.CloseWrite()
		}
	}
}

func (c *conn) setGarbage(f *Fault) {
	dir := f.Dir
	if dir == 0 {
		dir = Down
	}
	length := f.Len
	if length <= 0 {
		length = defaultGarbage
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range [...]Dir{Up, Down} {
		if dir.has(d) {
			c.garble[index(d)] = garbler{left: length, text: f.Text}
		}
	}
	c.interruptLocked()
}

func (c *conn) setChunk(f *Fault) {
	size := f.Len
	if size <= 0 {
		size = defaultChunk
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range [...]Dir{Up, Down} {
		if f.Dir.orBoth().has(d) {
			c.chunk[index(d)] = size
		}
	}
	c.interruptLocked()
}

// unanswered inflicts LoseReply around a write that goes up: the answer is
// dropped however fast it is, and what follows the loss never comes before the
// write is done.
func (c *conn) unanswered(f *Fault, write func() bool) bool {
	c.mu.Lock()
	c.setModes(Down, drop)
	c.mu.Unlock()
	before := c.lost.Load()
	if !write() {
		return false
	}
	c.inflict(f)
	if c.lost.Load() > before {
		c.dropped(0) // it came already, and nothing more may come
	}
	return true
}

// dropped is told of bytes that were thrown away in direction dir.
func (c *conn) dropped(n int) {
	c.lost.Add(int64(n))
	c.proxy.counts[c.info.Role].dropped.Add(int64(n))
	c.mu.Lock()
	next := c.onDrop
	c.onDrop = nil
	c.mu.Unlock()
	if next != nil && next.Kind != None {
		c.inflict(next)
	}
}
