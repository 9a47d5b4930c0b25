package sftpdriver

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// safePacket is what every server takes in one read or write (section 3).
	safePacket = 32 << 10
	// largestPacket is what OpenSSH takes; at 256 KiB, with the head of the
	// packet, it hangs up (trap 13).
	largestPacket = 255 << 10
	// inFlightBytes bounds what is under way on one session. A channel of x/crypto, as of
	// OpenSSH, takes 2 MiB before it must be granted more (RFC 4254 section
	// 5.2), so that more would only wait, and be lost with the connection.
	inFlightBytes = 4 << 20
)

// limits are the sizes of requests, and the answer to limits@openssh.com until it
// has been read.
type limits struct {
	mu          sync.Mutex
	answer      *reply
	asked       time.Time
	read, write atomic.Int64
	proven      atomic.Int64 // bytes of the longest write that is known to be taken as a whole
}

// The words in [transport.Learned] for a server that takes no more than safePacket in one
// request, whatever it says.
const (
	lacksLargeReads  = "reads of more than 32 KiB"
	lacksLargeWrites = "writes of more than 32 KiB"
)

// smallReads and smallWrites keep to what every server takes, on this connection.
func (c *Conn) smallReads()  { c.limits.read.Store(min(c.limits.read.Load(), safePacket)) }
func (c *Conn) smallWrites() { c.limits.write.Store(min(c.limits.write.Load(), safePacket)) }

func (c *Conn) readSize() int  { return int(c.limits.read.Load()) }
func (c *Conn) writeSize() int { return int(c.limits.write.Load()) }

// askLimits asks what the server takes (limits@openssh.com, PROTOCOL section
// 4.8) without waiting: the answer comes before that to the next request.
func (c *Conn) askLimits() {
	c.limits.read.Store(safePacket)
	c.limits.write.Store(safePacket)
	if _, ok := c.lib.extension("limits@openssh.com"); ok {
		c.limits.asked = time.Now()
		c.limits.answer = c.pipe.send(fxpExtended, putString(nil, "limits@openssh.com"))
	}
}

// applyLimits takes the answer, if it has come, which it has when a file has
// been opened.
func (c *Conn) applyLimits() {
	x := &c.limits
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.answer == nil || !x.answer.answered() {
		return
	}
	answer := x.answer
	x.answer = nil
	var packet, read, write uint64
	if answer.parse(fxpExtendedReply, func(r *reader) { packet, read, write = r.uint64(), r.uint64(), r.uint64() }) == nil {
		x.read.Store(int64(fit(read, packet)))
		x.write.Store(int64(fit(write, packet)))
		if c.ep.Learned.Lacks(c.info.Addr, lacksLargeReads) {
			c.smallReads()
		}
		if c.ep.Learned.Lacks(c.info.Addr, lacksLargeWrites) {
			c.smallWrites()
		}
		c.tripped(answer.at.Sub(x.asked))
	}
}

// roundTrip is the shortest round trip seen. While connecting, the server starts
// processes, which takes as long as a line across a country.
func (c *Conn) roundTrip() time.Duration {
	c.applyLimits()
	return time.Duration(c.trip.Load())
}

// tripped takes note of a round trip.
func (c *Conn) tripped(d time.Duration) {
	for {
		shortest := c.trip.Load()
		if int64(d) >= shortest || c.trip.CompareAndSwap(shortest, int64(d)) {
			return
		}
	}
}

// fit makes of a server's limit, 0 where it does not say, and of its limit for
// a whole packet the payload to use.
func fit(limit, packet uint64) int {
	if packet > 0 && packet < 2048 {
		return safePacket // nonsense: version 3 asks for 34000 at least
	}
	if limit == 0 {
		limit = safePacket
	}
	if packet > 1024 {
		limit = min(limit, packet-1024)
	}
	return int(max(1024, min(limit, largestPacket)))
}
