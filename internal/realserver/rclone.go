//go:build linux

package realserver

import (
	"path/filepath"
	"strconv"
)

// configureRclone serves the root with "rclone serve sftp", whose defaults keep nothing
// of a file on a disk before it is closed (--vfs-cache-mode off).
func (s *Server) configureRclone(program string) (command, error) {
	if _, err := s.writeHostKeys(); err != nil {
		return command{}, err
	}
	args := append([]string{"serve", "sftp", s.Root, "--addr", s.Host + ":" + strconv.Itoa(s.Port), "--user", s.User, "--pass", s.Password,
		"--key", filepath.Join(s.confDir(), "host_ed25519"), "--config", ""}, s.opt.Extra...)
	return command{path: program, args: args, env: []string{"HOME=" + s.confDir(), "XDG_CACHE_HOME=" + s.confDir()}}, nil
}
