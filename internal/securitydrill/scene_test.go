package securitydrill

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// within bounds a play of a case, so that a wait for nothing shows as such.
const within = time.Minute

// A scene is a good server of each kind, the lines that lead to them, and what a
// client needs to reach them.
type scene struct {
	t        *testing.T
	tap      *tap
	ca       *pki.CA
	hostCA   *pki.SSHCA
	hostKey  *pki.SSHKey // of the good SFTP server
	root     string
	password string
	marker   []byte // what every file holds, over and over
	told     told   // what wrong servers were given
	data     *dataPorts
	cert     tls.Certificate // of the good FTP servers

	ftpServer, implicitServer *testserver.FTPServer
	sftpServer                *testserver.SFTPServer
	ssh, ftp, implicit        *line

	opts ftpx.Options
}

// told records what servers were given under encryption, where no tap can see it.
type told struct {
	mu    sync.Mutex
	lines []string
}

func (s *told) say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

func (s *told) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = nil
}

func (s *told) holds(secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.lines, func(l string) bool { return strings.Contains(l, secret) })
}

func random(t *testing.T, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// hostCert has the good SSH server show a certificate in place of a bare key.
func newScene(t *testing.T, hostCert bool) *scene {
	t.Helper()
	s := &scene{t: t, tap: &tap{}, root: t.TempDir(), marker: random(t, 32), password: "pw-" + hex.EncodeToString(random(t, 16)),
		ca: must(pki.NewCA("security drill")), hostCA: must(pki.NewSSHCA()), hostKey: must(pki.NewSSHKey())}
	s.data = &dataPorts{tap: s.tap}
	t.Cleanup(s.data.close)
	if err := os.WriteFile(filepath.Join(s.root, "there"), s.payload(), 0o600); err != nil {
		t.Fatal(err)
	}
	signer := s.hostKey.Signer
	if hostCert {
		signer = s.certified(s.hostKey, s.hostCA, pki.SSHCertOptions{Principals: []string{"127.0.0.1"}})
	}
	s.sftpServer = s.sftpWith(testserver.SFTPOptions{HostKeys: []ssh.Signer{signer}})
	s.cert = must(s.ca.ServerFor("127.0.0.1"))
	s.ftpServer = s.ftpWith(testserver.ExplicitTLS, &tls.Config{Certificates: []tls.Certificate{s.cert}}, nil)
	s.implicitServer = s.ftpWith(testserver.ImplicitTLS, &tls.Config{Certificates: []tls.Certificate{s.cert}}, nil)
	s.ssh = newLine(t, s.tap, to(s.sftpServer.Addr().String()))
	s.ftp = newLine(t, s.tap, to(s.ftpServer.Addr().String()))
	s.implicit = newLine(t, s.tap, to(s.implicitServer.Addr().String()))
	s.told.forget()
	s.opts = ftpx.Options{
		Password: ftpx.Secret(s.password),
		Ports:    ftpx.Ports{SFTP: s.ssh.port(), FTP: s.ftp.port(), FTPSImplicit: s.implicit.port()},
		SSH:      transport.SSH{HostKeyFingerprints: []string{s.hostKey.Fingerprint()}},
		TLS:      transport.TLS{Config: &tls.Config{RootCAs: s.ca.Pool()}},
		Timeouts: ftpx.Timeouts{Connect: within / 2, Stall: within / 2, HeadStart: within / 2},
		// Enough for who would try something else the second time.
		Retry: retry.Policy{MaxAttempts: 2, InitialDelay: time.Millisecond, BusyDelay: time.Millisecond},
	}
	return s
}

// payload is a file that shows its marker wherever it is looked at.
func (s *scene) payload() []byte { return bytes.Repeat(s.marker, 4096) }

// sftpWith starts an SFTP server that knows the user, and tells what it is told.
func (s *scene) sftpWith(o testserver.SFTPOptions) *testserver.SFTPServer {
	s.t.Helper()
	o.Root, o.Password = s.root, s.password
	o.Configure = func(c *ssh.ServerConfig) {
		check := c.PasswordCallback
		c.PasswordCallback = func(conn ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			s.told.say(string(password))
			return check(conn, password)
		}
	}
	srv, err := testserver.StartSFTP(o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = srv.Close() })
	return srv
}

// ftpWith starts an FTP server that knows the user, and tells what it is told.
func (s *scene) ftpWith(mode testserver.TLSMode, config *tls.Config, change func(*testserver.FTPOptions)) *testserver.FTPServer {
	s.t.Helper()
	o := testserver.FTPOptions{Root: s.root, Password: s.password, TLS: mode, TLSConfig: config, PassivePorts: s.data}
	if change != nil {
		change(&o)
	}
	hook := o.OnCommand
	o.OnCommand = func(verb, argument string) string {
		s.told.say(verb + " " + argument)
		if hook != nil {
			return hook(verb, argument)
		}
		return ""
	}
	srv, err := testserver.StartFTP(o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = srv.Close() })
	return srv
}

// certified is a host key with a certificate.
func (s *scene) certified(key *pki.SSHKey, ca *pki.SSHCA, o pki.SSHCertOptions) ssh.Signer {
	cert, err := ca.SignHost(key.Public(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	return must(key.CertSigner(cert))
}

// knownHosts makes the client go by a known_hosts file in place of a pin.
func (s *scene) knownHosts(lines ...string) {
	file := filepath.Join(s.t.TempDir(), "known_hosts")
	if err := pki.WriteKnownHosts(file, lines...); err != nil {
		s.t.Fatal(err)
	}
	s.opts.SSH = transport.SSH{KnownHosts: []string{file}}
}

func (s *scene) sshAddr() string { return s.ssh.listener.Addr().String() }

func (s *scene) open(ctx context.Context) (ftpx.Client, error) {
	return ftpx.New(ctx, ftpx.Config{Host: "127.0.0.1", User: "user", Options: s.opts})
}

// dataPorts puts a tap on every passive port that an FTP server announces. It is
// an ftpserverlib PasvPortGetter.
type dataPorts struct {
	tap *tap

	mu    sync.Mutex
	lines []*line
}

func (d *dataPorts) NumberAttempts() int { return 10 }

// FetchNext listens where the client will come, and leads to where the server will.
func (d *dataPorts) FetchNext() (exposed, listened int, ok bool) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, 0, false
	}
	listened = free.Addr().(*net.TCPAddr).Port
	_ = free.Close()
	l, err := listen(d.tap, "127.0.0.1:0", to(fmt.Sprintf("127.0.0.1:%d", listened)))
	if err != nil {
		return 0, 0, false
	}
	d.mu.Lock()
	d.lines = append(d.lines, l)
	d.mu.Unlock()
	return l.port(), listened, true
}

func (d *dataPorts) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.lines {
		l.close()
	}
}

// shown fails the test if an error shows a secret, in any form of printing.
func (s *scene) shown(err error) {
	s.t.Helper()
	text := fmt.Sprintf("%v %+v %#v", err, err, err)
	for e := err; e != nil; e = errors.Unwrap(e) {
		text += e.Error()
	}
	if strings.Contains(text, s.password) || strings.Contains(text, string(s.marker)) {
		s.t.Errorf("the error shows the password or the payload: %v", err)
	}
}
