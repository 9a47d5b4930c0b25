package ftpdriver

import "github.com/seed01fc2e40/go-ftpx/transport"

// Firewalls that follow FTP in clear reset a connection on which several commands come in
// one packet (Cisco's "inspect ftp strict" is one). Who is reset directly after such a
// write sends one command at a time on the next connection. Where that is reset as well,
// it was the line: a serial connection costs a round trip for each command.

// burst is how many commands the last write had of which none has been answered.
type burst struct {
	lines int
	reset bool // the connection was reset then
}

func (b *burst) sent(lines int) { b.lines = lines }

// answered takes note of a reply, or of what came in place of one.
func (b *burst) answered(err error) {
	if err != nil {
		b.reset = b.reset || b.lines > 1 && transport.WasReset(err)
		return
	}
	b.lines = 0
}

// isSerial decides whether the connection takes one command at a time.
func (c *Conn) isSerial() {
	known := c.traits.serial || c.lacks(lacksPipelining)
	c.onTrial = !known && c.tls == nil && c.lacks(lacksBursts)
	c.serial = known || c.onTrial
}

// learnOfReset learns of the error of an operation.
func (c *Conn) learnOfReset(err error) {
	switch {
	case err == nil || c.tls != nil:
	case c.ctl.burst.reset:
		if c.learned.Count(c.addr, resetAnyway) < mostResetTries {
			c.lacksNow(lacksBursts)
		}
	case c.onTrial && c.ctl.broken.Load() && transport.WasReset(err):
		c.onTrial = false
		c.learned.Note(c.addr, lacksBursts, false)
		c.learned.Add(c.addr, resetAnyway, 1)
	}
}
