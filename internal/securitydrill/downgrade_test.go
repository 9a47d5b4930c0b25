package securitydrill

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

var (
	any3 = []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTPSImplicit}
	away = []transport.Kind{transport.KindUnreachable, transport.KindNotOffered, transport.KindTimeout}
)

// onSSH has an attacker answer on the SSH port; the FTP port leads to a server
// that takes a login in clear.
func onSSH(way handler) func(*scene) { return func(s *scene) { s.ssh.take(way) } }

// everywhere is an attacker before all that protects.
func everywhere(way handler) func(*scene) {
	return func(s *scene) {
		s.ssh.take(way)
		s.implicit.take(way)
		stripped("500 AUTH not understood\r\n")(s)
	}
}

// Where plain FTP is not allowed nothing leads to it. Where it is, and nothing
// better has ever worked, whoever is on the way can have it: that is what the
// permission says. But a reset is not taken for absence even then, and once a
// protocol that protects has worked there is no way down.
var downgradeDrills = []drill{
	{name: "downgrade: the SSH port is reset, plain FTP allowed", protocols: overSSH, plain: true, attack: onSSH(resets), kinds: []transport.Kind{transport.KindLost}},
	{name: "downgrade: the SSH port is reset at once, plain FTP allowed", protocols: overSSH, plain: true, attack: onSSH(refuses), kinds: []transport.Kind{transport.KindLost}},
	{quiet: true, name: "downgrade: the SSH server says its name and no more, plain FTP allowed", protocols: overSSH, plain: true, attack: onSSH(says("SSH-2.0-OpenSSH_9.2\r\n")), kinds: away},
	{quiet: true, name: "downgrade: AUTH TLS is answered 234 and then nothing, plain FTP allowed", protocols: explicit, plain: true, attack: greetsAndStalls, kinds: away},
	{quiet: true, name: "downgrade: the SSH port is black-holed, plain FTP not allowed", protocols: overSSH, attack: onSSH(swallows), kinds: append(away, transport.KindStalled)},
	{quiet: true, name: "downgrade: the SSH port is black-holed, plain FTP allowed", protocols: overSSH, plain: true, only: later, attack: onSSH(swallows), kinds: away, says: "has worked on this host before"},
	{quiet: true, name: "downgrade: the SSH port answers garbage, plain FTP not allowed", protocols: overSSH, attack: onSSH(says("\x00\x01garbage\r\n\xff")), kinds: away},
	{quiet: true, name: "downgrade: the SSH port answers garbage, plain FTP allowed", protocols: overSSH, plain: true, only: later, attack: onSSH(says("HTTP/1.1 400 Bad Request\r\n\r\n")), kinds: away, says: "has worked on this host before"},
	{name: "downgrade: AUTH TLS is answered 500, plain FTP not allowed", protocols: explicit, attack: stripped("500 AUTH not understood\r\n"), kinds: away},
	{name: "downgrade: AUTH TLS is answered 500, plain FTP allowed", protocols: explicit, plain: true, only: later, attack: stripped("500 AUTH not understood\r\n"), kinds: away, says: "has worked on this host before"},
	{name: "downgrade: AUTH TLS is answered 502, plain FTP allowed", protocols: explicit, plain: true, only: later, attack: stripped("502 Command not implemented.\r\n"), kinds: away, says: "has worked on this host before"},
	{name: "downgrade: AUTH TLS is answered 530, plain FTP allowed", protocols: explicit, plain: true, only: later, attack: stripped("530 Please login with USER and PASS.\r\n"), kinds: away, says: "has worked on this host before"},
	{name: "downgrade: AUTH TLS is answered 230, plain FTP allowed", protocols: explicit, plain: true, attack: stripped("230 logged in\r\n"), kinds: []transport.Kind{transport.KindProtocol}},
	{name: "downgrade: the certificate has expired, plain FTP allowed", protocols: explicit, plain: true, attack: server(testserver.ExplicitTLS, expired, nil), kinds: certificate},
	{name: "downgrade: the host key has changed, plain FTP allowed", protocols: overSSH, plain: true, attack: impostor(ofItsOwn), kinds: hostKey},
	{name: "downgrade: PROT P is refused, plain FTP allowed", protocols: explicit, plain: true, tells: true, attack: answers("PROT", "534 no"), kinds: insecure},
	{quiet: true, name: "downgrade: all that protects is in somebody's hands, plain FTP not allowed", protocols: any3, attack: everywhere(says("nothing\r\n")), kinds: away},
	{quiet: true, name: "downgrade: all that protects is in somebody's hands, plain FTP allowed", protocols: any3, plain: true, only: later, attack: everywhere(says("nothing\r\n")), kinds: away, says: "has worked on this host before"},
	{name: "standby: its certificate has expired", protocols: explicit, kinds: certificate, prepare: standby(expired), attack: primaryGone},
	{name: "standby: its certificate is for another name", protocols: explicit, kinds: certificate, prepare: standby(otherName), attack: primaryGone},
	{name: "standby: its certificate has expired, plain FTP allowed", protocols: explicit, plain: true, kinds: certificate, prepare: standby(expired), attack: primaryGone},
}

// greetsAndStalls offers TLS and never begins it to who asks for it; in clear, the
// good server answers.
func greetsAndStalls(s *scene) {
	s.ftp.take(func(client net.Conn) {
		strips(s.ftpServer.Addr().String(), func(command string) string {
			if strings.HasPrefix(strings.ToUpper(command), "AUTH") {
				_, _ = fmt.Fprint(client, "234 go ahead\r\n")
				swallows(client)
			}
			return ""
		})(client)
	})
}

// standby adds a host with a certificate of its own.
func standby(config func(*scene) *tls.Config) func(*scene) {
	return func(s *scene) {
		srv := s.ftpWith(testserver.ExplicitTLS, config(s), nil)
		l := newLine(s.t, s.tap, to(srv.Addr().String()))
		s.opts.Standbys = []ftpx.Standby{{Host: "127.0.0.1", Ports: ftpx.Ports{FTP: l.port()}}}
	}
}

func primaryGone(s *scene) { s.ftp.take(refuses) }

// TestTheTapHears shows that what the drills look for is found where it is: plain
// FTP, allowed, shows the password and the file. Without this none of them could fail.
func TestTheTapHears(t *testing.T) {
	for name, attack := range map[string]func(*scene){
		"plain FTP alone": func(*scene) {},
		// What AllowPlaintext means, at the first contact.
		"AUTH TLS stripped at the first contact, plain FTP allowed": stripped("500 AUTH not understood\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, false)
			s.opts.Protocols, s.opts.AllowPlaintext = []ftpx.Protocol{ftpx.FTPS, ftpx.FTP}, true
			if name == "plain FTP alone" {
				s.opts.Protocols = []ftpx.Protocol{ftpx.FTP}
			}
			attack(s)
			c, err := s.open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if !s.tap.holds([]byte(s.password)) || !s.told.holds(s.password) {
				t.Error("the password was sent in clear, and neither the tap nor the server saw it")
			}
			if s.tap.holds(s.marker) {
				t.Error("the tap sees a file that has not been sent")
			}
			if err := upload(t.Context(), s, c); err != nil {
				t.Fatal(err)
			}
			if !s.tap.holds(s.marker) {
				t.Error("a file was sent in clear, and the tap did not see it")
			}
		})
	}
	// Under encryption the server hears it and the tap does not.
	for _, p := range any3 {
		t.Run(p.String(), func(t *testing.T) {
			s := newScene(t, false)
			s.opts.Protocols = []ftpx.Protocol{p}
			c, err := s.open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := upload(t.Context(), s, c); err != nil {
				t.Fatal(err)
			}
			if s.tap.holds([]byte(s.password)) || s.tap.holds(s.marker) || !s.told.holds(s.password) {
				t.Error("the tap sees through the encryption, or the server was not told")
			}
			if _, n := s.tap.totals(); n < len(s.payload()) {
				t.Errorf("the tap saw %d bytes of a file of %d", n, len(s.payload()))
			}
		})
	}
}
