//go:build linux

package realserver

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// configureGoFTP runs peers/goftp-server.
func (s *Server) configureGoFTP(program string) (command, error) {
	settings := map[string]any{"tls": s.opt.TLS != TLSOff, "tls_required": s.opt.TLS == TLSRequired}
	if s.opt.TLS != TLSOff {
		settings["pair"] = filepath.Join(s.publicDir(), "server.pem")
		if err := writeKeyPair(settings["pair"].(string), s.certificate); err != nil {
			return command{}, err
		}
	}
	file, err := s.settings(settings)
	return command{path: program, args: []string{file}}, err
}

// configureSFTPGo serves SFTP.
func (s *Server) configureSFTPGo(program string) (command, error) {
	if _, err := s.writeHostKeys(); err != nil {
		return command{}, err
	}
	keys := filepath.Join(s.confDir(), "host_ed25519") + "," + filepath.Join(s.confDir(), "host_ecdsa")
	return s.sftpgo(program, map[string]string{
		"SFTPD__BINDINGS__0__PORT": strconv.Itoa(s.Port), "SFTPD__BINDINGS__0__ADDRESS": s.Host, "SFTPD__HOST_KEYS": keys,
	})
}

// configureSFTPGoFTP serves FTP and FTPS.
func (s *Server) configureSFTPGoFTP(program string) (command, error) {
	vars := map[string]string{
		"SFTPD__BINDINGS__0__PORT": "0",
		"FTPD__BINDINGS__0__PORT":  strconv.Itoa(s.Port), "FTPD__BINDINGS__0__ADDRESS": s.Host,
		"FTPD__PASSIVE_PORT_RANGE__START": strconv.Itoa(s.PassiveLo), "FTPD__PASSIVE_PORT_RANGE__END": strconv.Itoa(s.PassiveHi),
		"FTPD__HASH_SUPPORT": "1",
	}
	if s.opt.TLS != TLSOff {
		vars["FTPD__CERTIFICATE_FILE"], vars["FTPD__CERTIFICATE_KEY_FILE"] = s.keyPairFile(), s.keyPairFile()
	}
	if s.opt.TLS == TLSRequired {
		vars["FTPD__BINDINGS__0__TLS_MODE"] = "1"
	}
	return s.sftpgo(program, vars)
}

// sftpgo runs SFTPGo as Account, since what it stores belongs to who runs it. Its data
// base is in memory, filled from a file with the one user.
func (s *Server) sftpgo(program string, vars map[string]string) (command, error) {
	users := filepath.Join(s.confDir(), "users.json")
	permissions := s.opt.Permissions
	if permissions == nil {
		permissions = []string{"*"}
	}
	text, err := json.Marshal(map[string]any{"version": 17, "users": []any{map[string]any{
		"username": s.User, "password": s.Password, "home_dir": s.Root, "status": 1, "permissions": map[string][]string{"/": permissions},
	}}})
	if err != nil {
		return command{}, err
	}
	if err := os.WriteFile(users, text, 0o600); err != nil {
		return command{}, err
	}
	// It insists on templates for mail.
	mail := filepath.Join(s.confDir(), "templates/email")
	if err := os.MkdirAll(mail, 0o700); err != nil {
		return command{}, err
	}
	for _, name := range []string{"reset-password.html", "password-expiration.html"} {
		if err := os.WriteFile(filepath.Join(mail, name), nil, 0o600); err != nil {
			return command{}, err
		}
	}
	for name, value := range map[string]string{
		"DATA_PROVIDER__DRIVER": "memory", "DATA_PROVIDER__NAME": users, "DATA_PROVIDER__PASSWORD_HASHING__ALGO": "bcrypt",
		"DATA_PROVIDER__PASSWORD_HASHING__BCRYPT_OPTIONS__COST": "4", "DATA_PROVIDER__PASSWORD_VALIDATION__USERS__MIN_ENTROPY": "0",
		"DATA_PROVIDER__TRACK_QUOTA": "0", "HTTPD__BINDINGS__0__PORT": "0", "COMMON__MAX_PER_HOST_CONNECTIONS": "0", "COMMON__UMASK": "022",
	} {
		vars[name] = value
	}
	// Account may not reach the folder that the program lies in.
	reached := filepath.Join(s.publicDir(), "sftpgo")
	if err := linkOrCopy(program, reached); err != nil {
		return command{}, err
	}
	cmd := command{path: reached, args: []string{"serve", "-c", s.confDir(), "-l", ""}, owner: &s.account}
	for name, value := range vars {
		cmd.env = append(cmd.env, "SFTPGO_"+name+"="+value)
	}
	return cmd, chownAll(s.confDir(), s.account)
}

// chownAll gives a folder and what is in it to Account.
func chownAll(dir string, a account) error {
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, a.uid, a.gid)
	})
}

// linkOrCopy gives a program another name, or copies it to another file system.
func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}
