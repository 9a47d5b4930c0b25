//go:build linux

package realserver

import (
	"bytes"
	"fmt"
)

// A config is a configuration file in the making.
type config struct{ text bytes.Buffer }

// line adds one line.
func (c *config) line(format string, args ...any) {
	fmt.Fprintf(&c.text, format+"\n", args...)
}

// lines adds lines that must stay as they are.
func (c *config) lines(verbatim []string) {
	for _, l := range verbatim {
		c.line("%s", l)
	}
}

// bytes returns the file.
func (c *config) bytes() []byte { return c.text.Bytes() }

// yes writes a switch as vsftpd does.
func yes(b bool) string {
	if b {
		return "YES"
	}
	return "NO"
}

// on writes a switch as ProFTPD does.
func on(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// or returns n, or the default when n is zero.
func or(n, byDefault int) int {
	if n == 0 {
		return byDefault
	}
	return n
}

// plenty is the limit where none was asked for: more than any test opens.
const plenty = 1000
