package cli

import (
	"fmt"
	"strings"
)

// EscapeControl escapes in JSON what encoding/json does not: DEL, the control
// characters of Latin-1 and those that turn the writing round, all of which a name
// may hold and a terminal may obey.
func EscapeControl(s string) string {
	if strings.IndexFunc(s, controls) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if controls(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func controls(r rune) bool {
	return r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// ClearLine is what goes before a line on a terminal where a bar, or the "^C" that it
// shows, may stand.
func ClearLine(env Env) string {
	if env.Terminal {
		return "\r\x1b[K"
	}
	return ""
}

func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Bytes writes a number of bytes in binary units; a negative one is unknown.
func Bytes(n int64) string {
	switch {
	case n < 0:
		return "size unknown"
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	}
	v, units := float64(n)/(1<<10), "KMGTPE"
	for v >= 1<<10 && len(units) > 1 {
		v /= 1 << 10
		units = units[1:]
	}
	return fmt.Sprintf("%.1f %ciB", v, units[0])
}
