package turns

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A server is one that the tests speak to, embedded or real, and the line to its
// data connections.
type server struct {
	name           string // of its rows in the golden file
	proto          ftpx.Protocol
	addr           string // host:port of SSH or of the control connection
	user, password string
	hostKeys       []ssh.PublicKey // of SSH
	authority      *x509.CertPool  // of FTPS
	root           string          // what it serves, on disk
	own            func(path string) error
	lineHost       string // where its data connections can be reached through the line
	line           *line
}

// A line is what FTP's data connections pass.
type line struct {
	proxy *faultproxy.Proxy
	fuse  atomic.Pointer[faultproxy.Fault] // of the next data connection, once
}

func newLine(t testing.TB) *line {
	l := &line{proxy: faultproxy.New(faultproxy.Options{Shape: faultproxy.Shape{UpDelay: delay, DownDelay: delay}})}
	t.Cleanup(func() { _ = l.proxy.Close() })
	return l
}

// plan is a [faultproxy.Plan].
func (l *line) plan(faultproxy.ConnInfo) faultproxy.Fault {
	if f := l.fuse.Swap(nil); f != nil {
		return *f
	}
	return faultproxy.Fault{}
}

// embedded starts the embedded servers: SFTP, FTP and FTPS on one folder each.
func embedded(t testing.TB) []*server {
	t.Helper()
	var all []*server
	for _, proto := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP, ftpx.FTPS} {
		l := newLine(t)
		trio, err := testserver.StartTrio(testserver.TrioOptions{
			Root: t.TempDir(), PassivePorts: l.proxy.PassivePorts(faultproxy.PassiveOptions{Plan: l.plan}),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = trio.Close() })
		s := &server{
			name: proto.String(), proto: proto, addr: trio.FTP.Addr().String(), user: trio.User, password: trio.Password,
			hostKeys: []ssh.PublicKey{trio.SFTP.HostKey()}, authority: trio.CA.Pool(), root: trio.Root,
			own: func(string) error { return nil }, lineHost: "127.0.0.1", line: l,
		}
		if proto == ftpx.SFTP {
			s.addr = trio.SFTP.Addr().String()
		}
		all = append(all, s)
	}
	return all
}

// sshConfig logs the relay in.
func (s *server) sshConfig() *ssh.ClientConfig {
	return &ssh.ClientConfig{
		User: s.user, Auth: []ssh.AuthMethod{ssh.Password(s.password)}, Timeout: time.Minute,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			for _, k := range s.hostKeys {
				if bytes.Equal(k.Marshal(), key.Marshal()) {
					return nil
				}
			}
			return errors.New("not a key of the server")
		},
	}
}

// checkPassword lets the client log in at the relay.
func (s *server) checkPassword(meta ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
	if meta.User() != s.user || string(password) != s.password {
		return nil, errors.New("not the password")
	}
	return nil, nil
}

// A session is one client and what counts its turns.
type session struct {
	*meter
	client ftpx.Client
	fuse   *fuse
	server *server
	cancel context.CancelFunc // of ctx, which ends at the first retry if asked to
	ctx    context.Context
}

// A choice is what differs between sessions.
type choice struct {
	charset bool // Options.Charset is set
	once    bool // the session's context ends with its first failure
	single  bool // Limits.Conns is 1
}

// open opens a client through relays of its own.
func (s *server) open(t testing.TB, ch choice) *session {
	t.Helper()
	x := &session{meter: &meter{}, fuse: &fuse{}, server: s}
	x.ctx, x.cancel = context.WithCancel(t.Context())
	t.Cleanup(x.cancel)
	opt := s.options()
	host := s.lineHost
	var port int
	if s.proto == ftpx.SFTP {
		r, key := sshRelay(t, x.meter, x.fuse, s)
		host, port = "127.0.0.1", r.port()
		opt.SSH.HostKeyFingerprints = []string{ssh.FingerprintSHA256(key)}
	} else {
		port = controlRelay(t, x.meter, host, s.addr).port()
	}
	opt.Ports = ftpx.Ports{SFTP: port, FTP: port}
	opt.Hooks = &ftpx.Hooks{
		Command: func(_ context.Context, i ftpx.CommandInfo) {
			if i.Protocol != ftpx.SFTP {
				x.say(spoken(i.Line))
			}
		},
		Retry: func(context.Context, ftpx.RetryInfo) {
			if ch.once {
				x.cancel()
			}
		},
	}
	if ch.charset {
		opt.Charset = simplifiedchinese.GB18030
	}
	if ch.single {
		opt.Limits.Conns = 1
	}
	x.client = s.dial(t, host, opt)
	return x
}

// options are those of every client of the server.
func (s *server) options() ftpx.Options {
	opt := ftpx.Options{
		Password: ftpx.Secret(s.password), Protocols: []ftpx.Protocol{s.proto}, AllowPlaintext: s.proto == ftpx.FTP,
		TLS: transport.TLS{Config: &tls.Config{RootCAs: s.authority, ServerName: "127.0.0.1"}},
	}
	for _, k := range s.hostKeys {
		opt.SSH.HostKeyFingerprints = append(opt.SSH.HostKeyFingerprints, ssh.FingerprintSHA256(k))
	}
	return opt
}

func (s *server) dial(t testing.TB, host string, opt ftpx.Options) ftpx.Client {
	t.Helper()
	c, err := ftpx.New(t.Context(), ftpx.Config{Host: host, User: s.user, Options: opt})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// resetAfter has the next transfer's connection reset after n bytes of payload.
func (x *session) resetAfter(up bool, n int64) {
	dir, left := faultproxy.Down, &x.fuse.down
	if up {
		dir, left = faultproxy.Up, &x.fuse.up
	}
	if x.server.proto == ftpx.SFTP {
		left.Store(n)
		return
	}
	f := faultproxy.ResetAt(dir, n)
	f.Grace = 4 * delay // for the receiver to take what it was sent
	x.server.line.fuse.Store(&f)
}
