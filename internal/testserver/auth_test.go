package testserver_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

func dialTCP(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func answer(text string) ssh.AuthMethod {
	return ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
		answers := make([]string, len(questions))
		for i := range answers {
			answers[i] = text
		}
		return answers, nil
	})
}

func TestSSHAuthentication(t *testing.T) {
	userCA, err := pki.NewSSHCA()
	if err != nil {
		t.Fatal(err)
	}
	otherCA, err := pki.NewSSHCA()
	if err != nil {
		t.Fatal(err)
	}
	known, unknown := newSSHKey(t), newSSHKey(t)
	certified := func(ca *pki.SSHCA, opts pki.SSHCertOptions) ssh.AuthMethod {
		cert, err := ca.SignUser(unknown.Public(), opts)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := unknown.CertSigner(cert)
		if err != nil {
			t.Fatal(err)
		}
		return ssh.PublicKeys(signer)
	}
	server := startSFTP(t, testserver.SFTPOptions{
		KeyboardInteractive: true,
		AuthorizedKeys:      []ssh.PublicKey{known.Public()},
		UserCA:              userCA.Public(),
	})
	noPassword := startSFTP(t, testserver.SFTPOptions{NoPassword: true, KeyboardInteractive: true})

	tests := []struct {
		name   string
		server *testserver.SFTPServer
		method ssh.AuthMethod
		ok     bool
	}{
		{"password", server, ssh.Password("password"), true},
		{"wrong password", server, ssh.Password("wrong"), false},
		{"password turned off", noPassword, ssh.Password("password"), false},
		{"keyboard-interactive", noPassword, answer("password"), true},
		{"keyboard-interactive, wrong", noPassword, answer("wrong"), false},
		{"authorized key", server, ssh.PublicKeys(known.Signer), true},
		{"unknown key", server, ssh.PublicKeys(unknown.Signer), false},
		{"certificate", server, certified(userCA, pki.SSHCertOptions{Principals: []string{"user"}}), true},
		{"another principal", server, certified(userCA, pki.SSHCertOptions{Principals: []string{"root"}}), false},
		{"another authority", server, certified(otherCA, pki.SSHCertOptions{Principals: []string{"user"}}), false},
		{"expired certificate", server, certified(userCA, pki.SSHCertOptions{
			Principals: []string{"user"},
			NotBefore:  time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour),
		}), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := dialSSH(t, tt.server, tt.method)
			if tt.ok && err != nil {
				t.Errorf("refused: %v", err)
			}
			if !tt.ok && (err == nil || !strings.Contains(err.Error(), "unable to authenticate")) {
				t.Errorf("err = %v, want a refusal", err)
			}
		})
	}
	if got := server.Stats(); got.Logins != 3 || got.Failures == 0 {
		t.Errorf("stats = %+v, want 3 logins and some failures", got)
	}
}

func newSSHKey(t *testing.T) *pki.SSHKey {
	t.Helper()
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSSHMaxAuthTries(t *testing.T) {
	server := startSFTP(t, testserver.SFTPOptions{MaxAuthTries: 2})
	asked := 0
	_, err := dialSSH(t, server, ssh.RetryableAuthMethod(ssh.PasswordCallback(func() (string, error) {
		asked++
		return "wrong", nil
	}), 10))
	if err == nil || asked != 2 {
		t.Errorf("asked %d times, %v; want 2 and an error", asked, err)
	}
}

func TestSSHHostCertificateAndBanner(t *testing.T) {
	ca, err := pki.NewSSHCA()
	if err != nil {
		t.Fatal(err)
	}
	key := newSSHKey(t)
	cert, err := ca.SignHost(key.Public(), pki.SSHCertOptions{Principals: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := key.CertSigner(cert)
	if err != nil {
		t.Fatal(err)
	}
	server := startSFTP(t, testserver.SFTPOptions{
		HostKeys: []ssh.Signer{signer}, Banner: "no trespassing\n", Version: "SSH-2.0-OpenSSH_9.2p1",
	})
	checker := &ssh.CertChecker{IsHostAuthority: func(auth ssh.PublicKey, _ string) bool {
		return ssh.FingerprintSHA256(auth) == ssh.FingerprintSHA256(ca.Public())
	}}
	var banner string
	client, err := ssh.Dial("tcp", server.Addr().String(), &ssh.ClientConfig{
		User: "user", Auth: []ssh.AuthMethod{ssh.Password("password")},
		HostKeyCallback: checker.CheckHostKey,
		BannerCallback:  func(text string) error { banner = text; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if banner != "no trespassing\n" {
		t.Errorf("banner = %q", banner)
	}
	if got := string(client.ServerVersion()); got != "SSH-2.0-OpenSSH_9.2p1" {
		t.Errorf("version = %q", got)
	}
}
