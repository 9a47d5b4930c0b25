package ftpdriver

import (
	"bytes"
	"net"
	"strings"
	"time"
)

// What one server does unlike the others is known by its greeting, or by what it
// alone lists in FEAT: greetings are often replaced.

// isVSFTPD: "220 (vsFTPd 3.0.3)".
func (c *Conn) isVSFTPD() bool { return strings.Contains(c.server, "vsFTPd") }

// isProFTPD: "220 ProFTPD Server (name) [::ffff:192.0.2.1]"; of those that offer MFF
// it is the one that names the facts so.
func (c *Conn) isProFTPD() bool {
	return strings.Contains(c.server, "ProFTPD") || strings.Contains(c.feats["MFF"], "UNIX.group;")
}

// zoneOfMDTM is UTC, as RFC 3659 wants it, but not on vsftpd: its use_localtime, by
// which LIST shows local time, holds for MDTM too, told and set.
func (c *Conn) zoneOfMDTM() *time.Location {
	if c.isVSFTPD() {
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

// doublesIAC says how the byte 0xFF is sent, which is "я" in Windows-1251. The
// control connection is a Telnet one (RFC 959 section 4.1), where it is doubled; of
// three servers only ProFTPD takes the second one away, and without it would take
// 0xFF and 0xFB, "яы", for a command of Telnet's. vsftpd and Pure-FTPd would make
// two of it.
func (c *Conn) doublesIAC() bool { return c.isProFTPD() }

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
