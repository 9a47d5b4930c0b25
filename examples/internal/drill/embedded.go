package drill

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// servers are two SFTP servers with storage of their own, or one FTPS server whose
// certificate can expire.
type servers struct {
	dir   string
	close []func() error
	ftps  *testserver.FTPServer
	ca    *pki.CA
	shown atomic.Pointer[tls.Certificate]
}

const (
	drillUser     = "drill"
	drillPassword = "drill"
)

// start puts up what a scenario needs and says how to connect to it.
func start(s *Scenario) (_ *servers, cfg ftpx.Config, err error) {
	srv := &servers{}
	defer func() {
		if err != nil {
			err = errors.Join(err, srv.end())
		}
	}()
	if srv.dir, err = os.MkdirTemp("", "ftpx-drill-"); err != nil {
		return nil, cfg, err
	}
	cfg = ftpx.Config{Host: "127.0.0.1", User: drillUser, Options: ftpx.Options{Password: drillPassword}}
	if s.Name == "cert-expires" {
		return srv, cfg, srv.startFTPS(&cfg)
	}
	cfg.Protocols = []ftpx.Protocol{ftpx.SFTP}
	for i := range 2 {
		port, key, err := srv.startSFTP(strconv.Itoa(i))
		if err != nil {
			return srv, cfg, err
		}
		cfg.SSH.HostKeyFingerprints = append(cfg.SSH.HostKeyFingerprints, key)
		if i == 0 {
			cfg.Ports.SFTP = port
		} else {
			cfg.Standbys = []ftpx.Standby{{Host: "127.0.0.1", Ports: ftpx.Ports{SFTP: port}}}
		}
	}
	return srv, cfg, nil
}

func (srv *servers) startSFTP(name string) (port int, key string, err error) {
	root := filepath.Join(srv.dir, name)
	if err := os.Mkdir(root, 0o700); err != nil {
		return 0, "", err
	}
	s, err := testserver.StartSFTP(testserver.SFTPOptions{Root: root, User: drillUser, Password: drillPassword})
	if err != nil {
		return 0, "", err
	}
	srv.close = append(srv.close, s.Close)
	return s.Port(), ssh.FingerprintSHA256(s.HostKey()), nil
}

func (srv *servers) startFTPS(cfg *ftpx.Config) (err error) {
	if srv.ca, err = pki.NewCA("the drill's authority"); err != nil {
		return err
	}
	if err := srv.renew(); err != nil {
		return err
	}
	root := filepath.Join(srv.dir, "0")
	if err := os.Mkdir(root, 0o700); err != nil {
		return err
	}
	srv.ftps, err = testserver.StartFTP(testserver.FTPOptions{Root: root, User: drillUser, Password: drillPassword, TLS: testserver.ExplicitTLS,
		TLSConfig: &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return srv.shown.Load(), nil }}})
	if err != nil {
		return err
	}
	srv.close = append(srv.close, srv.ftps.Close)
	cfg.Protocols, cfg.Ports.FTP = []ftpx.Protocol{ftpx.FTPS}, srv.ftps.Port()
	cfg.TLS = transport.TLS{Config: &tls.Config{RootCAs: srv.ca.Pool()}}
	return nil
}

// expire has the server show a certificate that ended an hour ago, renew a good one.
func (srv *servers) expire() {
	if c, err := srv.ca.Expired("127.0.0.1"); err == nil {
		srv.shown.Store(&c)
	}
}

func (srv *servers) renew() error {
	c, err := srv.ca.Server(pki.CertOptions{Hosts: []string{"127.0.0.1"}, NotAfter: time.Now().AddDate(0, 3, 0)})
	if err == nil {
		srv.shown.Store(&c)
	}
	return err
}

func (srv *servers) logins() int64 {
	if srv.ftps == nil {
		return 0
	}
	return srv.ftps.Stats().Logins
}

// end closes the servers and removes what they held.
func (srv *servers) end() error {
	var errs []error
	for _, f := range srv.close {
		errs = append(errs, f())
	}
	if srv.dir != "" {
		errs = append(errs, os.RemoveAll(srv.dir))
	}
	return errors.Join(errs...)
}

// addressOf is where a host's first protocol is dialled.
func addressOf(host string, ports ftpx.Ports, p ftpx.Protocol) string {
	port := 0
	switch p {
	case ftpx.SFTP:
		port = ports.SFTP
	case ftpx.FTPSImplicit:
		port = ports.FTPSImplicit
	default:
		if port = ports.FTP; p == ftpx.FTPS && ports.FTPS != 0 {
			port = ports.FTPS
		}
	}
	if port == 0 {
		port = p.DefaultPort()
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}
