package cli

import (
	"fmt"
	"path"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Cut is what an interruption has cut off: it is told of in one line at the end, and not
// as so many failures, whose words would be those of connections that were closed.
type Cut struct {
	// N is how many files were under way, Piped that one of them cannot be read again.
	N     int
	Piped bool

	moved int64             // bytes, of all
	last  ftpx.ProgressInfo // of the last of them
}

// IsCut reports whether an error is that of a transfer that was cut off.
func IsCut(err error) bool { return ftpx.KindOf(err) == transport.KindCanceled }

// Add counts one, with its last progress.
func (c *Cut) Add(at ftpx.ProgressInfo) {
	c.N++
	c.moved += at.Offset
	c.last = at
}

// Words says what was cut off and how far it came, "" for nothing.
func (c *Cut) Words() string {
	switch {
	case c.N == 0:
		return ""
	case c.moved == 0:
		return fmt.Sprintf("%d cut off", c.N)
	case c.N == 1 && c.last.Size > 0:
		return fmt.Sprintf("1 cut off (%q at %s of %s)", transport.Printable(path.Base(c.last.Remote)), Bytes(c.moved), Bytes(c.last.Size))
	}
	return fmt.Sprintf("%d cut off (at %s in all)", c.N, Bytes(c.moved))
}

// GoesOn is how what was interrupted is gone on with.
const GoesOn = ": what has arrived is kept, and the same command goes on from there"
