package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/ftpdriver"
)

// loginFactor is how much longer than another step a login may take: directories,
// reverse look-ups and delays against guessing are in it.
const loginFactor = 3

// ftp examines FTP and FTPS: one connection, one login, one command at a time.
func (s *seen) ftpProbe(ctx context.Context) {
	conn, err := s.connect(ctx, 0)
	if err != nil {
		s.stopAt(atConnected, "connecting", err, reply{})
		return
	}
	s.reached = atConnected
	c := newControl(ctx, conn, s.opt.StepTimeout)
	defer func() { c.close() }()
	config, err := s.tlsConfig()
	if err != nil {
		s.stopAt(atProtected, "reading the TLS settings", err, reply{})
		return
	}
	if s.ep.Protocol == transport.FTPSImplicit && !s.secure(c, config) {
		s.again(ctx)
		return
	}
	if !s.greet(c) {
		s.again(ctx)
		return
	}
	if s.ep.Protocol == transport.FTPS && (!s.authTLS(c) || !s.secure(c, config)) {
		s.again(ctx)
		return
	}
	s.reached = atProtected
	if !s.logIn(c) {
		return
	}
	s.reached, s.loggedIn = atLoggedIn, true
	s.ask(c)
	s.list(c, config)
	if s.stop == nil {
		s.reached = atServed
		s.tryVerbs(c)
		s.tryPipelining(c)
	}
	if s.opt.Idle > 0 && s.stop == nil {
		s.idleFTP(c)
	}
}

// tlsConfig is the driver's own, nil on plain FTP.
func (s *seen) tlsConfig() (*tls.Config, error) {
	if !s.ep.Protocol.Secure() {
		return nil, nil
	}
	config, err := ftpdriver.TLSConfig(s.ep)
	if err != nil {
		return nil, err
	}
	return config, nil
}

// greet reads the greeting.
func (s *seen) greet(c *control) bool {
	begin := time.Now()
	r, err := c.next(loginFactor * s.opt.StepTimeout)
	s.ftp.greeting, s.ftp.greetingTook = r, time.Since(begin)
	s.server = firstLine(r.text)
	if c.seen != "" {
		s.server = c.seen
	}
	s.software = softwareOf(s.server, "")
	switch {
	case err != nil:
		s.stopAt(atGreeted, "waiting for the greeting", err, reply{})
		return false
	case r.code != 220:
		s.stopAt(atGreeted, "waiting for the greeting", nil, r)
		return false
	}
	s.reached = atGreeted
	return true
}

// firstLine is the first line that says something: Pure-FTPd frames its greeting.
func firstLine(text string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.Trim(line, " -"); line != "" {
			return line
		}
	}
	return ""
}

// authTLS asks for TLS (RFC 4217 section 4).
func (s *seen) authTLS(c *control) bool {
	r, err := c.command("AUTH TLS")
	switch {
	case err != nil:
		s.stopAt(atProtected, "waiting for the answer to AUTH TLS", err, reply{})
		return false
	case r.code != 234:
		s.stopAt(atProtected, "asking for TLS", nil, r)
		return false
	}
	return true
}

// secure makes the handshake and keeps the chain, verified or not.
func (s *seen) secure(c *control, config *tls.Config) bool {
	begin := time.Now()
	c.deadline(s.opt.StepTimeout)
	conn := tls.Client(c.conn, config)
	err := conn.Handshake()
	s.tls.took = time.Since(begin)
	var unverified *tls.CertificateVerificationError
	if errors.As(err, &unverified) {
		s.tls.chain, s.tls.verify = unverified.UnverifiedCertificates, err
	}
	if err != nil {
		s.stopAt(atProtected, "shaking hands for TLS", err, reply{})
		return false
	}
	state := conn.ConnectionState()
	s.tls.chain = state.PeerCertificates
	s.tls.version, s.tls.exchange = tls.VersionName(state.Version), state.CurveID.String()
	s.tls.hybrid = strings.Contains(s.tls.exchange, "MLKEM")
	if state.CurveID == 0 {
		s.tls.exchange = "RSA"
	}
	c.over(conn)
	return true
}

// again takes a second try at what failed before the login, in the two cases in which that
// tells the cause: packets of full size may be lost on the way, or the server speaks older
// versions of TLS alone. Over FTP no server minds.
func (s *seen) again(ctx context.Context) {
	st := s.stop
	if st == nil || ctx.Err() != nil {
		return
	}
	switch {
	case timedOut(st.err) && st.at == atProtected && s.ep.Dial == nil && smallSegments(smallest) != nil:
		s.tcp.smallTried, s.tcp.smallWhat = true, st.what
		s.tcp.smallWorks = s.handshakes(ctx, smallest, nil)
	case s.versionRefused() && s.ep.RequirePostQuantum && s.handshakes(ctx, 0, withoutHybrid):
		s.tls.lacksHybrid = true
	case s.versionRefused():
		for _, v := range []uint16{tls.VersionTLS11, tls.VersionTLS10} {
			if s.handshakes(ctx, 0, func(c *tls.Config) { oldVersion(c, v) }) {
				s.tls.older = append(s.tls.older, tls.VersionName(v))
				break
			}
		}
	}
}

// versionRefused reports whether the handshake failed for what both sides may speak.
func (s *seen) versionRefused() bool {
	if !s.failing(atProtected) || s.stop.err == nil {
		return false
	}
	text := s.stop.err.Error()
	for _, part := range []string{"protocol version", "no supported versions", "handshake failure", "insufficient security",
		"no mutually supported", "unsupported protocol", "unconfigured cipher suite", "unsupported curve"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// withoutHybrid lets a configuration do without a post-quantum part.
func withoutHybrid(c *tls.Config) {
	c.MinVersion, c.CurvePreferences, c.VerifyConnection = tls.VersionTLS12, nil, nil
}

// oldVersion lets a configuration speak one version, with the suites of its time. Nothing but
// the handshake is made with it.
func oldVersion(c *tls.Config, version uint16) {
	c.MinVersion, c.MaxVersion = version, version
	c.CipherSuites = nil
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		c.CipherSuites = append(c.CipherSuites, s.ID)
	}
}

// handshakes goes up to the TLS handshake on a connection of its own and reports whether
// that was made, whatever became of the certificate.
func (s *seen) handshakes(ctx context.Context, segment int, change func(*tls.Config)) bool {
	attempts, conns := len(s.tcp.attempts), len(s.tcp.conns)
	defer func() { s.tcp.attempts, s.tcp.conns = s.tcp.attempts[:attempts], s.tcp.conns[:conns] }()
	config, err := s.tlsConfig()
	if err != nil || config == nil {
		return false
	}
	if change != nil {
		change(config)
	}
	conn, err := s.connect(ctx, segment)
	if err != nil {
		return false
	}
	c := newControl(ctx, conn, s.opt.StepTimeout)
	defer c.abort()
	if s.ep.Protocol == transport.FTPS {
		if r, err := c.next(s.opt.StepTimeout); err != nil || r.code != 220 {
			return false
		}
		if r, err := c.command("AUTH TLS"); err != nil || r.code != 234 {
			return false
		}
	}
	c.deadline(s.opt.StepTimeout)
	err = tls.Client(c.conn, config).Handshake()
	var unverified *tls.CertificateVerificationError
	return err == nil || errors.As(err, &unverified)
}

// logIn sends USER and PASS.
func (s *seen) logIn(c *control) bool {
	user, password := s.ep.User, s.ep.Password.Reveal()
	if user == "" {
		user = "anonymous"
		if password == "" {
			password = "anonymous@"
		}
	}
	begin := time.Now()
	wait := loginFactor * s.opt.StepTimeout
	r, err := c.within(wait, "USER "+user)
	s.ftp.user = r
	if err == nil && r.code == 331 {
		r, err = c.within(wait, "PASS "+password)
		s.ftp.pass = r
	}
	s.ftp.loginTook = time.Since(begin)
	if err == nil && r.code == 230 {
		return true
	}
	s.stopAt(atLoggedIn, "logging in", err, r)
	return false
}

// leaf is the server's own certificate, nil for none.
func (t *seenTLS) leaf() *x509.Certificate {
	if len(t.chain) == 0 {
		return nil
	}
	return t.chain[0]
}
