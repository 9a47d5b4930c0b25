package testserver

import (
	"crypto/tls"
	"errors"
	"fmt"
	"path/filepath"

	ftpserver "github.com/fclairamb/ftpserverlib"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
)

// TrioOptions configures [StartTrio]. Root is required.
type TrioOptions struct {
	Root     string  // folder that all servers serve
	User     string  // default "user"
	Password string  // default "password"
	CA       *pki.CA // issues the server certificate; nil makes one
	// Hosts are the certificate's names; default 127.0.0.1, ::1 and localhost.
	Hosts []string
	// PassivePorts is the ports of data connections on both FTP servers.
	PassivePorts ftpserver.PasvPortGetter

	Access AccessFunc // for all servers
	Disk   *Disk      // shared by all servers

	// SFTP and FTP may change the options made from the above. FTP is called
	// twice, for the explicit server and for the implicit one.
	SFTP func(*SFTPOptions)
	FTP  func(*FTPOptions)
}

// Trio is an SFTP server, an FTP server with explicit TLS on offer, and one with
// implicit TLS, on one folder with one user.
type Trio struct {
	SFTP *SFTPServer
	FTP  *FTPServer // plain and explicit TLS
	FTPS *FTPServer // implicit TLS

	Root     string
	User     string
	Password string
	CA       *pki.CA
	Cert     tls.Certificate // of both FTP servers
}

// StartTrio starts all three; they accept connections when this returns.
func StartTrio(opts TrioOptions) (*Trio, error) {
	t := &Trio{Root: opts.Root, User: opts.User, Password: opts.Password, CA: opts.CA}
	if t.User == "" {
		t.User = "user"
	}
	if t.Password == "" {
		t.Password = "password"
	}
	if err := t.certify(opts.Hosts); err != nil {
		return nil, err
	}
	if err := t.start(opts); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func (t *Trio) certify(hosts []string) error {
	var err error
	if t.CA == nil {
		if t.CA, err = pki.NewCA("ftpx test authority"); err != nil {
			return fmt.Errorf("testserver: %w", err)
		}
	}
	if len(hosts) == 0 {
		hosts = []string{"127.0.0.1", "::1", "localhost"}
	}
	if t.Cert, err = t.CA.ServerFor(hosts...); err != nil {
		return fmt.Errorf("testserver: %w", err)
	}
	return nil
}

func (t *Trio) start(opts TrioOptions) error {
	sftpOpts := SFTPOptions{
		Root: t.Root, User: t.User, Password: t.Password,
		Access: opts.Access, Disk: opts.Disk,
	}
	if opts.SFTP != nil {
		opts.SFTP(&sftpOpts)
	}
	var err error
	if t.SFTP, err = StartSFTP(sftpOpts); err != nil {
		return err
	}
	if t.FTP, err = t.startFTP(opts, ExplicitTLS); err != nil {
		return err
	}
	t.FTPS, err = t.startFTP(opts, ImplicitTLS)
	return err
}

func (t *Trio) startFTP(opts TrioOptions, mode TLSMode) (*FTPServer, error) {
	ftpOpts := FTPOptions{
		Root: t.Root, User: t.User, Password: t.Password,
		TLS: mode, TLSConfig: &tls.Config{Certificates: []tls.Certificate{t.Cert}},
		EnableHASH: true, PassivePorts: opts.PassivePorts,
		Access: opts.Access, Disk: opts.Disk,
	}
	if opts.FTP != nil {
		opts.FTP(&ftpOpts)
	}
	return StartFTP(ftpOpts)
}

// ClientTLS returns a client configuration that trusts the authority, for
// serverName.
func (t *Trio) ClientTLS(serverName string) *tls.Config {
	return &tls.Config{RootCAs: t.CA.Pool(), ServerName: serverName, MinVersion: tls.VersionTLS12}
}

// KnownHosts returns known_hosts lines for the SFTP server under its own address
// and under addrs (host:port), for instance those of proxies in front of it.
func (t *Trio) KnownHosts(addrs ...string) []string {
	lines := []string{pki.KnownHost(t.SFTP.Addr().String(), t.SFTP.HostKey())}
	for _, addr := range addrs {
		lines = append(lines, pki.KnownHost(addr, t.SFTP.HostKey()))
	}
	return lines
}

// WriteFiles writes ca.pem and known_hosts into dir, the files that a command
// line client wants, and returns their paths. addrs are as in [Trio.KnownHosts].
func (t *Trio) WriteFiles(dir string, addrs ...string) (caFile, knownHosts string, err error) {
	caFile, knownHosts = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "known_hosts")
	if err := t.CA.WritePEM(caFile); err != nil {
		return "", "", err
	}
	if err := pki.WriteKnownHosts(knownHosts, t.KnownHosts(addrs...)...); err != nil {
		return "", "", err
	}
	return caFile, knownHosts, nil
}

// Close ends all servers and waits.
func (t *Trio) Close() error {
	var errs []error
	if t.SFTP != nil {
		errs = append(errs, t.SFTP.Close())
	}
	if t.FTP != nil {
		errs = append(errs, t.FTP.Close())
	}
	if t.FTPS != nil {
		errs = append(errs, t.FTPS.Close())
	}
	return errors.Join(errs...)
}
