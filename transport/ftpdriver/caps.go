package ftpdriver

import (
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// features is what FEAT listed (RFC 2389): capital names and their parameters.
type features map[string]string

// parseFeatures reads the reply to FEAT. Lines should begin with a space; those
// of servers that forget it are taken too. The first and the last are prose.
func parseFeatures(r reply) features {
	f := features{}
	if !r.positive() {
		return f
	}
	lines := strings.Split(r.text, "\n")
	if len(lines) < 3 {
		return f
	}
	for _, line := range lines[1 : len(lines)-1] {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "" {
			f[strings.ToUpper(name)] = strings.TrimSpace(rest)
		}
	}
	return f
}

func (f features) has(name string) bool { _, ok := f[name]; return ok }

// unknown reports whether a reply says that the server does not know the command.
func unknown(r reply) bool { return r.code == 500 || r.code == 502 }

// derive makes what is told about the server of what is known.
func (c *Conn) derive() {
	hashes, ranges := c.feats.hashes()
	overlap := 1
	if c.overlaps() {
		overlap = 2 // the end of one batch and the beginning of the next leave together
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.caps = transport.Caps{
		// vsftpd, ProFTPD, Pure-FTPd and ftpserverlib replace; where a server
		// does not, RNTO says so and the caller remembers.
		ReplaceOnRename: true,
		// MDTM in its form with two arguments is vsftpd's way, tried if there
		// is no MFMT.
		SetTime:    c.canSetTime(),
		ExactTimes: c.feats.has("MLST") || c.feats.has("MDTM"),
		Hashes:     hashes,
		HashRanges: ranges,
		Overlap:    overlap,
		InTurn:     overlap > 1,
	}
}

func (c *Conn) canSetTime() bool {
	return !c.noSetTime && (c.feats.has("MFMT") || c.feats.has("MDTM"))
}
