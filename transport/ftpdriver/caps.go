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

// What a server turns out to lack is kept in [transport.Learned] under these
// words, and under the names in FEAT of commands that are announced and unknown.
const (
	lacksEPSV    = "a passive mode without addresses"
	lacksMLSD    = "listings for machines"
	lacksMLST    = "facts of one file"
	lacksSetTime = "a way to set times"
	lacksCWD     = "a CWD that enters folders alone"
)

// learn fills in what the server can do: what it says, less what this or an
// earlier connection has found it not to.
func (c *Conn) learn() {
	known := func(what string) bool { return c.ep.Learned.Lacks(c.addr, what) }
	c.feats = parseFeatures(c.ctl.feat)
	for name := range c.feats {
		if known(name) {
			delete(c.feats, name)
		}
	}
	c.lacking = lacking{known(lacksEPSV), known(lacksMLSD), known(lacksMLST), known(lacksSetTime), known(lacksCWD)}
	c.noted = c.lacking
	c.derive()
}

// lacking is what a connection goes without because the server was found not to
// do it. Only the owner's calls use it.
type lacking struct{ noEPSV, noMLSD, noMLST, noSetTime, noCWD bool }

// remember passes what an operation has found out on to later connections. Where
// the way round does not work either, they had better look for themselves.
func (c *Conn) remember() {
	if last := c.ctl.last; last.verb == "PASV" && last.code >= 400 {
		c.noEPSV = false
	}
	if c.lacking == c.noted {
		return
	}
	c.noted = c.lacking
	l := c.ep.Learned
	l.Note(c.addr, lacksEPSV, c.noEPSV)
	l.Note(c.addr, lacksMLSD, c.noMLSD)
	l.Note(c.addr, lacksMLST, c.noMLST)
	l.Note(c.addr, lacksSetTime, c.noSetTime)
	l.Note(c.addr, lacksCWD, c.noCWD)
}

// unknown reports whether a reply says that the server does not know the command.
func unknown(r reply) bool { return r.code == 500 || r.code == 502 }

// never takes back the announcement of commands, for this and later connections.
func (c *Conn) never(verbs ...string) {
	for _, verb := range verbs {
		if c.feats.has(verb) {
			delete(c.feats, verb)
			c.ep.Learned.Note(c.addr, verb, true)
		}
	}
	c.derive()
}

// withoutHash is never for all hashes, if a reply to one says that it is unknown:
// a server that announces what it does not have would else be asked for one after
// the other.
func (c *Conn) withoutHash(r reply) {
	if !unknown(r) {
		return
	}
	c.never("HASH")
	for _, a := range algorithms {
		c.never(a.commands...)
	}
}

// derive makes what is told about the server of what is known.
func (c *Conn) derive() {
	hashes, ranges := c.feats.hashes()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.caps = transport.Caps{
		// vsftpd, ProFTPD, Pure-FTPd and ftpserverlib replace; where a server
		// does not, RNTO says so and the caller remembers.
		ReplaceOnRename: true,
		// MDTM in its form with two arguments is vsftpd's way, tried if there
		// is no MFMT.
		SetTime:    !c.noSetTime && (c.feats.has("MFMT") || c.feats.has("MDTM")),
		ExactTimes: c.feats.has("MLST") || c.feats.has("MDTM"),
		Hashes:     hashes,
		HashRanges: ranges,
	}
}
