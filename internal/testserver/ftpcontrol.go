package testserver

import (
	"bufio"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync"
	"time"
)

// controlConn is the control connection that ftpserverlib is given. It stands
// between the client and the library and does what the library cannot: refuse a
// command, change a reply, require encryption the way vsftpd does. For that it
// has to see plain text, so AUTH TLS ends here and the library never learns of it.
//
// The library reads from one goroutine and writes from up to two.
type controlConn struct {
	server *FTPServer
	raw    net.Conn

	// Used by the reading goroutine alone.
	reader  *bufio.Reader
	pending []byte // read from the client and not yet by the library
	private bool   // the control connection is encrypted
	protect bool   // PROT P was received

	mu   sync.Mutex // guards conn, verb, and whole writes
	conn net.Conn   // raw, or TLS over it
	verb string     // of the command last received
}

// maxLine is longer than the 4096 bytes that the library takes for a line: it
// must see the excess in order to refuse it.
const maxLine = 8192

func newControlConn(s *FTPServer, raw net.Conn) *controlConn {
	c := &controlConn{server: s, raw: raw, conn: raw}
	if s.opts.TLS == ImplicitTLS {
		c.conn = tls.Server(raw, s.controlTLS)
		c.private = true
	}
	c.reader = bufio.NewReaderSize(c.conn, maxLine)
	return c
}

// Read returns command lines that are meant for the library.
func (c *controlConn) Read(p []byte) (int, error) {
	for len(c.pending) == 0 {
		line, err := c.reader.ReadSlice('\n')
		if err == nil {
			var handled bool
			if handled, err = c.handle(string(line)); err != nil {
				return 0, err
			}
			if handled {
				continue
			}
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			// The beginning of a line that a lost connection has cut is no command: the
			// library would carry it out, and rename to the first half of a name.
			return 0, err
		}
		// Without a line end it is too long, which is the library's to judge.
		c.pending = append(c.pending[:0], line...)
	}
	n := copy(p, c.pending)
	c.pending = c.pending[n:]
	return n, nil
}

// handle reports whether the command in line has been dealt with.
func (c *controlConn) handle(line string) (bool, error) {
	verb, argument, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	verb = strings.ToUpper(verb)
	c.mu.Lock()
	c.verb = verb
	c.mu.Unlock()
	c.server.counts.command(verb)

	if hook := c.server.opts.OnCommand; hook != nil {
		if reply := hook(verb, argument); reply != "" {
			return true, c.reply(reply)
		}
	}
	if c.server.disabled[verb] {
		return true, c.reply("500 " + verb + " not understood")
	}
	if reply := c.refuse(verb); reply != "" {
		return true, c.reply(reply)
	}
	switch verb {
	case "AUTH":
		return true, c.auth(argument)
	case "PROT":
		c.protect = strings.EqualFold(argument, "P")
	}
	return false, nil
}

// refuse returns the reply of a server that offers no TLS or insists on it, in
// vsftpd's and ProFTPD's words, or "".
func (c *controlConn) refuse(verb string) string {
	switch c.server.opts.TLS {
	case NoTLS:
		switch verb {
		case "AUTH", "PBSZ", "PROT":
			return "500 " + verb + " not understood"
		}
	case RequiredTLS:
		switch verb {
		case "USER", "PASS":
			if !c.private {
				return "530 Non-anonymous sessions must use encryption."
			}
		case "RETR", "STOR", "APPE", "LIST", "NLST", "MLSD":
			if !c.protect {
				return "522 Data connections must be encrypted."
			}
		}
	}
	return ""
}

// auth answers AUTH and, for TLS, shakes hands. What the client sent behind
// AUTH is in the old reader and goes with it: it was not protected.
func (c *controlConn) auth(mechanism string) error {
	switch {
	case c.private:
		return c.reply("503 Already using TLS")
	case !strings.EqualFold(mechanism, "TLS") && !strings.EqualFold(mechanism, "SSL"):
		return c.reply("504 Unknown AUTH type")
	}
	if err := c.reply("234 Proceed with negotiation."); err != nil {
		return err
	}
	conn := tls.Server(c.raw, c.server.controlTLS)
	if err := conn.Handshake(); err != nil {
		return err
	}
	c.mu.Lock()
	c.conn = conn
	c.mu.Unlock()
	c.reader = bufio.NewReaderSize(conn, maxLine)
	c.private = true
	return nil
}

// Write takes reply lines from the library, which flushes after each one.
func (c *controlConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.rewrite(string(p))
	if out == "" {
		return len(p), nil
	}
	if _, err := c.conn.Write([]byte(out)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// reply sends one line of this package's own.
func (c *controlConn) reply(line string) error {
	_, err := c.Write([]byte(line + "\r\n"))
	return err
}

// rewrite passes the lines of a write through the FEAT filter and the caller's
// hook. It is called with mu held.
func (c *controlConn) rewrite(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if c.verb == "FEAT" {
			line = c.server.feature(line)
		}
		if hook := c.server.opts.OnReply; hook != nil && line != "" {
			if line = hook(c.verb, strings.TrimRight(line, "\r\n")); line != "" {
				line += "\r\n"
			}
		}
		out.WriteString(line)
	}
	return out.String()
}

// feature corrects a line of the FEAT reply: disabled commands disappear, and
// the list of hashes gets the keyword that the library forgets.
func (s *FTPServer) feature(line string) string {
	name, isFeature := strings.CutPrefix(line, " ")
	if !isFeature {
		return line
	}
	if strings.Contains(name, "SHA-256") {
		name = "HASH " + name
	}
	if verb, _, _ := strings.Cut(strings.TrimSpace(name), " "); s.disabled[verb] {
		return ""
	}
	return " " + name
}

// Close is called by the library at the end of a session.
func (c *controlConn) Close() error {
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	err := conn.Close()
	c.server.tracker.remove(c)
	return err
}

// LocalAddr is part of net.Conn.
func (c *controlConn) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// RemoteAddr is part of net.Conn.
func (c *controlConn) RemoteAddr() net.Addr { return c.raw.RemoteAddr() }

// SetDeadline is part of net.Conn. Deadlines belong to the socket, under TLS too.
func (c *controlConn) SetDeadline(t time.Time) error { return c.raw.SetDeadline(t) }

// SetReadDeadline is part of net.Conn.
func (c *controlConn) SetReadDeadline(t time.Time) error { return c.raw.SetReadDeadline(t) }

// SetWriteDeadline is part of net.Conn.
func (c *controlConn) SetWriteDeadline(t time.Time) error { return c.raw.SetWriteDeadline(t) }
