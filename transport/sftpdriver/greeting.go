package sftpdriver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// line is the socket as x/crypto/ssh sees it. It reads the server's version
// line first (RFC 4253 section 4.2), so that a peer that is not SSH is known
// for what it is: x/crypto would wait for a version line through up to 1024
// lines of anything, which an FTP server that greeted and now waits for a
// command turns into a timeout.
type line struct {
	*wire.Wire
	buf     []byte // read from the socket, not yet handed on
	greeted bool
	said    string // the first line that was not the version

	cause atomic.Pointer[error] // the first error of the socket
}

func (l *line) Read(p []byte) (int, error) {
	if !l.greeted {
		if err := l.greet(); err != nil {
			return 0, err
		}
		l.greeted = true
	}
	if len(l.buf) > 0 {
		n := copy(p, l.buf)
		l.buf = l.buf[n:]
		return n, nil
	}
	n, err := l.Wire.Read(p)
	if err != nil {
		l.note(err)
	}
	return n, err
}

func (l *line) Write(p []byte) (int, error) {
	n, err := l.Wire.Write(p)
	if err != nil {
		l.note(err)
	}
	return n, err
}

// note keeps an error of the socket, unless it is that we closed it.
func (l *line) note(err error) {
	if !errors.Is(err, net.ErrClosed) {
		l.cause.CompareAndSwap(nil, &err)
	}
}

// lost returns the error with which the socket ended; nil if it is well, or
// was closed by us.
func (l *line) lost() error {
	if err := l.cause.Load(); err != nil {
		return *err
	}
	return nil
}

// Limits of what may come before the version line. RFC 4253 bounds a line by
// 255 bytes and leaves their number open.
const (
	maxGreetingLine = 255
	maxGreeting     = 16 << 10
)

// greet reads up to the end of the version line, or returns why there is none.
func (l *line) greet() error {
	for done := 0; ; {
		for {
			i := bytes.IndexByte(l.buf[done:], '\n')
			if i < 0 {
				break
			}
			text := strings.TrimRight(string(l.buf[done:done+i]), "\r")
			if strings.HasPrefix(text, "SSH-") {
				return checkVersion(text)
			}
			if l.said == "" {
				l.said = text
			}
			if foreignGreeting(text) {
				return &greetingError{kind: transport.KindNotOffered, said: text}
			}
			if busyGreeting(text) {
				return &greetingError{kind: transport.KindBusy, said: text}
			}
			done += i + 1
		}
		if rest := l.buf[done:]; len(rest) > 0 && (rest[0] == 0xff || rest[0] < ' ' && rest[0] != '\r' && rest[0] != '\t') ||
			len(rest) > maxGreetingLine || len(l.buf) > maxGreeting {
			// A TLS record, a length prefix, a telnet command: no text at all.
			return &greetingError{kind: transport.KindNotOffered, said: string(rest[:min(len(rest), 32)])}
		}
		chunk := make([]byte, 4096)
		n, err := l.Wire.Read(chunk)
		l.buf = append(l.buf, chunk[:n]...)
		if err != nil && n == 0 {
			l.note(err)
			switch {
			case err == io.EOF && l.said != "":
				return &greetingError{kind: transport.KindNotOffered, said: l.said}
			case err == io.EOF && len(l.buf) > 0:
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
}

func checkVersion(text string) error {
	// 1.99 is a server that speaks 2.0 and 1.x (RFC 4253 section 5.1).
	if strings.HasPrefix(text, "SSH-2.0-") || strings.HasPrefix(text, "SSH-1.99-") {
		return nil
	}
	return &greetingError{kind: transport.KindNotOffered, said: text}
}

var replyLine = regexp.MustCompile(`^[1-5][0-9][0-9][ -]`)

// foreignGreeting recognises the first line of protocols that are known to sit
// on a wrongly given port. What it does not know may be a notice before the
// version line, which RFC 4253 allows.
func foreignGreeting(text string) bool {
	if replyLine.MatchString(text) { // FTP, SMTP, NNTP
		return true
	}
	for _, p := range []string{"HTTP/", "<", "{", "+OK", "-ERR", "* OK", "* BYE", "RFB ", "@RSYNCD:", "AMQP", "RTSP/"} {
		if strings.HasPrefix(text, p) {
			return true
		}
	}
	return false
}

// busyGreeting recognises what sshd says in place of a version when it drops a
// connection: "Exceeded MaxStartups", and since 9.8 "Not allowed at this time"
// for an address under a penalty (PerSourcePenalties).
func busyGreeting(text string) bool {
	t := strings.ToLower(text)
	return strings.Contains(t, "exceeded maxstartups") || strings.Contains(t, "not allowed at this time") ||
		transport.KindOfReply("", 500, text) == transport.KindBusy
}

// A greetingError says that the peer did not greet as an SSH 2.0 server does.
type greetingError struct {
	kind transport.Kind
	said string
}

func (e *greetingError) Error() string {
	said := transport.Printable(e.said)
	if e.kind == transport.KindBusy {
		return fmt.Sprintf("the server takes no more connections now: it said %q", said)
	}
	if strings.HasPrefix(said, "SSH-") {
		return fmt.Sprintf("the server speaks an SSH version other than 2.0: it said %q", said)
	}
	return fmt.Sprintf("the server does not speak SSH on this port: it said %q", said)
}

// notSSH makes of an error met before the version line what it means: text but
// no version within the time is a server of another kind.
func (l *line) notSSH(err error) error {
	var ge *greetingError
	if l.greeted || l.said == "" || errors.As(err, &ge) {
		return err
	}
	return &greetingError{kind: transport.KindNotOffered, said: l.said}
}
