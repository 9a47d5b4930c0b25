//go:build linux

package realserver

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// writeHostKeys makes an Ed25519 and an ECDSA host key, writes what sshd and the
// client's known_hosts need, and returns the configuration lines and the keys.
// Two keys, because a client that knows a host by one of them has to ask for
// that one.
func (s *Server) writeHostKeys() (lines []string, err error) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	s.KnownHosts = filepath.Join(s.publicDir(), "known_hosts")
	var known config
	for _, k := range []struct {
		name string
		key  crypto.Signer
	}{{"ed25519", ed}, {"ecdsa", ec}} {
		file := filepath.Join(s.confDir(), "host_"+k.name)
		pub, err := writeHostKey(file, k.key)
		if err != nil {
			return nil, err
		}
		s.hostKeys = append(s.hostKeys, pub)
		lines = append(lines, "HostKey "+file)
		if s.opt.SSH.HostCA == nil {
			known.line("%s", knownhosts.Line([]string{address}, pub))
			continue
		}
		if err := writeHostCertificate(file+"-cert.pub", pub, s.Host, s.opt.SSH.HostCA); err != nil {
			return nil, err
		}
		lines = append(lines, "HostCertificate "+file+"-cert.pub")
	}
	if ca := s.opt.SSH.HostCA; ca != nil {
		known.line("@cert-authority %s", knownhosts.Line([]string{address}, ca.PublicKey()))
	}
	return lines, os.WriteFile(s.KnownHosts, known.bytes(), 0o644)
}

// writeHostKey writes a private key in OpenSSH's format.
func writeHostKey(file string, key crypto.Signer) (ssh.PublicKey, error) {
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		return nil, err
	}
	return ssh.NewPublicKey(key.Public())
}

// writeHostCertificate certifies a host key for the names tests connect to.
func writeHostCertificate(file string, key ssh.PublicKey, host string, ca ssh.Signer) error {
	cert := &ssh.Certificate{
		Key:             key,
		CertType:        ssh.HostCert,
		KeyId:           "go-ftpx real server tests",
		ValidPrincipals: []string{host, "localhost"},
		ValidBefore:     ssh.CertTimeInfinity,
	}
	if err := cert.SignCert(rand.Reader, ca); err != nil {
		return fmt.Errorf("realserver: host certificate: %w", err)
	}
	return os.WriteFile(file, ssh.MarshalAuthorizedKey(cert), 0o644)
}

// writeKeyList writes public keys one to a line, as AuthorizedKeysFile and
// TrustedUserCAKeys want them.
func writeKeyList(file string, keys []ssh.PublicKey) error {
	var text []byte
	for _, k := range keys {
		text = append(text, ssh.MarshalAuthorizedKey(k)...)
	}
	return os.WriteFile(file, text, 0o644)
}
