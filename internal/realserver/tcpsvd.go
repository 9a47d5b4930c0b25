//go:build linux

package realserver

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// These servers serve one session on their standard input; BusyBox's tcpsvd accepts
// the connections for both.

// configureBusyBox: a session checks the password, locks itself up in the root and
// becomes Account.
func (s *Server) configureBusyBox(program string) (command, error) {
	return command{path: program, args: append(s.tcpsvd(), program, "ftpd", "-w", "-v", s.Root)}, nil
}

// tcpsvd returns the arguments that come before the server's.
func (s *Server) tcpsvd() []string {
	return []string{"tcpsvd", "-E", "-l", "localhost", "-c", strconv.Itoa(plenty), s.Host, strconv.Itoa(s.Port)}
}

// inetutilsProgram is where .ci/run unpacks ftpd, a name that others have as well.
func inetutilsProgram() string { return filepath.Join(Servers(), "usr/sbin/ftpd") }

// configureInetutils writes an /etc of the server's own, which it alone sees: who logs in
// gets to the home folder that /etc/passwd names, and is locked up there if
// /etc/ftpchroot says so.
func (s *Server) configureInetutils(program string) (command, error) {
	hash, err := output(s.Password, "openssl", "passwd", "-6", "-stdin")
	if err != nil {
		return command{}, err
	}
	etc := filepath.Join(s.confDir(), "etc")
	if err := os.Mkdir(etc, 0o755); err != nil {
		return command{}, err
	}
	for name, text := range map[string]string{
		"passwd":        fmt.Sprintf("root:x:0:0::/:/bin/sh\n%s:x:%d:%d::%s:/bin/sh\n", s.User, s.account.uid, s.account.gid, s.Root),
		"shadow":        fmt.Sprintf("root:*:::::::\n%s:%s:::::::\n", s.User, hash),
		"group":         fmt.Sprintf("root:x:0:\n%s:x:%d:\n", s.User, s.account.gid),
		"nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\n",
		"shells":        "/bin/sh\n",
		"ftpchroot":     s.User + "\n",
	} {
		if err := os.WriteFile(filepath.Join(etc, name), []byte(text), 0o644); err != nil {
			return command{}, err
		}
	}
	unshare, err := findProgram("unshare")
	if err != nil {
		return command{}, err
	}
	args := []string{"--mount", "/bin/sh", "-c", `mount --bind "$0" /etc && exec "$@"`, etc, program}
	return command{path: unshare, args: append(append(args, s.tcpsvd()...), inetutilsProgram(), "--auth=default", "--umask=022")}, nil
}
