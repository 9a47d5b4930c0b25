//go:build linux

package realserver

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
)

//go:embed peers/ftp-srv/server.js
var ftpSrvScript []byte

// ftpSrvFolder is where .ci/run installs what peers/ftp-srv/package-lock.json names.
func ftpSrvFolder() string { return filepath.Join(Servers(), "usr/lib/ftp-srv") }

// configureFTPSrv runs peers/ftp-srv/server.js.
func (s *Server) configureFTPSrv(program string) (command, error) {
	if s.opt.TLS != TLSOff {
		return command{}, fmt.Errorf("%s: TLS: %w", s.Kind, ErrUnsupported)
	}
	file := filepath.Join(s.confDir(), "server.js")
	if err := os.WriteFile(file, ftpSrvScript, 0o600); err != nil {
		return command{}, err
	}
	name, err := s.settings(nil)
	return command{path: program, args: []string{file, name}, env: []string{"FTP_SRV=" + ftpSrvFolder()}}, err
}
