package sftpdriver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// must returns v and panics on err.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func startServer(t testing.TB, opts testserver.SFTPOptions) (*testserver.SFTPServer, *transport.Endpoint) {
	t.Helper()
	if opts.Root == "" {
		opts.Root = t.TempDir()
	}
	srv := must(testserver.StartSFTP(opts))
	t.Cleanup(func() { _ = srv.Close() })
	return srv, &transport.Endpoint{Protocol: transport.SFTP, Host: "127.0.0.1", Port: srv.Port(), User: "user",
		SSH: transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(srv.HostKey())}}}
}

func dialOK(t testing.TB, ep *transport.Endpoint) *client {
	t.Helper()
	c, err := dialClient(context.Background(), ep)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func writeFile(t testing.TB, data []byte, name ...string) string {
	t.Helper()
	path := filepath.Join(name...)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPassword(t *testing.T) {
	_, ep := startServer(t, testserver.SFTPOptions{Password: "s3cret-word"})
	ep.Password = "s3cret-word"
	dialOK(t, ep)
	ep.Password = "other-word"
	te := dialFail(t, ep, transport.KindAuth)
	if te.Op != "login" || !strings.Contains(te.Error(), `"user"`) {
		t.Error(te)
	}
	ep.Password = ""
	if te := dialFail(t, ep, transport.KindAuth); !strings.Contains(te.Error(), "no way to log in") {
		t.Error(te)
	}
}

func TestKeyboardInteractive(t *testing.T) {
	_, ep := startServer(t, testserver.SFTPOptions{Password: "s3cret-word", NoPassword: true, KeyboardInteractive: true})
	ep.Password = "s3cret-word"
	dialOK(t, ep)
	ep.Password = "other-word"
	dialFail(t, ep, transport.KindAuth)
	ep.Password = ""
	ep.SSH.KeyboardInteractive = func(_, _ string, questions []string, _ []bool) ([]string, error) {
		return make([]string, len(questions), 9), nil
	}
	dialFail(t, ep, transport.KindAuth)
	ep.SSH.KeyboardInteractive = func(_, _ string, questions []string, _ []bool) ([]string, error) {
		if len(questions) == 0 {
			return nil, nil
		}
		return []string{"s3cret-word"}, nil
	}
	dialOK(t, ep)
	gone := errors.New("nobody there to answer")
	ep.SSH.KeyboardInteractive = func(string, string, []string, []bool) ([]string, error) { return nil, gone }
	if te := dialFail(t, ep, transport.KindAuth); !errors.Is(te, gone) {
		t.Error(te)
	}
	// A person who does not answer must not keep Dial beyond its time.
	release := make(chan struct{})
	ep.SSH.KeyboardInteractive = func(string, string, []string, []bool) ([]string, error) { <-release; return nil, gone }
	ep.ConnectTimeout = 300 * time.Millisecond
	begin := time.Now()
	dialFail(t, ep, transport.KindTimeout)
	if d := time.Since(begin); d > slack {
		t.Error("took", d)
	}
	close(release)
}

func TestIdentityFiles(t *testing.T) {
	for name, kind := range map[string]pki.KeyType{"ed25519": pki.Ed25519, "ecdsa": pki.ECDSA, "rsa": pki.RSA} {
		t.Run(name, func(t *testing.T) {
			key := must(pki.NewSSHKeyOf(kind))
			_, ep := startServer(t, testserver.SFTPOptions{AuthorizedKeys: []ssh.PublicKey{key.Public()}})
			dir := t.TempDir()
			plain := writeFile(t, must(key.PrivatePEM("", "")), dir, "plain")
			ep.SSH.IdentityFiles = []string{plain}
			dialOK(t, ep)

			if kind != pki.Ed25519 {
				return // deriving keys from passphrases is slow, by design
			}
			locked := writeFile(t, must(key.PrivatePEM("", "open sesame")), dir, "locked")
			ep.SSH.IdentityFiles = []string{locked}
			if te := dialFail(t, ep, transport.KindAuth); !strings.Contains(te.Error(), locked) || !strings.Contains(te.Error(), "passphrase") {
				t.Error(te)
			}
			asked := 0
			ep.SSH.Passphrase = func(file string) (transport.Secret, error) {
				if asked++; file != locked {
					t.Error(file)
				}
				return "open sesame", nil
			}
			dialOK(t, ep)
			begin := time.Now()
			dialOK(t, ep)
			if d := time.Since(begin); d > slack || asked != 2 {
				t.Error("second time took", d, "asked", asked)
			}
			ep.SSH.Passphrase = func(string) (transport.Secret, error) { return "wrong one", nil }
			if te := dialFail(t, ep, transport.KindAuth); strings.Contains(te.Error(), "wrong one") {
				t.Error(te)
			}
			ep.SSH.Passphrase = func(string) (transport.Secret, error) { return "", errors.New("no terminal") }
			dialFail(t, ep, transport.KindAuth)
		})
	}
}

func TestIdentityFileMistakes(t *testing.T) {
	_, ep := startServer(t, testserver.SFTPOptions{})
	dir := t.TempDir()
	key, other := must(pki.NewSSHKey()), must(pki.NewSSHKey())
	good := must(key.PrivatePEM("", ""))
	for name, c := range map[string]struct{ key, cert []byte }{
		"missing":  {},
		"public":   {key: key.AuthorizedKey()},
		"garbage":  {key: []byte("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")},
		"empty":    {key: []byte{}},
		"no-cert":  {key: good, cert: key.AuthorizedKey()},
		"bad-cert": {key: good, cert: []byte("nonsense")},
		"foreign":  {key: good, cert: ssh.MarshalAuthorizedKey(must(must(pki.NewSSHCA()).SignUser(other.Public(), pki.SSHCertOptions{})))},
	} {
		file := filepath.Join(dir, name)
		if c.key != nil {
			writeFile(t, c.key, file)
		}
		if c.cert != nil {
			writeFile(t, c.cert, file+"-cert.pub")
		}
		ep.SSH.IdentityFiles = []string{file}
		if te := dialFail(t, ep, transport.KindInvalid); !strings.Contains(te.Error(), file) {
			t.Error(te)
		} else {
			t.Log(te)
		}
	}
}

func TestUserCertificate(t *testing.T) {
	ca := must(pki.NewSSHCA())
	_, ep := startServer(t, testserver.SFTPOptions{UserCA: ca.Public()})
	for _, kind := range []pki.KeyType{pki.Ed25519, pki.RSA} {
		key := must(pki.NewSSHKeyOf(kind))
		file := writeFile(t, must(key.PrivatePEM("", "")), t.TempDir(), "id")
		ep.SSH.IdentityFiles = []string{file}
		dialFail(t, ep, transport.KindAuth)
		cert := must(ca.SignUser(key.Public(), pki.SSHCertOptions{Principals: []string{"user"}}))
		writeFile(t, ssh.MarshalAuthorizedKey(cert), file+"-cert.pub")
		dialOK(t, ep)
		expired := must(ca.SignUser(key.Public(), pki.SSHCertOptions{Principals: []string{"user"},
			NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}))
		writeFile(t, ssh.MarshalAuthorizedKey(expired), file+"-cert.pub")
		dialFail(t, ep, transport.KindAuth)
	}
}

// TestNoSHA1: a server that would take ssh-rsa signatures does not get one.
func TestNoSHA1(t *testing.T) {
	key := must(pki.NewSSHKeyOf(pki.RSA))
	_, ep := startServer(t, testserver.SFTPOptions{AuthorizedKeys: []ssh.PublicKey{key.Public()}, Configure: func(c *ssh.ServerConfig) {
		c.PublicKeyAuthAlgorithms = []string{ssh.KeyAlgoRSA}
	}})
	ep.SSH.Signers = []ssh.Signer{key.Signer}
	dialFail(t, ep, transport.KindAuth)
}

// TestKeyAndPassword: a server that wants both (AuthenticationMethods).
func TestKeyAndPassword(t *testing.T) {
	key := must(pki.NewSSHKey())
	_, ep := startServer(t, testserver.SFTPOptions{AuthorizedKeys: []ssh.PublicKey{key.Public()}, Configure: func(c *ssh.ServerConfig) {
		password := c.PasswordCallback
		byKey := c.PublicKeyCallback
		c.PasswordCallback, c.KeyboardInteractiveCallback = nil, nil
		c.PublicKeyCallback = func(m ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
			if _, err := byKey(m, k); err != nil {
				return nil, err
			}
			return nil, &ssh.PartialSuccessError{Next: ssh.ServerAuthCallbacks{PasswordCallback: password}}
		}
	}})
	ep.SSH.Signers = []ssh.Signer{key.Signer}
	dialFail(t, ep, transport.KindAuth)
	ep.Password = "password"
	dialOK(t, ep)
}
