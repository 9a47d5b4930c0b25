package ftpdriver

import (
	"crypto/sha256"
	"encoding/hex"
)

// What a server turns out to be like is kept in [transport.Learned] under these words,
// and under the names in FEAT of commands that are announced and unknown.
const (
	lacksEPSV = "a passive mode without addresses"
	// A port of EPSV's could not be reached, and none had been before.
	lacksEPSVPort = "a port of the passive mode without addresses that can be reached"
	// One could: it was not EPSV's fault where a later one cannot.
	reachedEPSV = "reached a port of the passive mode without addresses"
	lacksMLSD   = "listings for machines"
	lacksMLST   = "facts of one file"
	// MLST has described a file.
	describesFiles = "described a file"
	lacksPaths     = "transfers of a path"
	// A transfer was granted for a path.
	takesPaths   = "took a path"
	lacksSetTime = "a way to set times"
	lacksCWD     = "a CWD that enters folders only"
	// A few servers throw away what comes with a line.
	lacksPipelining = "several commands in one write"
	// The connection was reset when they had been sent; and how often it was also where
	// they had not.
	lacksBursts    = "several commands in one write without a reset"
	resetAnyway    = "a reset of one command at a time"
	mostResetTries = 2
	// The port of an EPSV that was sent in advance could not be reached.
	lacksIdlePort = "a port that waits"
	// A login was lost in which the password had not been sent alone. That may be no
	// fault of the server's, and costs a round trip.
	lacksEagerness = "a login with what follows the password"
	// A small file that had been sent while STOR was on its way never ended.
	lacksPipelinedData = "a file before the answer to STOR"
	// How often commands were sent with a transfer for the time after it, and how often
	// the server has read them too soon.
	pipelinedTried  = "commands with a transfer"
	pipelinedInVain = "commands with a transfer, read too soon"
)

// lacks reports whether this or an earlier connection has found the server to lack
// something.
func (c *Conn) lacks(what string) bool { return c.learned.Lacks(c.addr, what) }

// lacksNow takes note of it.
func (c *Conn) lacksNow(what string) { c.learned.Note(c.addr, what, true) }

// pipelinesData reports whether a small file may be sent while STOR is on its way.
func (c *Conn) pipelinesData() bool { return !c.traits.waitsForSTOR && !c.lacks(lacksPipelinedData) }

// pipeliningPays reports whether no more than a quarter of the commands that were sent with
// a transfer were sent in vain.
func (c *Conn) pipeliningPays() bool {
	return 4*c.learned.Count(c.addr, pipelinedInVain) <= c.learned.Count(c.addr, pipelinedTried)+8
}

func (c *Conn) countPipelined(inVain bool) {
	c.learned.Add(c.addr, pipelinedTried, 1)
	if inVain {
		c.learned.Add(c.addr, pipelinedInVain, 1)
	}
}

// endsSo reports whether a last line of the listing of a folder that has no end is whole:
// a connection that is closed early, in good order, would make a name of the half of
// one. A server that never ends the last line says the same again when it is asked again.
func (c *Conn) endsSo(folder, line string) bool {
	sum := sha256.Sum256([]byte(folder + "\x00" + line))
	what := "a line end after " + hex.EncodeToString(sum[:16])
	was := c.lacks(what)
	c.lacksNow(what)
	return was
}

// lacking is what a connection goes without because the server was found not to do it.
// Only the owner's calls use it.
type lacking struct{ noEPSV, deadEPSV, noMLSD, noMLST, noSetTime, noCWD, noPaths bool }

// learn fills in what the server can do: what it says, less what this or an earlier
// connection has found it not to.
func (c *Conn) learn() {
	c.feats = parseFeatures(c.ctl.feat)
	c.traits = traitsOf(c.server, c.feats)
	for name := range c.feats {
		if c.lacks(name) {
			delete(c.feats, name)
		}
	}
	c.lacking = lacking{c.lacks(lacksEPSV), c.lacks(lacksEPSVPort), c.lacks(lacksMLSD), c.lacks(lacksMLST), c.lacks(lacksSetTime), c.lacks(lacksCWD), c.lacks(lacksPaths)}
	c.noted = c.lacking
	c.reachedEPSV, c.describes, c.takesPaths = c.lacks(reachedEPSV), c.lacks(describesFiles), c.lacks(takesPaths)
	c.derive()
}

// remember passes what an operation has found out on to later connections. Where the way
// round does not work either, they had better look for themselves.
func (c *Conn) remember() {
	if last := c.ctl.last; last.verb == "PASV" && last.code >= 400 {
		c.noEPSV, c.deadEPSV = false, false
	}
	if c.lacking == c.noted {
		return
	}
	c.noted = c.lacking
	c.learned.Note(c.addr, lacksEPSV, c.noEPSV)
	c.learned.Note(c.addr, lacksEPSVPort, c.deadEPSV)
	c.learned.Note(c.addr, lacksMLSD, c.noMLSD)
	c.learned.Note(c.addr, lacksMLST, c.noMLST)
	c.learned.Note(c.addr, lacksSetTime, c.noSetTime)
	c.learned.Note(c.addr, lacksCWD, c.noCWD)
	c.learned.Note(c.addr, lacksPaths, c.noPaths)
}

// never takes back the announcement of commands, for this and later connections.
func (c *Conn) never(verbs ...string) {
	for _, verb := range verbs {
		if c.feats.has(verb) {
			delete(c.feats, verb)
			c.lacksNow(verb)
		}
	}
	c.derive()
}

// withoutHash is never for all hashes, if a reply to one says that it is unknown: a
// server that announces what it does not have would else be asked for one after the
// other.
func (c *Conn) withoutHash(r reply) {
	if !unknown(r) {
		return
	}
	c.never("HASH")
	for _, a := range algorithms {
		c.never(a.commands...)
	}
}
