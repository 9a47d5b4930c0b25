//go:build linux && realserver

package drill

import (
	"crypto/tls"
	"os"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// pair is a configuration of two real servers with storage of their own.
func pair(t *testing.T, p ftpx.Protocol, kinds ...realserver.Kind) (*ftpx.Config, []*realserver.Server) {
	t.Helper()
	cfg := &ftpx.Config{Options: ftpx.Options{Protocols: []ftpx.Protocol{p}}}
	var servers []*realserver.Server
	for i, kind := range kinds {
		o := realserver.Options{Kind: kind, Listen: []string{"127.0.0.1", "127.0.0.2"}[i]}
		if p == ftpx.FTPS {
			o.TLS = realserver.TLSRequired
		}
		s := realtest.Start(t, o)
		servers = append(servers, s)
		ports := ftpx.Ports{SFTP: s.Port, FTP: s.Port}
		for _, k := range s.HostKeys() {
			cfg.SSH.HostKeyFingerprints = append(cfg.SSH.HostKeyFingerprints, ssh.FingerprintSHA256(k))
		}
		if i > 0 {
			cfg.Standbys = append(cfg.Standbys, ftpx.Standby{Host: s.Host, Ports: ports})
			continue
		}
		cfg.Host, cfg.User, cfg.Password, cfg.Ports = s.Host, s.User, ftpx.Secret(s.Password), ports
		cfg.TLS = transport.TLS{Config: &tls.Config{RootCAs: s.CAPool()}}
	}
	return cfg, servers
}

// TestRealServers: on two real servers each scenario passes, and the scratch folder is as it
// was before.
func TestRealServers(t *testing.T) {
	for name, c := range map[string]struct {
		protocol  ftpx.Protocol
		kinds     []realserver.Kind
		scenarios []string
	}{
		"SFTP": {ftpx.SFTP, []realserver.Kind{realserver.OpenSSH, realserver.OpenSSH}, []string{"primary-dies", "reset-12.7", "flood", "stall"}},
		"FTPS": {ftpx.FTPS, []realserver.Kind{realserver.ProFTPD, realserver.VSFTPD}, []string{"primary-dies", "stall"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait more than they work
			cfg, servers := pair(t, c.protocol, c.kinds...)
			scenarios, err := Select(c.scenarios)
			if err != nil {
				t.Fatal(err)
			}
			// How long it takes is this machine's matter: the RTO is not judged here.
			rep, err := Run(t.Context(), &Options{Config: cfg, Scratch: ".", Files: 16, Limit: 2 * time.Minute, RTO: time.Hour, Scenarios: scenarios})
			if err != nil {
				t.Fatal(err)
			}
			if err := rep.WriteText(os.Stdout); err != nil {
				t.Fatal(err)
			}
			if !rep.Passed || len(rep.Scenarios) != len(c.scenarios) {
				t.Errorf("%+v", rep)
			}
			for _, s := range servers {
				if left, err := os.ReadDir(s.Root); err != nil || len(left) > 0 {
					t.Errorf("%s at %s holds %v, %v", s.Kind, s.Addr(), left, err)
				}
			}
		})
	}
}
