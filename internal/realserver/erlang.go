//go:build linux

package realserver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// configureErlang writes an escript(1) that serves the root with ssh_sftpd. It runs until
// it is killed.
func (s *Server) configureErlang(program string) (command, error) {
	if _, err := s.writeHostKeys(); err != nil {
		return command{}, err
	}
	for _, name := range []string{"ed25519", "ecdsa"} {
		// ssh_file(3) has names of its own for them.
		if err := os.Symlink("host_"+name, filepath.Join(s.confDir(), "ssh_host_"+name+"_key")); err != nil {
			return command{}, err
		}
	}
	address := strings.ReplaceAll(s.Host, ".", ",")
	if strings.Contains(s.Host, ":") {
		return command{}, fmt.Errorf("%s: IPv6: %w", s.Kind, ErrUnsupported)
	}
	c := &config{}
	c.line("#!/usr/bin/env escript")
	c.line("main(_) ->")
	c.line("    {ok, _} = application:ensure_all_started(ssh),")
	c.line("    {ok, _} = ssh:daemon({%s}, %d, [{system_dir, %q}, {user_passwords, [{%q, %q}]}, {auth_methods, \"password\"},", address, s.Port,
		s.confDir(), s.User, s.Password)
	c.line("        {max_sessions, %d}, {parallel_login, true},", plenty)
	c.line("        {subsystems, [ssh_sftpd:subsystem_spec([{root, %q}, {cwd, \"/\"}])]}]),", s.Root)
	c.line("    receive stop -> ok end.")
	file := filepath.Join(s.confDir(), "server.escript")
	if err := os.WriteFile(file, c.bytes(), 0o600); err != nil {
		return command{}, err
	}
	return command{path: program, args: []string{file}, env: []string{"HOME=" + s.confDir()}}, nil
}
