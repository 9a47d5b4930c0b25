//go:build linux

package realserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/crypto/ssh"
)

// A Server is one started server. Its exported fields do not change between
// Start and Close; its methods are safe for concurrent use.
type Server struct {
	Kind Kind
	Host string // the listening address
	Port int
	// PassiveLo and PassiveHi are the first and last port for passive data
	// connections; zero for SFTP servers, and for Inetutils and BusyBox, which
	// take any port.
	PassiveLo, PassiveHi int
	// User and Password log in.
	User, Password string
	// Root is the login folder on disk. The FTP servers show it as "/"; on
	// OpenSSH relative paths start in it and "/" is the machine's.
	Root string
	// CAFile is a PEM file with the authority of the certificate; empty
	// without TLS or with a certificate from Options.
	CAFile string
	// KnownHosts is a known_hosts file for this address; SFTP servers only.
	KnownHosts string

	opt         Options
	account     account
	dir         string // everything generated: data, conf, public, log
	ports       *portBlock
	certificate *tls.Certificate
	hostKeys    []ssh.PublicKey
	cmd         command

	mu      sync.Mutex // guards what follows, and lets one of Stop, Kill, Restart and Close in at a time
	process *process   // nil before the first start
	closed  bool
}

// Start starts a server and returns when it listens. The context bounds the
// start, not the server's life: that ends with Stop, Kill or Close, or with the
// program. Errors wrap ErrMissing or ErrUnsupported where they apply; an error
// of the server itself carries its log.
func Start(ctx context.Context, opt Options) (*Server, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil { // a server may be faster than the look at it
		return nil, fmt.Errorf("realserver: %w", err)
	}
	if err := Available(opt.Kind); err != nil {
		return nil, err
	}
	acct, err := ensureAccount()
	if err != nil {
		return nil, err
	}
	s := &Server{Kind: opt.Kind, Host: opt.Listen, User: Account, Password: acct.password, opt: opt, account: acct}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.mu.Lock()
	err = s.launch(ctx)
	s.mu.Unlock()
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// prepare lays out the folders, reserves ports and writes the configuration.
func (s *Server) prepare() (err error) {
	if s.ports, err = reservePorts(runFolder, s.Host); err != nil {
		return err
	}
	s.Port = s.ports.control
	if kinds[s.Kind].passive {
		s.PassiveLo, s.PassiveHi = s.ports.passiveLo, s.ports.passiveHi
	}
	if err := s.layOut(); err != nil {
		return fmt.Errorf("realserver: %w", err)
	}
	if s.opt.TLS != TLSOff {
		if err := s.writeCertificates(); err != nil {
			return fmt.Errorf("realserver: %w", err)
		}
	}
	kind := kinds[s.Kind]
	program, err := findProgram(kind.programs[0])
	if err != nil {
		return err
	}
	s.cmd, err = kind.configure(s, program)
	return err
}

// layOut makes the folders. The one above them all can be passed through but
// not read, because Account's sessions have to reach Root.
func (s *Server) layOut() (err error) {
	if s.dir, err = os.MkdirTemp("", "ftpx-real-"); err != nil {
		return err
	}
	if err := os.Chmod(s.dir, 0o711); err != nil {
		return err
	}
	s.Root = s.opt.Root
	if s.Root == "" {
		s.Root = filepath.Join(s.dir, "data")
	}
	for _, d := range []struct {
		name string
		mode os.FileMode
	}{
		{s.Root, 0o755}, {s.confDir(), 0o700}, {s.logDir(), 0o700}, {s.publicDir(), 0o755},
		{filepath.Join(s.dir, "empty"), 0o555}, // vsftpd locks unprivileged processes up in it
	} {
		if err := os.MkdirAll(d.name, d.mode); err != nil {
			return err
		}
	}
	if err := reachable(s.Root); err != nil {
		return err
	}
	return os.Chown(s.Root, s.account.uid, s.account.gid)
}

// reachable fails when a folder above the given one keeps other users out: the
// servers' own words for that are hard to understand.
func reachable(dir string) error {
	for up := filepath.Dir(dir); up != "/"; up = filepath.Dir(up) {
		info, err := os.Stat(up)
		if err != nil {
			return err
		}
		if info.Mode()&0o001 == 0 {
			return fmt.Errorf("%s cannot reach %s: %s has mode %04o", Account, dir, up, info.Mode().Perm())
		}
	}
	return nil
}

// writeCertificates writes the server's key pair and, if it is ours, the
// authority that clients need.
func (s *Server) writeCertificates() error {
	s.certificate = s.opt.Certificate
	if s.certificate == nil {
		ca, err := processCA()
		if err != nil {
			return err
		}
		if s.certificate, err = ca.issue(); err != nil {
			return err
		}
		s.CAFile = filepath.Join(s.publicDir(), "ca.pem")
		if err := os.WriteFile(s.CAFile, ca.pem(), 0o644); err != nil {
			return err
		}
	}
	return writeKeyPair(s.keyPairFile(), s.certificate)
}

func (s *Server) confDir() string     { return filepath.Join(s.dir, "conf") }
func (s *Server) logDir() string      { return filepath.Join(s.dir, "log") }
func (s *Server) publicDir() string   { return filepath.Join(s.dir, "public") }
func (s *Server) keyPairFile() string { return filepath.Join(s.confDir(), "server.pem") }

// Addr returns host:port.
func (s *Server) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// addrPort is Addr in the form that the kernel's tables are compared with.
func (s *Server) addrPort() netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(s.Host), uint16(s.Port))
}

// CAPool returns the authority that signed this server's certificate, the same
// for every server of this process; an empty pool without TLS or with a
// certificate from Options.
func (s *Server) CAPool() *x509.CertPool {
	pool := x509.NewCertPool()
	if s.CAFile != "" {
		if ca, err := processCA(); err == nil { // it cannot fail once it has issued
			pool.AddCert(ca.cert)
		}
	}
	return pool
}

// HostKeys returns an SFTP server's public host keys, for clients that pin them.
func (s *Server) HostKeys() []ssh.PublicKey { return append([]ssh.PublicKey(nil), s.hostKeys...) }
