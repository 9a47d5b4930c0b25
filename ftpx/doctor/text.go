package doctor

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// mostSaid is how many bytes of what a server says are shown.
const mostSaid = 200

// hidden takes secrets out of texts: a server may repeat what it was sent.
type hidden []string

func newHidden(secrets ...string) hidden {
	var h hidden
	for _, s := range secrets {
		if len(s) > 0 {
			h = append(h, s)
		}
	}
	return h
}

// shortSecret is a secret of which words are full by chance.
const shortSecret = 4

// clean takes the secrets out; short ones where they stand alone: in the middle of a word
// one is part of it, and what is left of the word would tell it.
func (h hidden) clean(text string) string {
	for _, s := range h {
		var b strings.Builder
		for {
			before, after, found := strings.Cut(text, s)
			b.WriteString(before)
			if !found {
				break
			}
			prev, _ := utf8.DecodeLastRuneInString(b.String())
			first, _ := utf8.DecodeRuneInString(s)
			last, _ := utf8.DecodeLastRuneInString(s)
			next, _ := utf8.DecodeRuneInString(after)
			if len(s) < shortSecret && (sameWord(prev, first) || sameWord(last, next)) {
				b.WriteString(s)
			} else {
				b.WriteString("[secret]")
			}
			text = after
		}
		text = b.String()
	}
	return text
}

// sameWord reports whether no word ends between two characters.
func sameWord(a, b rune) bool { return inWord(a) && inWord(b) }

func inWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// said quotes what a server said, secrets taken out, cut to 200 bytes.
func (h hidden) said(text string) string {
	// Secrets first: a cut through one would show its beginning.
	text = transport.Printable(strings.TrimRight(h.clean(text), "\r\n"))
	if len(text) > mostSaid {
		cut := mostSaid
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "..."
	}
	return strconv.Quote(text)
}

// failed describes an error in one line, cut: drivers quote servers in theirs. Address and
// path are left out, which the report says elsewhere.
func (h hidden) failed(err error) string {
	text := err.Error()
	var te *transport.Error
	if errors.As(err, &te) && te.Err != nil {
		switch text = te.Err.Error(); te.Kind {
		case transport.KindHostKey, transport.KindNotOffered, transport.KindAuth, transport.KindInsecure:
		default:
			text = te.Kind.String() + ": " + text
			if te.Op != "" {
				text = te.Op + ": " + text
			}
		}
	}
	text = transport.Printable(h.clean(text))
	if len(text) > 2*mostSaid {
		cut := 2 * mostSaid
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "..."
	}
	return text
}

// took writes a duration as a person reads it.
func took(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d >= time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

// bytesText writes a number of bytes.
func bytesText(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
