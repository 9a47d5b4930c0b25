package ftpxslog

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// longest is the most bytes of a text from outside that are logged.
const longest = 2048

// none is an attribute that write leaves out.
var none slog.Attr

// clean makes a text from outside fit for a line of a log: what is no graphic character
// is escaped as in Go, since not every handler does, and what is long is cut.
func clean(s string) string {
	cut := len(s) > longest
	if cut {
		s = s[:longest]
		for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
		s = s[:len(s)-1] // the first byte of a rune that may be cut
	}
	if !plain(s) {
		s = strconv.QuoteToGraphic(s)
		s = s[1 : len(s)-1]
	}
	if cut {
		s += "... (cut)"
	}
	return s
}

func plain(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsGraphic(r) {
			return false
		}
	}
	return true
}

// server is the group of a host and what is spoken with it.
func server(host string, p ftpx.Protocol, addr string) slog.Attr {
	var in []any
	if host != "" {
		in = append(in, slog.String("host", clean(host)))
	}
	if p.Valid() {
		in = append(in, slog.String("protocol", p.String()))
	}
	if addr != "" {
		in = append(in, slog.String("addr", clean(addr)))
	}
	if in == nil {
		return none
	}
	return slog.Group("server", in...)
}

// file is the group of an operation's names.
func (l *log) file(local, remote string) slog.Attr {
	if l.omitPaths || local == "" && remote == "" {
		return none
	}
	var in []any
	if local != "" {
		in = append(in, slog.String("local", clean(local)))
	}
	if remote != "" {
		in = append(in, slog.String("remote", clean(remote)))
	}
	return slog.Group("file", in...)
}

// id is an attribute for a number, none for 0.
func id(key string, n uint64) slog.Attr {
	if n == 0 {
		return none
	}
	return slog.Uint64(key, n)
}

// conn is the group of a connection by its number.
func connection(n uint64, more ...any) slog.Attr {
	if n == 0 {
		return none
	}
	return slog.Group("conn", append([]any{slog.Uint64("id", n)}, more...)...)
}

// failure is an error's text and kind.
func (l *log) failure(err error) (text, kind slog.Attr) {
	if err == nil {
		return none, none
	}
	kind = slog.String("error.kind", transport.KindOf(err).String())
	if l.omitPaths {
		return none, kind
	}
	return slog.String("error", clean(err.Error())), kind
}

// verb is the first word of a command line, which names no file.
func verb(line string) string {
	word, _, _ := strings.Cut(line, " ")
	return word
}

func canceled(err error) bool {
	return transport.KindOf(err) == transport.KindCanceled || errors.Is(err, ftpx.ErrClosed)
}
