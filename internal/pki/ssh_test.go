package pki_test

import (
	"bytes"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
)

func newKey(t *testing.T) *pki.SSHKey {
	t.Helper()
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSSHKeyTypes(t *testing.T) {
	for kind, want := range map[pki.KeyType]string{
		pki.Ed25519: ssh.KeyAlgoED25519,
		pki.ECDSA:   ssh.KeyAlgoECDSA256,
		pki.RSA:     ssh.KeyAlgoRSA,
	} {
		key, err := pki.NewSSHKeyOf(kind)
		if err != nil {
			t.Fatal(err)
		}
		if got := key.Public().Type(); got != want {
			t.Errorf("type %d: %s, want %s", kind, got, want)
		}
		passphrases := []string{""}
		if kind == pki.Ed25519 {
			passphrases = append(passphrases, "correct horse") // slow by design: once is enough
		}
		for _, passphrase := range passphrases {
			text, err := key.PrivatePEM("comment", passphrase)
			if err != nil {
				t.Fatal(err)
			}
			var signer ssh.Signer
			if passphrase == "" {
				signer, err = ssh.ParsePrivateKey(text)
			} else {
				if _, plainErr := ssh.ParsePrivateKey(text); !errors.As(plainErr, new(*ssh.PassphraseMissingError)) {
					t.Errorf("%s: reading an encrypted key without passphrase: %v", want, plainErr)
				}
				signer, err = ssh.ParsePrivateKeyWithPassphrase(text, []byte(passphrase))
			}
			if err != nil {
				t.Fatalf("%s: %v", want, err)
			}
			if !bytes.Equal(signer.PublicKey().Marshal(), key.Public().Marshal()) {
				t.Errorf("%s: the key read back is another one", want)
			}
		}
	}
	if _, err := pki.NewSSHKeyOf(99); err == nil {
		t.Error("unknown key type: no error")
	}
}

func TestSSHKeyFiles(t *testing.T) {
	key := newKey(t)
	path := filepath.Join(t.TempDir(), "id_ed25519")
	if err := key.WriteFiles(path, "secret"); err != nil {
		t.Fatal(err)
	}
	wantPrivate(t, path)
	public, _, _, _, err := ssh.ParseAuthorizedKey(key.AuthorizedKey())
	if err != nil {
		t.Fatal(err)
	}
	if ssh.FingerprintSHA256(public) != key.Fingerprint() {
		t.Error("authorized key and fingerprint disagree")
	}
}

func TestUserCertificate(t *testing.T) {
	ca, err := pki.NewSSHCA()
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	checker := &ssh.CertChecker{
		IsUserAuthority: func(auth ssh.PublicKey) bool {
			return bytes.Equal(auth.Marshal(), ca.Public().Marshal())
		},
	}
	good, err := ca.SignUser(key.Public(), pki.SSHCertOptions{KeyID: "alice", Principals: []string{"alice"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := checker.CheckCert("alice", good); err != nil {
		t.Errorf("good certificate: %v", err)
	}
	if err := checker.CheckCert("bob", good); err == nil {
		t.Error("certificate of alice accepted for bob")
	}
	expired, err := ca.SignUser(key.Public(), pki.SSHCertOptions{
		Principals: []string{"alice"},
		NotBefore:  time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := checker.CheckCert("alice", expired); err == nil {
		t.Error("expired certificate accepted")
	}
	if _, err := key.CertSigner(good); err != nil {
		t.Errorf("signer: %v", err)
	}
	if _, err := newKey(t).CertSigner(good); err == nil {
		t.Error("a certificate was combined with another key")
	}
	if err := pki.WriteSSHCert(good, filepath.Join(t.TempDir(), "id")); err != nil {
		t.Error(err)
	}
}

func TestKnownHosts(t *testing.T) {
	const addr = "127.0.0.1:2022"
	remote := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2022}
	key, other := newKey(t), newKey(t)
	ca, err := pki.NewSSHCA()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.SignHost(key.Public(), pki.SSHCertOptions{Principals: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}

	tests := []struct {
		name  string
		lines []string
		key   ssh.PublicKey
		check func(error) bool
	}{
		{"plain", []string{pki.KnownHost(addr, key.Public())}, key.Public(), isNil},
		{"hashed", []string{pki.KnownHostHashed(addr, key.Public())}, key.Public(), isNil},
		{"hashed, another key", []string{pki.KnownHostHashed(addr, key.Public())}, other.Public(), isChanged},
		{"changed", []string{pki.KnownHost(addr, key.Public())}, other.Public(), isChanged},
		{"another port", []string{pki.KnownHost("127.0.0.1:22", key.Public())}, key.Public(), isUnknown},
		{"unknown", nil, key.Public(), isUnknown},
		{"CA", []string{pki.KnownHostCA("[127.0.0.1]:2022", ca.Public())}, cert, isNil},
		{"revoked", []string{
			pki.KnownHost(addr, key.Public()), pki.KnownHostRevoked("*", key.Public()),
		}, key.Public(), isRevoked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "known_hosts")
			if err := pki.WriteKnownHosts(path, tt.lines...); err != nil {
				t.Fatal(err)
			}
			check, err := knownhosts.New(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := check(addr, remote, tt.key); !tt.check(err) {
				t.Errorf("check = %v", err)
			}
		})
	}
}

func isNil(err error) bool { return err == nil }

func isChanged(err error) bool {
	var keyErr *knownhosts.KeyError
	return errors.As(err, &keyErr) && len(keyErr.Want) > 0
}

func isUnknown(err error) bool {
	var keyErr *knownhosts.KeyError
	return errors.As(err, &keyErr) && len(keyErr.Want) == 0
}

func isRevoked(err error) bool { return errors.As(err, new(*knownhosts.RevokedError)) }
