package ftpdriver

import (
	"bytes"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// shim is the side of [control] that jlaffaye/ftp sees, for which it is the socket.
type shim struct {
	line    []byte // a command that has no line end yet
	pending []byte // replies it has not read yet
	// answers, if not nil, answers a command here, which is not sent then.
	answers func(verb string) (line string, ok bool)
	feat    reply // the reply to FEAT

	// Of the login.
	batch     []string // lines to be sent with the library's FEAT
	tail      []string // lines to go behind those, whose replies are left to us
	eager     bool     // FEAT and all of those are to be sent with PASS
	pipelined []string // lines that were sent with one before them, before the library writes them
	lead      string   // the command that they were sent with
	taken     int      // of those, how many it has written
}

// Read gives the library the next reply.
func (c *control) Read(p []byte) (int, error) {
	if len(c.pending) == 0 {
		r, err := c.receive()
		if err != nil {
			return 0, err
		}
		c.pending = c.last.wire(libraryCode(r))
	}
	n := copy(p, c.pending)
	c.pending = c.pending[n:]
	return n, nil
}

// libraryCode returns the one code that the library accepts as success of a
// command, where the reply is another 2xx: RFC 959 section 5.4 allows several,
// z/OS ends a transfer with 250. 202 is not success but "superfluous". PBSZ says nothing
// under TLS, whose buffers it is not about, so that a refusal of it is none of protection:
// what is said to PROT decides that.
func libraryCode(r reply) int {
	if r.verb == "PBSZ" && r.code != 421 && r.kind() != transport.KindBusy && !r.preliminary() {
		return 200
	}
	if !r.positive() || r.code == 202 && r.verb != "PASS" {
		return r.code
	}
	switch r.verb {
	case "STOR", "APPE", "RETR":
		return 226
	case "DELE", "RMD", "RNTO":
		return 250
	case "MKD":
		return 257
	case "NOOP", "TYPE", "PROT":
		return 200
	case "PASS":
		return 230
	}
	return r.code
}

// Write takes the library's commands. It flushes after each, but long lines
// come in pieces.
func (c *control) Write(p []byte) (int, error) {
	c.line = append(c.line, p...)
	for {
		i := bytes.IndexByte(c.line, '\n')
		if i < 0 {
			return len(p), nil
		}
		line := strings.TrimRight(string(c.line[:i]), "\r")
		c.line = c.line[i+1:]
		if c.answers != nil {
			if answer, ok := c.answers(verbOf(line)); ok {
				c.pending = append(c.pending, answer+"\r\n"...)
				continue
			}
		}
		if err := c.forward(line); err != nil {
			return 0, err
		}
	}
}

// forward sends a line of the library's, unless it has left already. With FEAT, or
// with the password that USER has asked for, goes what the library will write when it
// has read the reply: each would be a round trip.
func (c *control) forward(line string) error {
	if c.taken < len(c.pipelined) && c.pipelined[c.taken] == line {
		c.taken++
		return nil
	}
	var pipelined, tail []string
	switch verb := verbOf(line); {
	case line == "FEAT":
		pipelined = c.batch
	case verb == "PASS" && c.eager && c.last.verb == "USER" && c.last.code == 331:
		pipelined = append([]string{"FEAT"}, c.batch...)
	}
	if len(pipelined) > 0 {
		c.lead, c.pipelined, c.batch = verbOf(line), pipelined, nil
		tail = c.tail
	}
	return c.send(slices.Concat([]string{line}, pipelined, tail)...)
}

// Close is what the library calls when it gives up.
func (c *control) Close() error {
	c.broken.Store(true)
	return c.wire.Abort()
}

// RemoteAddr is always a *net.TCPAddr.
func (c *control) RemoteAddr() net.Addr { return c.peer }

// LocalAddr is the socket's.
func (c *control) LocalAddr() net.Addr { return c.wire.LocalAddr() }

// Deadlines are the driver's own business: the library's would be sticky.
func (c *control) SetDeadline(time.Time) error      { return nil }
func (c *control) SetReadDeadline(time.Time) error  { return nil }
func (c *control) SetWriteDeadline(time.Time) error { return nil }
