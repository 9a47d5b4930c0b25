package sftpdriver

import (
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestPublicKeyAlgorithms: a key is offered with what is allowed alone, or not at all, and
// a login that fails says so.
func TestPublicKeyAlgorithms(t *testing.T) {
	ca := must(pki.NewSSHCA())
	for _, c := range []struct {
		name   string
		kind   pki.KeyType
		cert   bool
		server []string // what the server takes, nil for all
		may    []string
		ok     bool
		says   string
	}{
		{"a key that may", pki.Ed25519, false, nil, []string{"ssh-ed25519"}, true, ""},
		{"a key that may not", pki.ECDSA, false, nil, []string{"ssh-ed25519", "rsa-sha2-512"}, false, "ecdsa-sha2-nistp256 is none of"},
		{"RSA with one hash", pki.RSA, false, []string{ssh.KeyAlgoRSASHA256}, []string{"rsa-sha2-256"}, true, ""},
		{"RSA with the other", pki.RSA, false, []string{ssh.KeyAlgoRSASHA256}, []string{"rsa-sha2-512"}, false, ""},
		{"RSA with SHA-1", pki.RSA, false, nil, []string{"ssh-rsa"}, false, "rsa-sha2-512"},
		{"a certificate that may", pki.Ed25519, true, nil, []string{"ssh-ed25519-cert-v01@openssh.com"}, true, ""},
		{"a certificate that may not", pki.Ed25519, true, nil, []string{"ssh-ed25519"}, false, "ssh-ed25519 is none of"},
		{"a certificate of RSA that may", pki.RSA, true, nil, []string{"rsa-sha2-512-cert-v01@openssh.com"}, true, ""},
		{"a certificate of RSA that may not", pki.RSA, true, nil, []string{"rsa-sha2-512"}, false, "none of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := must(pki.NewSSHKeyOf(c.kind))
			opts := testserver.SFTPOptions{Configure: func(sc *ssh.ServerConfig) { sc.PublicKeyAuthAlgorithms = c.server }}
			if c.cert {
				opts.UserCA = ca.Public()
			} else {
				opts.AuthorizedKeys = []ssh.PublicKey{key.Public()}
			}
			_, ep := startServer(t, opts)
			file := writeFile(t, must(key.PrivatePEM("", "")), t.TempDir(), "id")
			if c.cert {
				writeFile(t, ssh.MarshalAuthorizedKey(must(ca.SignUser(key.Public(), pki.SSHCertOptions{Principals: []string{"user"}}))), file+"-cert.pub")
			}
			ep.SSH.IdentityFiles = []string{file}
			dialOK(t, ep)
			ep.SSH.PublicKeyAlgorithms = c.may
			if c.ok {
				dialOK(t, ep)
			} else if te := dialFail(t, ep, transport.KindAuth); !strings.Contains(te.Error(), c.says) {
				t.Error(te)
			}
		})
	}
	_, ep := startServer(t, testserver.SFTPOptions{})
	ep.Password, ep.SSH.PublicKeyAlgorithms = "password", []string{"ssh-ed2551"}
	if te := dialFail(t, ep, transport.KindInvalid); !strings.Contains(te.Error(), "PublicKeyAlgorithms") {
		t.Error(te)
	}
}

// TestMinRSABits: for the host's key and for ours. A host that has another key shows it.
func TestMinRSABits(t *testing.T) {
	rsa, other := must(pki.NewSSHKeyOf(pki.RSA)), must(pki.NewSSHKey()) // of 2048 bits
	_, ep := startServer(t, testserver.SFTPOptions{HostKeys: []ssh.Signer{rsa.Signer}})
	ep.Password, ep.SSH.MinRSABits = "password", 2048
	dialOK(t, ep)
	ep.SSH.MinRSABits = 2049
	if te := dialFail(t, ep, transport.KindHostKey); !strings.Contains(te.Error(), "2048 bits") {
		t.Error(te)
	}
	_, ep = startServer(t, testserver.SFTPOptions{AuthorizedKeys: []ssh.PublicKey{rsa.Public(), other.Public()}})
	ep.SSH.Signers = []ssh.Signer{rsa.Signer}
	dialOK(t, ep)
	ep.SSH.MinRSABits = 3072
	if te := dialFail(t, ep, transport.KindAuth); !strings.Contains(te.Error(), rsa.Fingerprint()+": it has 2048 bits") {
		t.Error(te)
	}
	ep.SSH.Signers = append(ep.SSH.Signers, other.Signer)
	dialOK(t, ep)
}

// TestCASignatureAlgorithms: for a host's certificate and for ours.
func TestCASignatureAlgorithms(t *testing.T) {
	ca, key, host := must(pki.NewSSHCA()), must(pki.NewSSHKey()), must(pki.NewSSHKey())
	cert := must(ca.SignHost(host.Public(), pki.SSHCertOptions{Principals: []string{"127.0.0.1"}}))
	srv, ep := startServer(t, testserver.SFTPOptions{HostKeys: []ssh.Signer{must(ssh.NewCertSigner(cert, host.Signer)), host.Signer}, UserCA: ca.Public()})
	ep.SSH.HostKeyFingerprints = nil
	line := "@cert-authority [127.0.0.1]:* " + string(ssh.MarshalAuthorizedKey(ca.Public()))
	ep.SSH.KnownHosts = []string{writeFile(t, []byte(line), t.TempDir(), "known_hosts")}
	ep.Password = "password"
	dialOK(t, ep)
	ep.SSH.CASignatureAlgorithms = []string{"rsa-sha2-512"}
	if te := dialFail(t, ep, transport.KindHostKey); !strings.Contains(te.Error(), "CASignatureAlgorithms") {
		t.Error(te)
	}
	ep.SSH.KnownHosts, ep.SSH.HostKeyFingerprints = nil, []string{ssh.FingerprintSHA256(plainKey(srv.HostKey()))}
	ep.Password = ""
	file := writeFile(t, must(key.PrivatePEM("", "")), t.TempDir(), "id")
	writeFile(t, ssh.MarshalAuthorizedKey(must(ca.SignUser(key.Public(), pki.SSHCertOptions{Principals: []string{"user"}}))), file+"-cert.pub")
	ep.SSH.IdentityFiles = []string{file}
	if te := dialFail(t, ep, transport.KindAuth); !strings.Contains(te.Error(), "none of SSH.CASignatureAlgorithms") {
		t.Error(te)
	}
	ep.SSH.CASignatureAlgorithms = append(ep.SSH.CASignatureAlgorithms, cert.Signature.Format)
	dialOK(t, ep)
}
