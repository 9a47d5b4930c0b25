//go:build linux && realserver

package doctor_test

import (
	"os"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// TestPenaltiesOfSSHD is TestPenalties with a real sshd of 9.8 or later, which FTPX_SSHD
// names. Debian 12's own is 9.2 and has no penalties, so that without the variable there is
// nothing to be tested here; what they are is imitated in TestPenalties.
func TestPenaltiesOfSSHD(t *testing.T) {
	if os.Getenv(realserver.SSHDEnv) == "" {
		t.Skipf("%s names no sshd of 9.8 or later", realserver.SSHDEnv)
	}
	o := realserver.Options{Kind: realserver.OpenSSH, SSH: realserver.SSHOptions{Penalties: true}}
	s := realtest.Start(t, o)
	cfg := ftpx.Config{Host: s.Host, User: s.User, Options: ftpx.Options{Password: ftpx.Secret(s.Password), Protocols: []ftpx.Protocol{ftpx.SFTP}, Ports: ftpx.Ports{SFTP: s.Port}}}
	cfg.SSH.KnownHosts = []string{s.KnownHosts}
	// What has come together goes with the process.
	gentle(t, cfg, s.Addr(), func() {
		if err := s.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}
