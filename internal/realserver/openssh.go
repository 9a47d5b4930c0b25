//go:build linux

package realserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// separationFolder is where sshd locks up the part of itself that talks to
// strangers. Its path is compiled in, and usually only the init script makes it.
const separationFolder = "/run/sshd"

// configureOpenSSH writes sshd_config(5). Of a keyword's values the first
// counts, so what the caller adds comes first.
func (s *Server) configureOpenSSH(program string) (command, error) {
	if err := os.MkdirAll(separationFolder, 0o755); err != nil {
		return command{}, err
	}
	o, c := s.opt.SSH, &config{}
	c.lines(s.opt.Extra)
	c.line("Port %d", s.Port)
	c.line("ListenAddress %s", s.Host)
	keys, err := s.writeHostKeys()
	if err != nil {
		return command{}, err
	}
	c.lines(keys)
	c.line("PidFile none")
	c.line("LogLevel VERBOSE")
	c.line("StrictModes no") // the key files lie below a temporary folder
	c.line("UseDNS no")
	c.line("AllowUsers %s", s.User)
	c.line("PermitRootLogin no")
	c.line("PasswordAuthentication %s", sshYes(!o.NoPassword))
	c.line("KbdInteractiveAuthentication %s", sshYes(o.KeyboardInteractive))
	c.line("UsePAM %s", sshYes(o.KeyboardInteractive))
	c.line("MaxStartups %s", orText(o.MaxStartups, "1000"))
	if o.MaxSessions > 0 {
		c.line("MaxSessions %d", o.MaxSessions)
	}
	switch {
	case punishes(program):
		// Tests log in with wrong passwords; from 9.8 on that would shut out
		// 127.0.0.1 as a whole.
		c.line("PerSourcePenalties %s", sshYes(o.Penalties))
	case o.Penalties:
		return command{}, fmt.Errorf("%s: Penalties needs 9.8 or later: name one in %s: %w", program, SSHDEnv, ErrUnsupported)
	}
	authorized := filepath.Join(s.publicDir(), "authorized_keys")
	if err := writeKeyList(authorized, o.AuthorizedKeys); err != nil {
		return command{}, err
	}
	c.line("AuthorizedKeysFile %s", authorized)
	if len(o.UserCAs) > 0 {
		cas := filepath.Join(s.publicDir(), "user_cas")
		if err := writeKeyList(cas, o.UserCAs); err != nil {
			return command{}, err
		}
		c.line("TrustedUserCAKeys %s", cas)
	}
	// ForceCommand besides the subsystem: no login ever gets a shell. Forwarding
	// stays possible, so the server can be a jump host.
	c.line("Subsystem sftp internal-sftp -d %s", s.Root)
	c.line("ForceCommand internal-sftp -d %s", s.Root)

	file := filepath.Join(s.confDir(), "sshd_config")
	if err := os.WriteFile(file, c.bytes(), 0o600); err != nil {
		return command{}, err
	}
	return command{path: program, args: []string{"-D", "-e", "-f", file}}, nil
}

var sshVersion = regexp.MustCompile(`OpenSSH_(\d+)\.(\d+)`)

// punishes reports whether this sshd knows PerSourcePenalties (9.8 and later).
func punishes(program string) bool {
	// Old versions call -V an unknown option and print the version all the same.
	out, _ := exec.Command(program, "-V").CombinedOutput()
	m := sshVersion.FindSubmatch(out)
	if m == nil {
		return false
	}
	major, _ := strconv.Atoi(string(m[1]))
	minor, _ := strconv.Atoi(string(m[2]))
	return major > 9 || major == 9 && minor >= 8
}

// sshYes writes a switch as sshd_config does.
func sshYes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// orText returns text, or the default when text is empty.
func orText(text, byDefault string) string {
	if text == "" {
		return byDefault
	}
	return text
}
