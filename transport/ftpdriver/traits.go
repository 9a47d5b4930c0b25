package ftpdriver

import (
	"bytes"
	"net"
	"regexp"
	"strings"
	"time"
)

// traits are what one server is known to do unlike the others. Whatever depends on
// which server it is stands here, as data; the zero value is a server of which nothing
// is known.
type traits struct {
	// serial: it takes one command at a time. Those are the servers for which lftp, too,
	// sends one at a time.
	serial bool
	// readsLater: what is sent with the command for a transfer it reads when that is
	// over, if it is no more than oneRead bytes in all, 0 for any number.
	readsLater bool
	oneRead    int
	// disorders: it may answer what was sent with a transfer before the transfer's end
	// all the same, see [Conn.ordered].
	disorders bool
	// endsBehind: what follows a large upload may be sent when its last byte has left.
	endsBehind bool
	// endsTogether: it ends a download when both directions of its data connection have
	// ended, and leavesAlert says that it does not read our close_notify.
	endsTogether, leavesAlert bool
	// firstChunk: it answers a download that is reset only when a write of so many bytes
	// was through, 0 for any.
	firstChunk int64
	// eager: FEAT and what comes after it may be sent with PASS.
	eager bool
	// asksHome and asksUTF8 go with FEAT: the first because it has no MLST, so that the
	// look at a name needs the login folder; the second whether FEAT will show it or not.
	asksHome, asksUTF8 bool
	// localTimes: MDTM tells and sets times in the zone of LIST, and not in UTC as RFC
	// 3659 wants it (vsftpd's use_localtime).
	localTimes bool
	// doublesIAC says how the byte 0xFF is sent, which is "я" in Windows-1251. The
	// control connection is a Telnet one (RFC 959 section 4.1), where it is doubled; of
	// three servers only ProFTPD takes the second one away, and without it would take
	// 0xFF and 0xFB, "яы", for a command of Telnet's. vsftpd and Pure-FTPd would make two
	// of it.
	doublesIAC bool
	// sizesFiles: SIZE tells the size of files only, and entersFolders: CWD enters folders
	// only. Elsewhere the second is found out, see [Conn.goHomeProving].
	sizesFiles, entersFolders bool
	// listsItself: LIST -a shows "." in every folder.
	listsItself bool
	// onePlace: it advertises PRET and has one address only, so that PRET would be a round
	// trip for nothing.
	onePlace bool
	// waitsForSTOR: it closes a data connection over which something comes before STOR,
	// and then waits for another.
	waitsForSTOR bool
	// appendsNot: its APPE replaces the file.
	appendsNot bool
	// forgetsRest: an offset holds for the next transfer, however that ends; and a STOR
	// behind REST 0 leaves of the old file what is longer than the new one.
	forgetsRest bool
}

// servers says by what a server is known: by its greeting, or, since greetings are often
// replaced, by a feature that it alone lists, with what is in its parameters.
var servers = []struct {
	greeting       *regexp.Regexp
	feature, value string
	traits
}{
	{ // "220 (vsFTPd 3.0.3)". It reads commands when a transfer is over.
		greeting: regexp.MustCompile(`vsFTPd`),
		traits: traits{readsLater: true, endsBehind: true, endsTogether: true, eager: true, asksHome: true, asksUTF8: true,
			localTimes: true, sizesFiles: true, entersFolders: true, listsItself: true},
	},
	{ // "220 ProFTPD Server (name) [::ffff:192.0.2.1]"; of those that offer MFF it is the
		// one that names the facts so.
		//
		// It looks into its socket during a transfer, and answers 450 to a command that
		// it finds there, or carries it out; but it has taken from the socket, with the
		// command for the transfer, all that came in the same TLS record or segment, and
		// does not see there what it has taken. oneRead is how much it surely takes at
		// once: as much as a command may be long, CommandBufferSize, 4 KiB and more
		// unless it is set. Under TLS it would not look for the rest of a record before
		// more arrives.
		greeting: regexp.MustCompile(`ProFTPD`), feature: "MFF", value: "UNIX.group;",
		traits: traits{readsLater: true, oneRead: 500, disorders: true, endsTogether: true, leavesAlert: true, eager: true, asksUTF8: true,
			entersFolders: true, doublesIAC: true},
	},
	{ // Pure-FTPd is the one that has ESTA. Where its first write fails it goes back to
		// reading commands without a word.
		greeting: regexp.MustCompile(`Pure-FTPd`), feature: "ESTA",
		traits: traits{onePlace: true, firstChunk: 128 << 10},
	},
	{
		greeting: regexp.MustCompile(`(?i)microsoft ftp service|madgoat|mikrotik`),
		traits:   traits{serial: true},
	},
	{
		greeting: regexp.MustCompile(`pyftpdlib`),
		traits:   traits{waitsForSTOR: true},
	},
	{ // goftp.io/server v2, also inside MinIO and rclone.
		greeting: regexp.MustCompile(`Go FTP Server|(?i)minio|rclone`),
		traits:   traits{appendsNot: true, forgetsRest: true},
	},
}

// traitsOf finds a server's traits: from its greeting, and when it has been asked from
// what it lists.
func traitsOf(greeting string, f features) traits {
	for _, s := range servers {
		if s.greeting.MatchString(greeting) || s.feature != "" && f.has(s.feature) && strings.Contains(f[s.feature], s.value) {
			return s.traits
		}
	}
	return traits{}
}

// forgetRest has the server begin the next transfer at 0, where it may not.
func (c *Conn) forgetRest() error {
	if c.traits.forgetsRest {
		return nil
	}
	return c.ctl.forgetRest()
}

// readsLater reports whether the server leaves ends alone until the transfer that lines
// ask for is over, if they are sent with them.
func (c *Conn) readsLater(lines, ends []string) bool {
	if !c.traits.readsLater || c.traits.disorders && !c.pipeliningPays() {
		return false
	}
	n := 0
	for _, some := range [][]string{lines, ends} {
		for _, line := range some {
			n += len(line) + len("\r\n")
		}
	}
	return c.traits.oneRead == 0 || n <= c.traits.oneRead
}

// zoneOfMDTM is what the times in MDTM are in.
func (c *Conn) zoneOfMDTM() *time.Location {
	if c.traits.localTimes {
		return c.listZone()
	}
	return time.UTC
}

// fromMDTM reads a time that was parsed as if it were UTC.
func (c *Conn) fromMDTM(t time.Time) time.Time {
	zone := c.zoneOfMDTM()
	if zone == time.UTC {
		return t
	}
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone).UTC()
}

// telnet is a connection on which 0xFF is doubled in what is sent.
type telnet struct{ net.Conn }

func (t telnet) Write(p []byte) (int, error) {
	const iac = 0xff
	if bytes.IndexByte(p, iac) < 0 {
		return t.Conn.Write(p)
	}
	n, err := t.Conn.Write(bytes.ReplaceAll(p, []byte{iac}, []byte{iac, iac}))
	return min(n, len(p)), err
}
