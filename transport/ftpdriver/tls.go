package ftpdriver

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// tlsSetup is the TLS configuration of one control connection and its data
// connections. The session cache is its own: ProFTPD rejects data connections
// that resume another control connection's session. ServerName is always set:
// without it the cache's key would have the port, and no data connection would
// resume anything, which vsftpd and ProFTPD demand.
type tlsSetup struct {
	config   *tls.Config
	data     *tls.Config // of data connections, once the control connection has shown what is agreed on
	sessions *sessionCache

	requirePostQuantum, legacy bool
}

// sessionCache holds the newest session of one control connection and its data
// connections. Unlike that of crypto/tls it keeps the session when a handshake
// has failed: that of a data connection which the line has cut off would else
// take it away, and a server that demands its resumption refuse all that follow.
type sessionCache struct {
	mu    sync.Mutex
	state *tls.ClientSessionState
}

func (c *sessionCache) Get(string) (*tls.ClientSessionState, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state, c.state != nil
}

func (c *sessionCache) Put(_ string, state *tls.ClientSessionState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state != nil {
		c.state = state
	}
}

func newTLSSetup(ep *transport.Endpoint) (*tlsSetup, error) {
	opt, sessions := &ep.TLS, &sessionCache{}
	config, err := programConfig(opt)
	if err != nil {
		return nil, err
	}
	config.ClientSessionCache = sessions
	// Small first records help web pages, not files.
	config.DynamicRecordSizingDisabled = true
	if err := applyPolicy(config, ep); err != nil {
		return nil, err
	}
	if config.ServerName == "" {
		config.ServerName = ep.Host
	}
	if opt.CAFile != "" {
		pem, err := os.ReadFile(opt.CAFile)
		if err != nil {
			return nil, fmt.Errorf("TLS.CAFile: %w", err)
		}
		pool := x509.NewCertPool()
		if config.RootCAs != nil {
			pool = config.RootCAs.Clone()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("TLS.CAFile: %s holds no certificate in PEM form", opt.CAFile)
		}
		config.RootCAs = pool
	}
	if opt.InsecureSkipVerify {
		acceptAnyCertificate(config)
	}
	pins, require, program := opt.PinnedPublicKeys, ep.RequirePostQuantum, config.VerifyConnection
	// VerifyConnection also runs where a session is resumed.
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if require {
			if err := checkHybrid(state); err != nil {
				return err
			}
		}
		if len(pins) > 0 {
			if err := checkPin(state, pins); err != nil {
				return err
			}
		}
		if program != nil {
			return notTrusted("VerifyConnection", program(state))
		}
		return nil
	}
	return &tlsSetup{config: config, sessions: sessions, requirePostQuantum: require, legacy: opt.LegacyAlgorithms}, nil
}

// keyHash is the fingerprint of a certificate's public key.
func keyHash(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return "SHA256:" + base64.StdEncoding.EncodeToString(sum[:])
}

type pinError struct{ got string }

func (e *pinError) Error() string {
	return "the server's public key is " + e.got + ", which is none of the pinned ones"
}

func checkPin(state tls.ConnectionState, pins []string) error {
	if len(state.PeerCertificates) == 0 {
		return &pinError{"missing"}
	}
	got := keyHash(state.PeerCertificates[0])
	for _, pin := range pins {
		// OpenSSH writes base64 without padding, so both forms are taken.
		if strings.TrimRight(pin, "=") == strings.TrimRight(got, "=") {
			return nil
		}
	}
	return &pinError{got}
}

// client begins TLS over the socket of a data connection; the handshake follows.
func (s *tlsSetup) client(conn net.Conn) *tls.Conn {
	if s.data != nil {
		return tls.Client(conn, s.data)
	}
	return tls.Client(conn, s.config)
}

// handshake begins TLS on the control connection.
func (s *tlsSetup) handshake(ctx context.Context, wire *wire.Wire) (*tls.Conn, *transport.Security, error) {
	conn := tls.Client(wire, s.config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, nil, s.explainPolicy(remedy(err))
	}
	state := conn.ConnectionState()
	if state.CurveID != 0 && state.Version >= tls.VersionTLS13 {
		// What the server has chosen it will choose again: to make keys for others
		// too is a tenth of what a small file costs. In TLS 1.2 the same list says
		// which certificates may be shown (RFC 8422 section 5.1), and stays whole.
		s.data = s.config.Clone()
		s.data.CurvePreferences = []tls.CurveID{state.CurveID}
	}
	return conn, describe(state), nil
}

// neverResumes reports whether the server has given nothing that a data
// connection could resume: Go resumes TLS 1.2 sessions by ticket alone, and
// ProFTPD gives tickets only with "TLSSessionTickets on".
func (s *tlsSetup) neverResumes() bool {
	_, ok := s.sessions.Get("")
	return !ok
}

var errNoTickets = errors.New("the server demands that data connections resume the TLS session, and has given no session ticket: " +
	"let it speak TLS 1.3 or give tickets (ProFTPD: TLSSessionTickets on), or not demand it")

func describe(state tls.ConnectionState) *transport.Security {
	s := &transport.Security{
		Version:     tls.VersionName(state.Version),
		KeyExchange: state.CurveID.String(),
		Cipher:      tls.CipherSuiteName(state.CipherSuite),
	}
	s.PostQuantum = hybrid(state.CurveID)
	if state.CurveID == 0 {
		s.KeyExchange = "RSA"
	}
	if len(state.PeerCertificates) > 0 {
		s.HostKey = keyHash(state.PeerCertificates[0])
		s.CertificateExpiry = state.PeerCertificates[0].NotAfter
	}
	return s
}

// remedy says what to do about a certificate that does not verify.
func remedy(err error) error {
	var pin *pinError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &pin):
		return as(transport.KindCertificate, fmt.Errorf("%w: if the key was changed on purpose, add the new one to PinnedPublicKeys", err))
	case errors.As(err, &host):
		return fmt.Errorf("%w: connect to a name that the certificate has, or set TLS.Config.ServerName", err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		now := time.Now()
		if now.Before(invalid.Cert.NotBefore) {
			return fmt.Errorf("%w: the certificate begins at %s: look at this machine's clock", err, invalid.Cert.NotBefore.UTC().Format(time.RFC3339))
		}
		return fmt.Errorf("%w: the certificate expired at %s: the server needs a new one", err, invalid.Cert.NotAfter.UTC().Format(time.RFC3339))
	case errors.As(err, &authority):
		return fmt.Errorf("%w: name its authority in TLS.CAFile or TLS.Config.RootCAs", err)
	}
	return err
}
