package doctor

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// reply is a reply of an FTP server (RFC 959 section 4.2). The zero reply is none.
type reply struct {
	code int
	text string // its lines, without the codes, joined by LF
}

func (r reply) positive() bool { return r.code >= 100 && r.code < 400 }

// unknown reports whether the server does not know the command, or may not carry it out.
func (r reply) unknown() bool { return r.code == 500 || r.code == 502 }

// line is the code with the text's first line.
func (r reply) line() string {
	first, _, _ := strings.Cut(r.text, "\n")
	return fmt.Sprintf("%d %s", r.code, first)
}

// Bounds of what a server may say in one reply.
const (
	longestLine  = 4 << 10
	longestReply = 64 << 10
)

var errNotFTP = errors.New("what came is no reply of FTP")

// control is a control connection on which each command waits for its answer. The drivers
// send several at once; here what each of them does is what is to be found out.
type control struct {
	ctx  context.Context
	conn net.Conn
	br   *bufio.Reader
	wait time.Duration
	ends func() bool // lets go of the context
	seen string      // what came when it was no reply
}

func newControl(ctx context.Context, conn net.Conn, wait time.Duration) *control {
	c := &control{ctx: ctx, conn: conn, br: bufio.NewReaderSize(conn, longestLine), wait: wait}
	c.ends = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return c
}

// close says goodbye and does not wait for the answer.
func (c *control) close() {
	_ = c.conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	_, _ = io.WriteString(c.conn, "QUIT\r\n")
	c.abort()
}

func (c *control) abort() {
	c.ends()
	_ = c.conn.Close()
}

// deadline sets the deadline of what follows.
func (c *control) deadline(d time.Duration) {
	_ = c.conn.SetDeadline(time.Now().Add(d))
	if c.ctx.Err() != nil {
		_ = c.conn.SetDeadline(time.Unix(1, 0)) // it ended before that
	}
}

// over puts TLS on the connection.
func (c *control) over(conn *tls.Conn) {
	c.conn, c.br = conn, bufio.NewReaderSize(conn, longestLine)
}

// command sends a line and reads the reply to it.
func (c *control) command(line string) (reply, error) { return c.within(c.wait, line) }

func (c *control) within(d time.Duration, line string) (reply, error) {
	c.deadline(d)
	if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
		return reply{}, err
	}
	return c.read()
}

// next reads the reply that is due.
func (c *control) next(d time.Duration) (reply, error) {
	c.deadline(d)
	return c.read()
}

func (c *control) read() (reply, error) {
	line, err := c.line()
	if err != nil {
		return reply{}, err
	}
	code, rest, more, ok := parseLine(line)
	if !ok {
		c.seen = line
		return reply{}, errNotFTP
	}
	text := rest
	for more {
		if line, err = c.line(); err != nil {
			return reply{}, err
		}
		if n, last, on, ok := parseLine(line); ok && n == code && !on {
			return reply{code, text + "\n" + last}, nil
		}
		if len(text) > longestReply {
			return reply{}, errNotFTP
		}
		text += "\n" + strings.TrimPrefix(line, " ")
	}
	return reply{code, text}, nil
}

func (c *control) line() (string, error) {
	line, err := c.br.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", errNotFTP
	case err != nil && len(line) > 0 && err == io.EOF:
		c.seen = string(line)
		return "", io.ErrUnexpectedEOF
	case err != nil:
		return "", err
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// parseLine reads "220 text", or "220-text" of which more lines follow.
func parseLine(line string) (code int, rest string, more, ok bool) {
	if len(line) < 3 || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
		return 0, "", false, false
	}
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return 0, "", false, false
		}
		code = code*10 + int(c-'0')
	}
	if code < 100 || code > 659 {
		return 0, "", false, false
	}
	if len(line) == 3 {
		return code, "", false, true
	}
	return code, line[4:], line[3] == '-', true
}

// stopped makes a stop of an error, or of a reply that is the reason.
func (s *seen) stopAt(at step, what string, err error, r reply) {
	if s.stop != nil {
		return
	}
	st := &stop{at: at, what: what, err: err, code: r.code, text: r.text}
	switch {
	case err != nil:
		st.kind = transport.KindOf(err)
		if timedOut(err) {
			st.kind = transport.KindTimeout
		}
	default:
		st.kind = transport.KindOfReply("", r.code, r.text)
	}
	s.stop = st
}
