package ftpxtest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Server is a set of servers, one for each protocol, on one folder with one user.
// Its methods may be called at any time from anywhere.
type Server struct {
	// Root is the folder that is served, on disk. Look at it, and change it, as a
	// program on the server's machine would.
	Root string
	// User is the name to log in with.
	User string
	// Password is the user's.
	Password string

	protocols []ftpx.Protocol
	trio      *testserver.Trio
	proxy     *faultproxy.Proxy
	routes    map[ftpx.Protocol]*faultproxy.Route // of the control or SSH connections
	data      *faultproxy.PassivePorts
	refuse    atomic.Int64 // logins still to be refused

	mu     sync.Mutex // one change of the faults at a time
	closed bool
}

// NewServer starts servers for the given protocols, all of them if none is given,
// and ends them with the test.
func NewServer(t testing.TB, protocols ...ftpx.Protocol) *Server {
	t.Helper()
	s, err := Start(protocols...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Start is [NewServer] for where there is no test. Close the server.
func Start(protocols ...ftpx.Protocol) (*Server, error) {
	if len(protocols) == 0 {
		protocols = []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTPSImplicit, ftpx.FTP}
	}
	for _, p := range protocols {
		if !p.Valid() {
			return nil, fmt.Errorf("ftpxtest: %v is no protocol: use ftpx.SFTP, FTPS, FTPSImplicit or FTP", p)
		}
	}
	root, err := os.MkdirTemp("", "ftpxtest-*")
	if err != nil {
		return nil, fmt.Errorf("ftpxtest: %w", err)
	}
	s := &Server{Root: root, protocols: slices.Clone(protocols), proxy: faultproxy.New(faultproxy.Options{}), routes: map[ftpx.Protocol]*faultproxy.Route{}}
	if err := s.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("ftpxtest: %w", err), s.Close())
	}
	return s, nil
}

func (s *Server) start() (err error) {
	s.data = s.proxy.PassivePorts(faultproxy.PassiveOptions{})
	s.trio, err = testserver.StartTrio(testserver.TrioOptions{Root: s.Root, PassivePorts: s.data, SFTP: s.refuseSSH, FTP: s.refuseFTP})
	if err != nil {
		return err
	}
	s.User, s.Password = s.trio.User, s.trio.Password
	for _, p := range s.protocols {
		if p == ftpx.FTPS && s.routes[ftpx.FTP] != nil {
			s.routes[p] = s.routes[ftpx.FTP] // one port, as everywhere
			continue
		}
		if p == ftpx.FTP && s.routes[ftpx.FTPS] != nil {
			s.routes[p] = s.routes[ftpx.FTPS]
			continue
		}
		o := faultproxy.RouteOptions{Role: faultproxy.Control, Target: s.trio.FTP.Addr().String()}
		switch p {
		case ftpx.SFTP:
			o = faultproxy.RouteOptions{Role: faultproxy.SSH, Target: s.trio.SFTP.Addr().String()}
		case ftpx.FTPSImplicit:
			o.Target = s.trio.FTPS.Addr().String()
		}
		if s.routes[p], err = s.proxy.Route(o); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the servers and every connection, waits for them, and removes Root.
// It may be called more than once.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.proxy.Close()
	if s.trio != nil {
		err = errors.Join(err, s.trio.Close())
	}
	return errors.Join(err, os.RemoveAll(s.Root))
}

// Port returns the port of a protocol, 0 if it was not asked for.
func (s *Server) Port(p ftpx.Protocol) int {
	if r := s.routes[p]; r != nil {
		return r.Port()
	}
	return 0
}

// URL is for [ftpx.Open], together with [Server.Options]: ftpx://user@127.0.0.1/,
// or with a single protocol the one with its scheme and port, for instance
// sftp://user@127.0.0.1:40022/.
func (s *Server) URL() string {
	if len(s.protocols) > 1 {
		return "ftpx://" + s.User + "@127.0.0.1/"
	}
	scheme := map[ftpx.Protocol]string{ftpx.SFTP: "sftp", ftpx.FTPS: "ftpes", ftpx.FTPSImplicit: "ftps", ftpx.FTP: "ftp"}[s.protocols[0]]
	return fmt.Sprintf("%s://%s@127.0.0.1:%d/", scheme, s.User, s.Port(s.protocols[0]))
}

// Options returns what a client needs to connect: the password, the protocols in
// the order in which they were given and their ports, trust in the servers' keys,
// and plain FTP allowed if it was asked for. Pauses between attempts are those of
// [Quick]. They are the caller's to change.
func (s *Server) Options() *ftpx.Options {
	return &ftpx.Options{
		Password:       ftpx.Secret(s.Password),
		Protocols:      slices.Clone(s.protocols),
		AllowPlaintext: slices.Contains(s.protocols, ftpx.FTP),
		Ports: ftpx.Ports{SFTP: s.Port(ftpx.SFTP), FTP: s.Port(ftpx.FTP), FTPS: s.Port(ftpx.FTPS),
			FTPSImplicit: s.Port(ftpx.FTPSImplicit)},
		SSH:   transport.SSH{HostKeyFingerprints: []string{s.HostKey()}},
		TLS:   transport.TLS{Config: &tls.Config{RootCAs: s.CertPool()}},
		Retry: Quick(),
	}
}

// Quick is the retry policy of tests: as many attempts as by default, with pauses
// of 10 to 100 ms.
func Quick() retry.Policy {
	return retry.Policy{InitialDelay: 10 * time.Millisecond, MaxDelay: 100 * time.Millisecond, BusyDelay: 10 * time.Millisecond}
}

// HostKey returns the fingerprint of the SSH host key, as "SHA256:" and base64.
func (s *Server) HostKey() string { return ssh.FingerprintSHA256(s.trio.SFTP.HostKey()) }

// CertPool returns the authority that has signed the certificate of the FTP
// servers, for 127.0.0.1 and localhost.
func (s *Server) CertPool() *x509.CertPool { return s.trio.CA.Pool() }

// WriteTrust writes into a folder what a command line client wants: ca.pem, and
// known_hosts with the SSH server's address.
func (s *Server) WriteTrust(dir string) (caFile, knownHosts string, err error) {
	var addrs []string
	if p := s.Port(ftpx.SFTP); p != 0 {
		addrs = append(addrs, net.JoinHostPort("127.0.0.1", fmt.Sprint(p)))
	}
	return s.trio.WriteFiles(dir, addrs...)
}
