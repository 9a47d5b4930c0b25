package ftpdriver

import (
	"regexp"
)

// exchange sends command lines and returns the final reply of each: in one write
// where the server is not known to mind, which saves a round trip for each line
// but the first. RFC 959 does not forbid it, and vsftpd, ProFTPD, Pure-FTPd and
// FileZilla Server read line by line; a few servers throw away what follows a
// line. Such a one answers the first and is silent: the host is then remembered
// and the next connection sends line by line.
func (c *Conn) exchange(lines ...string) ([]reply, error) {
	if !c.serial && len(lines) > 1 {
		replies, err := c.ctl.exchange(lines...)
		c.halfAnswered = err != nil && len(replies) > 0 && len(replies) < len(lines)
		return replies, err
	}
	var replies []reply
	for _, line := range lines {
		r, err := c.ctl.command(line)
		if err != nil {
			return replies, err
		}
		replies = append(replies, r)
	}
	return replies, nil
}

// syncServers are those for which lftp, too, sends one command at a time.
var syncServers = regexp.MustCompile(`(?i)microsoft ftp service|madgoat|mikrotik`)

func needsSync(greeting string) bool { return syncServers.MatchString(greeting) }

// serialHosts is shared by all connections of the process, because what it
// remembers was learned at the price of one.
var serialHosts hostSet
