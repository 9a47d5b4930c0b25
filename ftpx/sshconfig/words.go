package sshconfig

import (
	"errors"
	"strings"
)

var errQuote = errors.New("a quotation mark is not closed")

// split takes a line apart as OpenSSH does: a keyword, blanks or one equals sign,
// and arguments with quotes, backslashes and a comment at the end (misc.c, strdelim
// and argv_split). An empty line has no keyword.
func split(line string) (keyword string, args []string, err error) {
	line = strings.Trim(line, " \t\r\n\f")
	if line == "" || line[0] == '#' {
		return "", nil, nil
	}
	rest := ""
	if line[0] == '"' { // strdelim takes a quoted keyword too
		end := strings.IndexByte(line[1:], '"')
		if end < 0 {
			return "", nil, errQuote
		}
		keyword, rest = line[1:1+end], line[end+2:]
	} else if i := strings.IndexAny(line, " \t\r\n="); i >= 0 {
		keyword, rest = line[:i], line[i:]
	} else {
		keyword = line
	}
	rest = strings.TrimLeft(rest, " \t\r\n")
	if strings.HasPrefix(rest, "=") {
		rest = strings.TrimLeft(rest[1:], " \t\r\n")
	}
	args, err = words(rest)
	return strings.ToLower(keyword), args, err
}

// words splits arguments.
func words(s string) ([]string, error) {
	var out []string
	for i := 0; i < len(s); {
		if s[i] == ' ' || s[i] == '\t' {
			i++
			continue
		}
		if s[i] == '#' {
			break
		}
		var b strings.Builder
		quote := byte(0)
		for ; i < len(s); i++ {
			c := s[i]
			switch {
			case c == '\\' && i+1 < len(s) && (s[i+1] == '\'' || s[i+1] == '"' || s[i+1] == '\\' || quote == 0 && s[i+1] == ' '):
				i++
				b.WriteByte(s[i])
				continue
			case quote == 0 && (c == ' ' || c == '\t'):
			case quote == 0 && (c == '"' || c == '\''):
				quote = c
				continue
			case quote != 0 && c == quote:
				quote = 0
				continue
			default:
				b.WriteByte(c)
				continue
			}
			break
		}
		if quote != 0 {
			return nil, errQuote
		}
		out = append(out, b.String())
	}
	return out, nil
}
