package securitydrill

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

var (
	explicit    = []ftpx.Protocol{ftpx.FTPS}
	implicitly  = []ftpx.Protocol{ftpx.FTPSImplicit}
	certificate = []transport.Kind{transport.KindCertificate}
	insecure    = []transport.Kind{transport.KindInsecure}
)

// server is an FTP server in the place of the good one, which goes by a
// certificate and options of its own.
func server(mode testserver.TLSMode, config func(*scene) *tls.Config, change func(*testserver.FTPOptions)) func(*scene) {
	return func(s *scene) {
		srv := s.ftpWith(mode, config(s), change)
		l := s.ftp
		if mode == testserver.ImplicitTLS {
			l = s.implicit
		}
		l.take(to(srv.Addr().String()))
	}
}

func showing(cert func(*scene) (tls.Certificate, error)) func(*scene) *tls.Config {
	return func(s *scene) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{must(cert(s))}}
	}
}

var (
	expired   = showing(func(s *scene) (tls.Certificate, error) { return s.ca.Expired("127.0.0.1") })
	otherName = showing(func(s *scene) (tls.Certificate, error) { return s.ca.ServerFor("other.example") })
	unknownCA = showing(func(*scene) (tls.Certificate, error) {
		return must(pki.NewCA("somebody else")).ServerFor("127.0.0.1")
	})
	clients = showing(func(s *scene) (tls.Certificate, error) {
		return s.ca.Client(pki.CertOptions{Hosts: []string{"127.0.0.1"}})
	})
	good = showing(func(s *scene) (tls.Certificate, error) { return s.ca.ServerFor("127.0.0.1") })
	// behindAnother shows the good server's certificate, which anybody can have, behind a
	// leaf of its own that the authority has signed.
	behindAnother = showing(func(s *scene) (tls.Certificate, error) {
		leaf, err := s.ca.ServerFor("127.0.0.1")
		leaf.Certificate = append(leaf.Certificate, s.cert.Certificate...)
		return leaf, err
	})
)

// old speaks nothing newer than TLS 1.1.
func old(s *scene) *tls.Config {
	c := good(s)
	c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	return c
}

// answers has a server with a good certificate answer a command by itself.
func answers(verb, reply string) func(*scene) {
	return server(testserver.ExplicitTLS, good, func(o *testserver.FTPOptions) {
		o.OnCommand = func(v, _ string) string {
			if v == verb {
				return reply
			}
			return ""
		}
	})
}

// stripped has somebody on the way answer AUTH TLS, in front of the good server,
// which would take the password in clear.
func stripped(reply string) func(*scene) {
	return func(s *scene) {
		s.ftp.take(strips(s.ftpServer.Addr().String(), func(command string) string {
			if strings.HasPrefix(strings.ToUpper(command), "AUTH") {
				return reply
			}
			return ""
		}))
	}
}

// injected puts text behind the good server's greeting.
func injected(text string) func(*scene) {
	return func(s *scene) {
		s.ftp.take(func(client net.Conn) {
			server, err := net.Dial("tcp", s.ftpServer.Addr().String())
			if err != nil {
				return
			}
			buf := make([]byte, 1024)
			n, err := server.Read(buf)
			if err == nil {
				_, err = client.Write(append(buf[:n], text...))
			}
			if err != nil {
				_ = server.Close()
				return
			}
			both(client, client, server)
		})
	}
}

// bounced has the good server's 227 name a host that is not its own, on which
// somebody listens.
func bounced(s *scene) {
	const victim = "127.0.0.9"
	if l, err := net.Listen("tcp", victim+":0"); err != nil {
		s.t.Skipf("this system has one loopback address: %v", err)
	} else {
		_ = l.Close()
	}
	swallow := func(c net.Conn) {
		s.t.Error("a data connection was opened to an address that a server named")
		swallows(c)
	}
	server(testserver.ExplicitTLS, good, func(o *testserver.FTPOptions) {
		o.Disable = []string{"EPSV"}
		o.OnReply = func(verb, line string) string {
			i := strings.IndexByte(line, '(')
			if verb != "PASV" || i < 0 {
				return line
			}
			var h [4]int
			var hi, lo int
			if _, err := fmt.Sscanf(line[i:], "(%d,%d,%d,%d,%d,%d)", &h[0], &h[1], &h[2], &h[3], &hi, &lo); err != nil {
				s.t.Error(err)
				return line
			}
			l, err := listen(s.tap, fmt.Sprintf("%s:%d", victim, hi<<8|lo), swallow)
			if err != nil {
				s.t.Error(err)
				return line
			}
			s.t.Cleanup(l.close)
			return fmt.Sprintf("227 Entering Passive Mode (%s,%d,%d)", strings.ReplaceAll(victim, ".", ","), hi, lo)
		}
	})(s)
}

// pinOf is how the client takes a public key.
func pinOf(cert tls.Certificate) string {
	sum := must(pki.PublicKeyPin(cert))
	return "SHA256:" + base64.StdEncoding.EncodeToString(sum[:])
}

// pinsTheGoodOne has the client know the good server's key.
func pinsTheGoodOne(s *scene) { s.opts.TLS.PinnedPublicKeys = []string{pinOf(s.cert)} }

var tlsDrills = []drill{
	{name: "FTPS: a certificate that has expired", protocols: explicit, attack: server(testserver.ExplicitTLS, expired, nil), kinds: certificate, says: "expired"},
	{name: "FTPS: a certificate for another name", protocols: explicit, attack: server(testserver.ExplicitTLS, otherName, nil), kinds: certificate, says: "ServerName"},
	{name: "FTPS: a certificate of an unknown authority", protocols: explicit, attack: server(testserver.ExplicitTLS, unknownCA, nil), kinds: certificate, says: "CAFile"},
	{name: "FTPS: a client's certificate as a server's", protocols: explicit, attack: server(testserver.ExplicitTLS, clients, nil), kinds: certificate},
	{name: "FTPS: another key than the pinned one", protocols: explicit, kinds: certificate, says: "PinnedPublicKeys",
		prepare: pinsTheGoodOne, attack: server(testserver.ExplicitTLS, good, nil)},
	{name: "FTPS: the pinned certificate behind another leaf", protocols: explicit, kinds: certificate, says: "PinnedPublicKeys",
		prepare: pinsTheGoodOne, attack: server(testserver.ExplicitTLS, behindAnother, nil)},
	{name: "FTPS: the pinned certificate behind another leaf, where none is verified", protocols: explicit, kinds: certificate, says: "PinnedPublicKeys",
		prepare: func(s *scene) {
			pinsTheGoodOne(s)
			s.opts.TLS.Config, s.opts.TLS.InsecureSkipVerify = nil, true
		},
		attack: server(testserver.ExplicitTLS, behindAnother, nil)},
	{name: "FTPS implicit: the pinned certificate behind another leaf", protocols: implicitly, kinds: certificate, says: "PinnedPublicKeys",
		prepare: pinsTheGoodOne, attack: server(testserver.ImplicitTLS, behindAnother, nil)},
	{name: "FTPS: TLS 1.0 and 1.1 alone", protocols: explicit, attack: server(testserver.ExplicitTLS, old, nil), kinds: insecure},
	{name: "FTPS implicit: a certificate that has expired", protocols: implicitly, attack: server(testserver.ImplicitTLS, expired, nil), kinds: certificate, says: "expired"},
	{name: "FTPS implicit: a certificate for another name", protocols: implicitly, attack: server(testserver.ImplicitTLS, otherName, nil), kinds: certificate},
	{name: "FTPS implicit: a certificate of an unknown authority", protocols: implicitly, attack: server(testserver.ImplicitTLS, unknownCA, nil), kinds: certificate},
	{name: "FTPS implicit: TLS 1.0 and 1.1 alone", protocols: implicitly, attack: server(testserver.ImplicitTLS, old, nil), kinds: insecure},
	{name: "FTPS implicit: a server in clear", protocols: implicitly, kinds: []transport.Kind{transport.KindNotOffered, transport.KindUnreachable},
		attack: func(s *scene) { s.implicit.take(says("220 ready\r\n331 password, please\r\n230 logged in\r\n")) }},

	{name: "FTPS: AUTH TLS is answered 234, and clear text follows", protocols: explicit, kinds: []transport.Kind{transport.KindProtocol},
		attack: func(s *scene) {
			s.ftp.take(func(client net.Conn) {
				_, _ = fmt.Fprint(client, "220 ready\r\n")
				buf := make([]byte, 1024)
				_, _ = client.Read(buf) // AUTH TLS
				_, _ = fmt.Fprint(client, "234 go ahead\r\n")
				_, _ = client.Read(buf) // the handshake begins
				says("331 password, please\r\n230 logged in\r\n")(client)
			})
		}},
	{name: "FTPS: replies in clear are put behind the 234", protocols: explicit, attack: stripped("234 go ahead\r\n331 password, please\r\n230 logged in\r\n"), kinds: insecure},
	{name: "FTPS: half a reply in clear is put behind the 234", protocols: explicit, attack: stripped("234 go ahead\r\n33"), kinds: insecure},
	{name: "FTPS: replies in clear are put behind the greeting", protocols: explicit, kinds: []transport.Kind{transport.KindProtocol, transport.KindInsecure, transport.KindLost},
		attack: injected("234 go ahead\r\n331 password, please\r\n230 logged in\r\n")},

	{name: "FTPS: PROT P is refused", protocols: explicit, attack: answers("PROT", "534 Request denied for policy reasons."), kinds: insecure, tells: true},
	{name: "FTPS: PROT P is unknown", protocols: explicit, attack: answers("PROT", "500 PROT not understood"), kinds: insecure, tells: true},
	{name: "FTPS: PROT P is superfluous", protocols: explicit, attack: answers("PROT", "202 superfluous"), kinds: insecure, tells: true},
	// PROT decides: what PBSZ would settle has one value only under TLS (RFC 4217 section 8).
	{name: "FTPS: PBSZ is refused", protocols: explicit, opens: true, attack: answers("PBSZ", "503 no"), tells: true, succeeds: true},
	{name: "FTPS: a data connection without TLS", protocols: explicit, opens: true, tells: true, quiet: true,
		attack: answers("PROT", "200 Protection set to P"), // and it stays in clear
		kinds:  []transport.Kind{transport.KindStalled, transport.KindTimeout, transport.KindLost, transport.KindProtocol, transport.KindInsecure}},
	{name: "FTPS: PASV names the address of another host", protocols: explicit, opens: true, tells: true, attack: bounced, succeeds: true},
}
