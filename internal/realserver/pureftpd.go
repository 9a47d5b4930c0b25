//go:build linux

package realserver

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// configurePureFTPd makes a user database and a command line: the server reads
// no configuration file unless its wrapper translates one.
func (s *Server) configurePureFTPd(program string) (command, error) {
	o := s.opt
	db := filepath.Join(s.confDir(), "users.pdb")
	if err := s.pureUsers(db); err != nil {
		return command{}, err
	}
	args := []string{
		"-S", s.Host + "," + strconv.Itoa(s.Port),
		"-p", fmt.Sprintf("%d:%d", s.PassiveLo, s.PassiveHi),
		"-l", "puredb:" + db,
		"-g", filepath.Join(s.confDir(), "pure-ftpd.pid"),
		"-A", // everyone in the login folder
		"-E", // no anonymous logins
		"-H", // no name lookups
		"-U", "133:022",
		"-u", "1", // Account is a system user, with a number below the usual minimum
		"-C", strconv.Itoa(or(o.MaxPerHost, plenty)),
		"-c", strconv.Itoa(or(o.MaxClients, plenty)),
		"-O", "clf:" + filepath.Join(s.logDir(), "transfers.log"),
	}
	if !strings.Contains(o.PassiveAddress, ":") { // PASV knows IPv4 only
		args = append(args, "-P", o.PassiveAddress)
	}
	if o.IdleTimeout > 0 {
		minutes := int((o.IdleTimeout + time.Minute - 1) / time.Minute)
		args = append(args, "-I", strconv.Itoa(minutes))
	}
	if o.QuotaBytes > 0 || o.QuotaFiles > 0 {
		// Switches quotas on; the user's own entry overrides the numbers.
		args = append(args, "-n", "1000000:1000000")
	}
	cmd := command{path: program}
	if o.TLS != TLSOff {
		level := "1" // offered
		if o.TLS == TLSRequired {
			level = "3" // demanded for control and data
		}
		args = append(args, "-Y", level, "-2", s.keyPairFile())
		file := filepath.Join(s.confDir(), "openssl.cnf")
		if err := writeOpenSSLConfig(file, o.MinTLS, o.MaxTLS); err != nil {
			return command{}, err
		}
		cmd.env = []string{"OPENSSL_CONF=" + file}
	}
	cmd.args = append(args, o.Extra...)
	return cmd, nil
}

// pureUsers writes the database with its only user. The text form is written
// here, not by pure-pw useradd: that hashes with Argon2 and a large amount of
// memory, which makes each login of a test with hundreds of them slow, and it
// counts quotas in whole megabytes.
func (s *Server) pureUsers(db string) error {
	hash, err := output(s.Password, "openssl", "passwd", "-6", "-stdin")
	if err != nil {
		return err
	}
	number := func(n int64) string { // empty is unlimited
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	fields := []string{
		s.User, hash, strconv.Itoa(s.account.uid), strconv.Itoa(s.account.gid), "",
		s.Root + "/./", // the mark says where the chroot ends
		"", "",         // bandwidth
		"", "", // ratios
		"", // connections
		number(int64(s.opt.QuotaFiles)), number(s.opt.QuotaBytes),
		"", "", "", "", // addresses
		"", // hours
	}
	text := filepath.Join(s.confDir(), "users.passwd")
	if err := os.WriteFile(text, []byte(strings.Join(fields, ":")+"\n"), 0o600); err != nil {
		return err
	}
	return run("", "pure-pw", "mkdb", db, "-f", text)
}
