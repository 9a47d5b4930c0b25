package ftpdriver

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// control is the control connection: the shim that jlaffaye/ftp takes for its
// socket, and the way past it for commands of our own.
//
// It reads whole replies and hands them on one at a time, so that neither the
// library nor we ever hold half a reply, and it keeps a queue of the commands
// that wait for one. A session whose queue is not empty when an operation ends
// would give the next command the last one's answer: it is broken and never
// used again.
//
// One goroutine uses it at a time; broken may be looked at from anywhere.
type control struct {
	ep   *transport.Endpoint
	wire *wire.Wire
	conn net.Conn // wire, or TLS over it
	br   *bufio.Reader
	peer *net.TCPAddr

	waiting []string // the verbs of commands without their final reply, oldest first
	begun   bool     // the oldest has had a 1xx
	last    reply    // the reply last read
	broken  atomic.Bool
	// rested: the server has been told where the next transfer begins, see restLeft.
	rested, restLeft bool
	// halfAnswered: of what was last sent in one write, some was answered and no more.
	halfAnswered bool
	burst        // see reset.go

	timeouts
	// overheard, while another goroutine waits for the next reply, is closed when that
	// has begun to come, see overhear. Until attend only that goroutine reads.
	overheard chan struct{}

	told

	rtt   time.Duration // the shortest round trip so far
	wrote time.Time

	shim // what the library sees
}

var (
	errBroken = errors.New("the session is no longer in a known state")
	errClosed = errors.New("the connection has been closed")
	// errLocked: vsftpd answers neither STOR nor RETR while an older session is
	// writing the file, for as long as that takes to time out, 60 to 300 s.
	errLocked      = errors.New("the server does not answer the request for the file: an older session may still hold it")
	errUnsolicited = errors.New("the server sent a reply that nobody had asked for")
	errHurry       = errors.New("no reply followed after the data connection had failed")
	errNotPending  = errors.New("no reply is pending")
	// errDropped: the server answers what it is sent line by line, and throws away
	// what comes with a line.
	errDropped = errors.New("the server answers one command and not those that were sent with it")
)

// batchTimeout is how long what was sent with FEAT, or with PASS, may go unanswered
// when that has been answered.
const batchTimeout = 3 * time.Second

func newControl(ep *transport.Endpoint, wire *wire.Wire) *control {
	c := &control{ep: ep, wire: wire, rtt: time.Hour}
	c.grace = replyGrace
	c.over(wire)
	// The library asserts *net.TCPAddr and would panic on a tunnel's address.
	c.peer = &net.TCPAddr{IP: net.IPv4zero}
	if a, ok := wire.RemoteAddr().(*net.TCPAddr); ok && a != nil {
		c.peer = a
	}
	return c
}

// over makes conn the connection to speak through. What was buffered is
// dropped; the caller has made sure that there is nothing.
func (c *control) over(conn net.Conn) {
	c.conn = conn
	c.br = bufio.NewReaderSize(conn, maxLine)
}

// send writes command lines, in one write, and queues them for their replies.
func (c *control) send(lines ...string) error {
	if c.broken.Load() {
		return errBroken
	}
	if c.overheard == nil && c.br.Buffered() > 0 {
		return c.unsolicited()
	}
	var b bytes.Buffer
	for _, line := range lines {
		b.WriteString(line)
		b.WriteString("\r\n")
		c.tellCommand(line)
	}
	c.wrote = time.Now()
	if n, err := c.conn.Write(b.Bytes()); err != nil {
		c.broken.Store(true)
		if n > 0 {
			c.queue(lines)
		}
		return err
	}
	c.queue(lines)
	c.burst.sent(len(lines))
	return nil
}

func (c *control) queue(lines []string) {
	for _, line := range lines {
		c.waiting = append(c.waiting, verbOf(line))
	}
}

// unsolicited deals with a reply that lies there although no command waits for one.
// Mostly it is a goodbye, such as "421 Timeout.".
func (c *control) unsolicited() error {
	c.broken.Store(true)
	r, err := c.read()
	if err != nil {
		return errUnsolicited
	}
	c.tellReply(r)
	if r.code == 421 {
		return r.err()
	}
	return fmt.Errorf("%w: %d %s", errUnsolicited, r.code, r.shown())
}

// receive reads the next reply. Any error leaves the session broken.
func (c *control) receive() (reply, error) {
	if c.broken.Load() {
		return reply{}, errBroken
	}
	if len(c.waiting) == 0 {
		c.broken.Store(true)
		return reply{}, errNotPending
	}
	verb := c.waiting[0]
	limit, onLimit := time.Duration(0), errHurry
	if (stores(verb) || verb == "RETR" && c.readBack) && !c.begun {
		limit, onLimit = c.silence, errLocked
		_ = c.wire.SetReadDeadline(time.Now().Add(limit + c.dialling))
		if c.dialling > 0 && c.reached.Load() {
			_ = c.wire.SetReadDeadline(time.Now().Add(limit))
		}
	}
	if len(c.pipelined) > 0 && verb != c.lead {
		limit, onLimit = batchTimeout, errDropped
		_ = c.wire.SetReadDeadline(time.Now().Add(limit))
	}
	if hurry := c.hurry.Load(); hurry > 0 {
		_ = c.wire.SetReadDeadline(time.Now().Add(time.Duration(hurry)))
	}
	c.attend()
	r, err := c.read()
	if hurry := c.hurry.Load(); hurry > 0 { // perhaps since a moment ago
		limit, onLimit = time.Duration(hurry), errHurry
	}
	if limit > 0 {
		_ = c.wire.SetReadDeadline(time.Time{})
	}
	c.burst.answered(err)
	if err != nil {
		c.broken.Store(true)
		if limit > 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			if onLimit == errLocked && !c.wire.Delivered() {
				return reply{}, fmt.Errorf("%w: it has not even acknowledged the command", transport.ErrStalled)
			}
			return reply{}, fmt.Errorf("%w (waited %v)", onLimit, limit)
		}
		return reply{}, err
	}
	r.verb = verb
	c.note(r)
	return r, nil
}

// note takes a reply into account.
func (c *control) note(r reply) {
	if d := time.Since(c.wrote); len(c.waiting) == 1 && !c.begun && d < c.rtt {
		c.rtt = d
	}
	c.saw(r)
	if r.preliminary() && !(c.begun && endsPure(r)) {
		if c.begun {
			// One is all that RFC 959 allows: whether another reply follows
			// cannot be known.
			c.broken.Store(true)
		}
		c.begun, c.rested = true, false
		return
	}
	c.begun = false
	c.waiting = c.waiting[1:]
	c.told.answered()
	if r.verb == "FEAT" {
		c.feat = r
	}
	c.noteRest(r)
	if r.code == 421 {
		c.broken.Store(true) // RFC 959: "closing control connection"
	}
}

// noteRest follows whether the server may still hold the offset of a REST: where the transfer
// that came next was refused, some begin the one after that there (ftp-srv). restLeft is set
// then, and the next transfer that has no offset says so, with REST 0.
func (c *control) noteRest(r reply) {
	switch {
	case r.verb == "REST":
		c.rested, c.restLeft = r.code == 350, false
	case stores(r.verb) || r.verb == "RETR":
		c.restLeft = c.restLeft || c.rested && r.code >= 400
		c.rested = false
	}
}

// forgetRest has the server begin at 0 again, where it may not. A session that does not is
// given up.
func (c *control) forgetRest() error {
	if !c.restLeft {
		return nil
	}
	r, err := c.command("REST 0")
	if err == nil && r.code != 350 {
		c.broken.Store(true)
		err = errBroken
	}
	return err
}

// endsPure recognises how Pure-FTPd ends a RETR whose data connection was reset:
// with "150 0.001 seconds (measured here), 86.44 Mbytes per second", the second
// line of its usual "226-File successfully transferred", under the code that it
// had last used. It is the final reply.
func endsPure(r reply) bool {
	return r.verb == "RETR" && r.code == 150 && strings.Contains(r.text, "(measured here)")
}

// read reads one reply, and has it and its error hide the password.
func (c *control) read() (reply, error) {
	verb := ""
	if len(c.waiting) > 0 {
		verb = c.waiting[0]
	}
	r, err := readReplyTo(c.br, verb)
	var bad *notReply
	if errors.As(err, &bad) {
		bad.line = hide(bad.line, c.ep.Password)
	}
	r.secret = c.ep.Password
	return r, err
}

// saw tells the trace of a reply and keeps it.
func (c *control) saw(r reply) {
	c.tellReply(r)
	c.last = r
}

// inStep reports whether no reply is outstanding or lies unread.
func (c *control) inStep() bool {
	return !c.broken.Load() && len(c.waiting) == 0 && len(c.pending) == 0 && c.taken == len(c.pipelined) && c.br.Buffered() == 0
}

// verbOf returns the command of a line, in capitals.
func verbOf(line string) string {
	verb, _, _ := strings.Cut(line, " ")
	return strings.ToUpper(verb)
}

// redact hides what only the server may read.
func redact(line string) string {
	switch verb := verbOf(line); verb {
	case "PASS", "ACCT":
		return verb + " [secret]"
	}
	return line
}
