package ftpdriver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A server that sends lines without end, or a reply without end, must not
// exhaust memory. Real replies are far below this; the longest is FEAT.
const (
	maxLine  = 4 << 10
	maxReply = 64 << 10
)

// reply is one whole FTP reply (RFC 959 section 4.2), however many lines it has.
type reply struct {
	verb string // the command that it answers, "" for a greeting
	code int
	// text is the lines joined by "\n", without the code where it is repeated. It is for
	// what is to be read from it; people and programs get what shown returns.
	text   string
	secret transport.Secret // what shown hides
}

// shown is the text without the password, which some servers repeat.
func (r reply) shown() string { return hide(r.text, r.secret) }

// hide replaces a secret. One of a letter or two would be found in every word.
func hide(text string, secret transport.Secret) string {
	if s := secret.Reveal(); len(s) > 2 {
		return strings.ReplaceAll(text, s, secret.String())
	}
	return text
}

// preliminary reports whether another reply follows.
func (r reply) preliminary() bool { return r.code/100 == 1 }

// positive reports whether the command was carried out.
func (r reply) positive() bool { return r.code/100 == 2 }

// err returns the reply as the error that it is.
func (r reply) err() error { return &textproto.Error{Code: r.code, Msg: r.shown()} }

// last returns the last line of the text.
func (r reply) last() string { return r.text[strings.LastIndexByte(r.text, '\n')+1:] }

// wire returns the reply in the form in which the library reads it, with another
// code: it compares with one number where RFC 959 allows any 2xx.
func (r reply) wire(code int) []byte {
	lines := strings.Split(r.shown(), "\n")
	var b strings.Builder
	for i, line := range lines {
		// The code on every line, so that none is taken for the last.
		sep := '-'
		if i == len(lines)-1 {
			sep = ' '
		}
		fmt.Fprintf(&b, "%03d%c%s\r\n", code, sep, line)
	}
	return []byte(b.String())
}

// notReply is a line that is no FTP reply.
type notReply struct{ line string }

func (e *notReply) Error() string {
	return fmt.Sprintf("the server sent %q, which is no FTP reply", shorten(e.line))
}

var (
	errLongLine  = errors.New("the server sent a line longer than 4 KiB, which no FTP reply has")
	errLongReply = errors.New("the server sent a reply longer than 64 KiB")
)

func shorten(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}

// informs reports whether the lines of a reply to verb are for programs, so that none but
// the last begins with a code and a space. Those for people may begin with any number.
func informs(verb string) bool { return verb == "FEAT" || verb == "MLST" }

// readReplyTo reads one reply to verb. It ends where the code of its first line comes
// again with a space, or, where that cannot be anything else, another of its kind: a few
// servers begin FEAT with 221 and end it with 211.
func readReplyTo(br *bufio.Reader, verb string) (reply, error) {
	line, err := readLine(br)
	if err != nil {
		return reply{}, err
	}
	code, more, text, ok := splitLine(line)
	if !ok {
		return reply{}, &notReply{line}
	}
	if !more {
		return reply{code: code, text: text}, nil
	}
	var b strings.Builder
	b.WriteString(text)
	for size := len(line); ; {
		if line, err = readLine(br); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return reply{}, err
		}
		if size += len(line) + 2; size > maxReply {
			return reply{}, errLongReply
		}
		again, more, rest, ok := splitLine(line)
		b.WriteByte('\n')
		ends := ok && !more && (again == code || again/100 == code/100 && informs(verb))
		if !ok || again != code && !ends {
			b.WriteString(line)
			continue
		}
		b.WriteString(rest)
		if ends {
			return reply{code: again, text: b.String()}, nil
		}
	}
}

// splitLine takes "220-text" or "220 text" apart; a bare "220" is one too.
func splitLine(line string) (code int, more bool, text string, ok bool) {
	if len(line) < 3 {
		return 0, false, "", false
	}
	for _, c := range []byte(line[:3]) {
		if c < '0' || c > '9' {
			return 0, false, "", false
		}
		code = code*10 + int(c-'0')
	}
	// RFC 959 section 4.2.1 knows 1 to 5, RFC 2228 section 3 adds 6.
	if code < 100 || code > 699 {
		return 0, false, "", false
	}
	if len(line) == 3 {
		return code, false, "", true
	}
	if line[3] != ' ' && line[3] != '-' {
		return 0, false, "", false
	}
	return code, line[3] == '-', line[4:], true
}

func readLine(br *bufio.Reader) (string, error) {
	b, err := br.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", errLongLine
	case err == io.EOF && len(b) > 0:
		return "", io.ErrUnexpectedEOF
	case err != nil:
		return "", err
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// kind names the kind of a reply that is not what was hoped for.
func (r reply) kind() transport.Kind { return transport.KindOfReply(r.verb, r.code, r.text) }
