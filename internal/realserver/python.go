//go:build linux

package realserver

import (
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
)

// Debian's Python, and where Debian's packages put its modules: another python3 in PATH
// knows nothing of them.
const (
	debianPython  = "/usr/bin/python3"
	debianModules = "/usr/lib/python3/dist-packages/"
)

var (
	//go:embed peers/pyftpdlib.py
	pyftpdScript []byte
	//go:embed peers/asyncssh.py
	asyncsshScript []byte
)

// configurePyFTPd runs peers/pyftpdlib.py.
func (s *Server) configurePyFTPd(program string) (command, error) {
	settings := map[string]any{"tls": s.opt.TLS != TLSOff, "tls_required": s.opt.TLS == TLSRequired}
	var env []string
	if s.opt.TLS != TLSOff {
		settings["pair"] = s.keyPairFile()
		file := filepath.Join(s.confDir(), "openssl.cnf")
		if err := writeOpenSSLConfig(file, s.opt.MinTLS, s.opt.MaxTLS); err != nil {
			return command{}, err
		}
		env = []string{"OPENSSL_CONF=" + file}
	}
	return s.script(program, pyftpdScript, settings, env)
}

// configureAsyncSSH runs peers/asyncssh.py.
func (s *Server) configureAsyncSSH(program string) (command, error) {
	if _, err := s.writeHostKeys(); err != nil {
		return command{}, err
	}
	var keys []string
	for _, name := range []string{"host_ed25519", "host_ecdsa"} {
		keys = append(keys, filepath.Join(s.confDir(), name))
	}
	return s.script(program, asyncsshScript, map[string]any{"keys": keys}, nil)
}

// script writes a script and what it is told, which holds the password, into a file.
func (s *Server) script(program string, text []byte, settings map[string]any, env []string) (command, error) {
	file := filepath.Join(s.confDir(), "server.py")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return command{}, err
	}
	name, err := s.settings(settings)
	return command{path: program, args: []string{"-u", file, name}, env: env}, err
}

// settings writes what programs of ours are told.
func (s *Server) settings(more map[string]any) (file string, err error) {
	all := map[string]any{
		"host": s.Host, "port": s.Port, "passive_lo": s.PassiveLo, "passive_hi": s.PassiveHi, "user": s.User, "password": s.Password,
		"root": s.Root, "uid": s.account.uid, "gid": s.account.gid, "most": plenty,
	}
	for k, v := range more {
		all[k] = v
	}
	text, err := json.Marshal(all)
	if err != nil {
		return "", err
	}
	file = filepath.Join(s.confDir(), "settings.json")
	return file, os.WriteFile(file, text, 0o600)
}
