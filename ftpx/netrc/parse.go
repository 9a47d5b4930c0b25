package netrc

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Parse reads the text of a file. Errors name the line, and never a word that may
// be a password.
func Parse(text string) (*File, error) {
	f := &File{}
	s := &scanner{text: text, line: 1}
	var entry *Entry
	for {
		word, quoted, err := s.word()
		if err != nil {
			return nil, err
		}
		if word == "" && !quoted {
			return f, nil
		}
		line := s.line
		keyword := strings.ToLower(word)
		switch keyword {
		case "default":
			f.Entries = append(f.Entries, Entry{})
			entry = &f.Entries[len(f.Entries)-1]
			continue
		case "macdef":
			if name, _, err := s.word(); err != nil || name == "" {
				return nil, errors.Join(err, fmt.Errorf("line %d: macdef without a name", line))
			}
			s.skipMacro()
			continue
		case "machine", "login", "password", "account":
		default:
			f.unexpected(line, entry)
			continue
		}
		value, quoted, err := s.word()
		if err != nil {
			return nil, err
		}
		if value == "" && !quoted {
			return nil, fmt.Errorf("line %d: %s is the last word: its value is missing", line, keyword)
		}
		if keyword == "machine" {
			if value == "" {
				return nil, fmt.Errorf("line %d: machine has an empty name", line)
			}
			f.Entries = append(f.Entries, Entry{Machine: value})
			entry = &f.Entries[len(f.Entries)-1]
			continue
		}
		if entry == nil {
			f.unexpected(line, entry)
			continue
		}
		switch keyword {
		case "login":
			entry.Login = value
		case "password":
			entry.Password = transport.Secret(value)
		case "account":
			entry.Account = transport.Secret(value)
		}
	}
}

// mostIgnored bounds what is told of a file that is none.
const mostIgnored = 20

// stray notes a word out of place without showing it: it is most likely the rest of a
// password with a blank in it.
func (f *File) unexpected(line int, entry *Entry) {
	if len(f.Ignored) == mostIgnored {
		return
	}
	where := "before any machine"
	if entry != nil && entry.Machine != "" {
		where = fmt.Sprintf("after machine %q", entry.Machine)
	} else if entry != nil {
		where = "after default"
	}
	f.Ignored = append(f.Ignored, fmt.Sprintf("line %d: a word %s is none of machine, default, login, password, account and macdef: put a value with blanks in double quotes", line, where))
}

// scanner splits the text into words.
type scanner struct {
	text string
	pos  int
	line int // of the last word's end
}

func blank(c byte) bool { return c <= ' ' }

// word returns the next word, or "" and false at the end.
func (s *scanner) word() (word string, quoted bool, err error) {
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		switch {
		case blank(c):
			s.next()
			continue
		case c == '#' && s.startsLine():
			for s.pos < len(s.text) && s.text[s.pos] != '\n' {
				s.pos++
			}
			continue
		case c == '"':
			word, err = s.quotedWord()
			return word, true, err
		}
		from := s.pos
		for s.pos < len(s.text) && !blank(s.text[s.pos]) {
			s.pos++
		}
		return s.text[from:s.pos], false, nil
	}
	return "", false, nil
}

// next passes one byte and counts lines.
func (s *scanner) next() {
	if s.text[s.pos] == '\n' {
		s.line++
	}
	s.pos++
}

// startsLine reports whether only blanks lie before here on the line. Elsewhere
// a # is a part of a word: passwords begin with it.
func (s *scanner) startsLine() bool {
	line := s.text[:s.pos]
	return strings.Trim(line[strings.LastIndexByte(line, '\n')+1:], " \t\r") == ""
}

func (s *scanner) quotedWord() (string, error) {
	begin := s.line
	var b strings.Builder
	s.pos++
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		switch {
		case c == '"':
			s.pos++
			return b.String(), nil
		case c == '\n':
			return "", fmt.Errorf("line %d: a quoted word does not end on its line: close it with \"", begin)
		case c == '\\' && s.pos+1 < len(s.text):
			s.pos++
			switch c = s.text[s.pos]; c {
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			}
		}
		b.WriteByte(c)
		s.pos++
	}
	return "", fmt.Errorf("line %d: a quoted word does not end: close it with \"", begin)
}

// skipMacro passes the commands of a macro, up to an empty line.
func (s *scanner) skipMacro() {
	empty := false // the line so far; the name's own is not
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		s.next()
		switch {
		case c == '\n' && empty:
			return
		case c == '\n':
			empty = true
		case c != '\r':
			empty = false
		}
	}
}
