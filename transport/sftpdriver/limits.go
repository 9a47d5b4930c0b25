package sftpdriver

import (
	"github.com/pkg/sftp"
)

const (
	// safePacket is what every server takes in one read or write (section 3).
	safePacket = 32 << 10
	// largestPacket is what OpenSSH takes; at 256 KiB, with the head of the
	// packet, it hangs up (trap 13).
	largestPacket = 255 << 10
	// inFlightBytes bounds what is under way. A channel of x/crypto, as of
	// OpenSSH, takes 2 MiB before it must be granted more (RFC 4254 section
	// 5.2), so that more would only wait, and be lost with the connection.
	inFlightBytes = 4 << 20
)

// inFlight is how many requests of a size are under way at once.
func inFlight(size int) int { return max(1, min(inFlightBytes/size, 128)) }

// askLimits asks what the server takes (limits@openssh.com, PROTOCOL section
// 4.8) without waiting: the answer comes before that to the next request.
func (c *Conn) askLimits() {
	c.read, c.write = safePacket, safePacket
	if _, ok := c.sftp.HasExtension("limits@openssh.com"); ok {
		c.limits = c.pipe.send(fxpExtended, putString(nil, "limits@openssh.com"))
	}
}

// applyLimits takes the answer, if it has come, which it has when a file has
// been opened.
func (c *Conn) applyLimits() {
	if c.limits == nil {
		return
	}
	select {
	case a := <-c.limits.done:
		c.limits = nil
		if a.err != nil {
			return
		}
		defer putBuffer(a.buf)
		if a.typ != fxpExtendedReply {
			return
		}
		r := &reader{b: *a.buf}
		packet, read, write := r.uint64(), r.uint64(), r.uint64()
		if !r.bad {
			c.read, c.write = fit(read, packet), fit(write, packet)
			// An option is a function of the client; nothing is under way now.
			_ = sftp.MaxPacketUnchecked(c.write)(c.sftp)
		}
	default:
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
