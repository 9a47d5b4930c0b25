package charset

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
)

// Check refuses a character set in which no FTP or SFTP server can hold names:
// commands, "/" and digits are ASCII, so ASCII must stay what it is (EBCDIC and
// UTF-16 change it), and no other character may be written with bytes that are
// control characters or "/" (ISO-2022-JP, HZ). It is nil for nil.
func Check(set encoding.Encoding) error {
	if set == nil {
		return nil
	}
	enc, dec := set.NewEncoder(), set.NewDecoder()
	for b := byte(' '); b < 0x7f; b++ {
		there, err := enc.String(string(rune(b)))
		back, berr := dec.String(string([]byte{b}))
		if err != nil || berr != nil || there != string(rune(b)) || back != there {
			return fmt.Errorf("%s does not write %q as ASCII does, which no server with such names could be told: use the character set that the server's names are in, such as charmap.Windows1252 or simplifiedchinese.GBK", nameOf(set), b)
		}
	}
	for _, r := range "é€Жאصก日あｱ가" {
		raw, err := enc.String(string(r))
		if err == nil && strings.ContainsFunc(raw, func(c rune) bool { return c < ' ' || c == '/' || c == 0x7f }) {
			return fmt.Errorf("%s writes %q with control characters or separators, which no server takes in a name: use a character set without escapes, such as japanese.ShiftJIS or japanese.EUCJP", nameOf(set), r)
		}
	}
	return nil
}

// nameOf is what a character set calls itself.
func nameOf(set encoding.Encoding) string {
	if s, ok := set.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", set)
}

// unusable begins what stands for a name that no string can mean, see decode. No
// operation takes it: a name with NUL is refused before anything is sent.
const unusable = "\x00"

// names converts names. It is for one goroutine.
type names struct {
	set encoding.Encoding
	enc *encoding.Encoder
	dec *encoding.Decoder
}

func newNames(set encoding.Encoding) *names {
	return &names{set: set, enc: set.NewEncoder(), dec: set.NewDecoder()}
}

// decode makes a string of a name's bytes. A byte that is part of no character
// stays that byte, which is not UTF-8, so that encode gives the very same name
// back. A name of which even that is not true is [unusable]: it can be told of,
// and cannot be mistaken for another.
func (n *names) decode(raw string) string {
	if ascii(raw) {
		return raw
	}
	if s, err := n.dec.String(raw); err == nil && utf8.ValidString(s) && n.is(s, raw) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(raw); {
		s, size := n.char(raw[i:])
		b.WriteString(s)
		i += size
	}
	if s := b.String(); n.is(s, raw) {
		return s
	}
	return unusable + raw
}

// char decodes the character at the beginning of raw, or passes on its first byte.
func (n *names) char(raw string) (s string, size int) {
	if raw[0] < utf8.RuneSelf {
		return raw[:1], 1
	}
	for size := 1; size <= min(4, len(raw)); size++ { // 4 in GB 18030
		s, err := n.dec.String(raw[:size])
		if err == nil && utf8.ValidString(s) && utf8.RuneCountInString(s) == 1 && n.is(s, raw[:size]) {
			return s, size
		}
	}
	return raw[:1], 1
}

// is reports whether s is written as raw.
func (n *names) is(s, raw string) bool {
	there, err := n.bytes(s)
	return err == nil && there == raw
}

var errTwoNames = errors.New("it would be written like another name")

// encode writes a path in the character set. What comes back decodes to the very
// same path: a path that does not, or holds what the set does not have, is an
// error, because two files could else be taken for one.
func (n *names) encode(path string) (string, error) {
	if ascii(path) {
		return path, nil
	}
	raw, err := n.bytes(path)
	if err == nil && n.decode(raw) != path {
		err = errTwoNames
	}
	if err != nil {
		return "", err
	}
	return raw, nil
}

// bytes encodes, and passes on what is not UTF-8.
func (n *names) bytes(s string) (string, error) {
	if utf8.ValidString(s) {
		if raw, err := n.enc.String(s); err == nil {
			return raw, nil
		}
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		raw, err := s[i:i+size], error(nil)
		if r != utf8.RuneError || size > 1 {
			if raw, err = n.enc.String(raw); err != nil {
				return "", fmt.Errorf("it has no %q", r)
			}
		}
		b.WriteString(raw)
		i += size
	}
	return b.String(), nil
}

// text decodes what is only to be read, such as a reply.
func (n *names) text(s string) string {
	if utf8.ValidString(s) {
		return s // ASCII, or words of our own
	}
	if d, err := n.dec.String(s); err == nil {
		return d
	}
	return s
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
