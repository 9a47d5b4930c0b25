//go:build linux && realserver

package realserver_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

func newSigner(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func TestOpenSSHPassword(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH})
	sftpRoundTrip(t, srv, sshConfig(t, srv))
}

func TestOpenSSHAuthorizedKey(t *testing.T) {
	key := newSigner(t)
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH, SSH: realserver.SSHOptions{
		NoPassword: true, AuthorizedKeys: []ssh.PublicKey{key.PublicKey()},
	}})
	config := sshConfig(t, srv)
	if conn, err := ssh.Dial("tcp", srv.Addr(), config); err == nil {
		conn.Close()
		t.Error("a password login succeeded with NoPassword")
	}
	config.Auth = []ssh.AuthMethod{ssh.PublicKeys(key)}
	sftpRoundTrip(t, srv, config)
}

func TestOpenSSHCertificates(t *testing.T) {
	userCA, hostCA, key := newSigner(t), newSigner(t), newSigner(t)
	cert := &ssh.Certificate{
		Key: key.PublicKey(), CertType: ssh.UserCert,
		ValidPrincipals: []string{realserver.Account}, ValidBefore: ssh.CertTimeInfinity,
	}
	if err := cert.SignCert(rand.Reader, userCA); err != nil {
		t.Fatal(err)
	}
	certified, err := ssh.NewCertSigner(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH, SSH: realserver.SSHOptions{
		UserCAs: []ssh.PublicKey{userCA.PublicKey()}, HostCA: hostCA,
	}})
	config := sshConfig(t, srv)
	config.Auth = []ssh.AuthMethod{ssh.PublicKeys(certified)}
	// x/crypto offers certificate algorithms only when they are named.
	config.HostKeyAlgorithms = []string{ssh.CertAlgoED25519v01}
	sftpRoundTrip(t, srv, config)
}

func TestOpenSSHKeyboardInteractive(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH, SSH: realserver.SSHOptions{
		NoPassword: true, KeyboardInteractive: true,
	}})
	config := sshConfig(t, srv)
	config.Auth = []ssh.AuthMethod{ssh.KeyboardInteractive(
		func(_, _ string, questions []string, _ []bool) ([]string, error) {
			answers := make([]string, len(questions))
			for i := range answers {
				answers[i] = srv.Password
			}
			return answers, nil
		})}
	sftpRoundTrip(t, srv, config)
}

func TestOpenSSHMaxSessions(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH, SSH: realserver.SSHOptions{MaxSessions: 1}})
	conn, err := ssh.Dial("tcp", srv.Addr(), sshConfig(t, srv))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	first, err := conn.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if second, err := conn.NewSession(); err == nil {
		second.Close()
		t.Error("a second session opened with MaxSessions 1")
	}
}
