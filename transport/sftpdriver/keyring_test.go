package sftpdriver

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestPreload: the passphrase is asked before anything is dialled, once a file
// however many connections follow at the same time, and again when the file has
// been replaced.
func TestPreload(t *testing.T) {
	key, other := must(pki.NewSSHKey()), must(pki.NewSSHKey())
	_, ep := startServer(t, testserver.SFTPOptions{AuthorizedKeys: []ssh.PublicKey{key.Public(), other.Public()}})
	file := writeFile(t, must(key.PrivatePEM("", "open sesame")), t.TempDir(), "id")
	ep.SSH.IdentityFiles = []string{file}
	var asked atomic.Int32
	ep.SSH.Passphrase = func(string) (transport.Secret, error) { asked.Add(1); return "open sesame", nil }
	if te := wantKind(t, Preload(t.Context(), ep), transport.KindInvalid); !strings.Contains(te.Error(), "Keyring") {
		t.Error(te)
	}
	ep.SSH.Keyring = new(transport.Keyring)
	if err := Preload(t.Context(), ep); err != nil || asked.Load() != 1 {
		t.Fatal(err, asked.Load())
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			again := *ep // as a client makes one for each connection
			c, err := dialClient(t.Context(), &again)
			if err != nil {
				t.Error(err)
				return
			}
			_ = c.Close()
		})
	}
	wg.Wait()
	if asked.Load() != 1 {
		t.Error("asked", asked.Load(), "times")
	}
	if err := os.WriteFile(file, must(other.PrivatePEM("", "open sesame")), 0o600); err != nil {
		t.Fatal(err)
	}
	dialOK(t, ep)
	if asked.Load() != 2 {
		t.Error("asked", asked.Load(), "times")
	}
}

// TestPassphraseSharedAndRetried: who comes while somebody types waits for the
// same answer, and a wrong one is not remembered.
func TestPassphraseSharedAndRetried(t *testing.T) {
	key := must(pki.NewSSHKey())
	file := writeFile(t, must(key.PrivatePEM("", "open sesame")), t.TempDir(), "id")
	typed := make(chan transport.Secret)
	var asked atomic.Int32
	ep := &transport.Endpoint{Protocol: transport.SFTP, Host: "127.0.0.1", User: "user", SSH: transport.SSH{
		IdentityFiles: []string{file}, Keyring: new(transport.Keyring),
		Passphrase: func(string) (transport.Secret, error) { asked.Add(1); return <-typed, nil },
	}}
	results := make(chan error, 3)
	for range 3 {
		go func() { results <- Preload(t.Context(), ep) }()
	}
	typed <- "wrong one"
	for range 3 {
		// Whoever comes after the answer asks again, so feed those.
		select {
		case err := <-results:
			if te := wantKind(t, err, transport.KindAuth); strings.Contains(te.Error(), "wrong one") {
				t.Error(te)
			}
		case typed <- "wrong one":
			if te := wantKind(t, <-results, transport.KindAuth); strings.Contains(te.Error(), "wrong one") {
				t.Error(te)
			}
		}
	}
	// Giving up waiting leaves the question open for the next.
	ctx, cancel := context.WithCancel(t.Context())
	before := asked.Load()
	go func() { results <- Preload(ctx, ep) }()
	for asked.Load() == before {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if te := wantKind(t, <-results, transport.KindCanceled); !errors.Is(te, context.Canceled) {
		t.Error(te)
	}
	go func() { results <- Preload(t.Context(), ep) }()
	typed <- "open sesame"
	if err := <-results; err != nil || asked.Load() != before+1 {
		t.Error(err, asked.Load())
	}
}

// TestAgentSparesPassphrase: what the agent holds is not asked for, in OpenSSH's
// form and, with the public half beside it, in PEM.
func TestAgentSparesPassphrase(t *testing.T) {
	key, other := must(pki.NewSSHKey()), must(pki.NewSSHKey())
	srv := testserver.SFTPOptions{AuthorizedKeys: []ssh.PublicKey{key.Public()}}
	_, ep := startServer(t, srv)
	file := writeFile(t, must(key.PrivatePEM("", "open sesame")), t.TempDir(), "id")
	ep.SSH.IdentityFiles = []string{file}
	ep.SSH.Agent = startAgent(t, other, key)
	dialOK(t, ep)
	ep.SSH.Agent = startAgent(t, other)
	if te := dialFail(t, ep, transport.KindAuth); !strings.Contains(te.Error(), "needs a passphrase") {
		t.Error(te)
	}
}

// TestIdentitiesOnly: the agent's other keys stay unseen; the public half is
// enough to pick one.
func TestIdentitiesOnly(t *testing.T) {
	keys := make([]*pki.SSHKey, 8)
	for i := range keys {
		keys[i] = must(pki.NewSSHKey())
	}
	var mu sync.Mutex
	var seen []string
	_, ep := startServer(t, testserver.SFTPOptions{AuthorizedKeys: []ssh.PublicKey{keys[7].Public()}, MaxAuthTries: 2, Configure: func(c *ssh.ServerConfig) {
		check := c.PublicKeyCallback
		c.PublicKeyCallback = func(m ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
			mu.Lock()
			seen = append(seen, ssh.FingerprintSHA256(k))
			mu.Unlock()
			return check(m, k)
		}
	}})
	ep.SSH.Agent = startAgent(t, keys...)
	if te := dialFail(t, ep, transport.KindAuth); !strings.Contains(te.Error(), "IdentitiesOnly") {
		t.Error(te)
	}
	seen = nil
	ep.SSH.IdentitiesOnly = true
	dialFail(t, ep, transport.KindAuth)
	if len(seen) > 0 {
		t.Error("offered", seen)
	}
	ep.SSH.IdentityFiles = []string{writeFile(t, keys[7].AuthorizedKey(), t.TempDir(), "id.pub")}
	dialOK(t, ep)
	for _, k := range seen {
		if k != keys[7].Fingerprint() {
			t.Error("offered", k)
		}
	}
}

// TestCertificateFiles: for a key in a file and for one that only the agent has.
func TestCertificateFiles(t *testing.T) {
	ca, key := must(pki.NewSSHCA()), must(pki.NewSSHKey())
	_, ep := startServer(t, testserver.SFTPOptions{UserCA: ca.Public()})
	cert := must(ca.SignUser(key.Public(), pki.SSHCertOptions{Principals: []string{"user"}}))
	file := writeFile(t, must(key.PrivatePEM("", "")), t.TempDir(), "id")
	certFile := writeFile(t, ssh.MarshalAuthorizedKey(cert), t.TempDir(), "elsewhere.pub")
	ep.SSH.CertificateFiles = []string{certFile}
	if te := dialFail(t, ep, transport.KindInvalid); !strings.Contains(te.Error(), certFile) {
		t.Error(te)
	}
	ep.SSH.IdentityFiles = []string{file}
	dialOK(t, ep)
	ep.SSH.IdentityFiles = nil
	ep.SSH.Agent, ep.SSH.IdentitiesOnly = startAgent(t, key), true
	dialOK(t, ep)
	ep.SSH.CertificateFiles = []string{certFile + "-none"}
	dialFail(t, ep, transport.KindInvalid)
}

// TestAuthMethods: what is left out is not used, though it would work.
func TestAuthMethods(t *testing.T) {
	key := must(pki.NewSSHKey())
	_, ep := startServer(t, testserver.SFTPOptions{AuthorizedKeys: []ssh.PublicKey{key.Public()}, Password: "password"})
	ep.Password = "password"
	ep.SSH.AuthMethods = []string{"publickey"}
	if te := dialFail(t, ep, transport.KindAuth); !strings.Contains(te.Error(), "AuthMethods") {
		t.Error(te)
	}
	ep.SSH.Signers = []ssh.Signer{key.Signer}
	dialOK(t, ep)
	ep.Password = "wrong"
	ep.SSH.AuthMethods = []string{"password"}
	dialFail(t, ep, transport.KindAuth)
	ep.SSH.AuthMethods = []string{"password", "publickey"}
	dialOK(t, ep)
}
