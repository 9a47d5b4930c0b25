package sftpdriver

import (
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// certOf is the name of an algorithm where the key is in a certificate.
func certOf(name string) string {
	if plain, ok := strings.CutSuffix(name, "@openssh.com"); ok { // sk-ssh-ed25519@openssh.com
		name = plain
	}
	return name + "-cert-v01@openssh.com"
}

// withCertificates puts the names for certificates beside those of keys.
func withCertificates(names []string) (out []string) {
	for _, n := range names {
		out = append(out, n, certOf(n))
	}
	return out
}

// checkKeyPolicy refuses names of algorithms that are not known.
func checkKeyPolicy(s *transport.SSH) error {
	known := slices.Concat(DefaultAlgorithms().PublicKeyAuths, WeakAlgorithms().PublicKeyAuths)
	for field, names := range map[string][]string{"PublicKeyAlgorithms": s.PublicKeyAlgorithms, "CASignatureAlgorithms": s.CASignatureAlgorithms} {
		for _, n := range names {
			if !slices.Contains(known, n) {
				return &identityError{transport.KindInvalid, fmt.Sprintf("field SSH.%s names %q, which is not known: use of %s",
					field, transport.Printable(n), strings.Join(DefaultAlgorithms().PublicKeyAuths, ", ")), nil}
			}
		}
	}
	return nil
}

// permitted returns the signer with the algorithms that it may use, or says why there are
// none.
func permitted(s *transport.SSH, k ssh.Signer) (ssh.Signer, error) {
	pub := k.PublicKey()
	if bits := rsaBits(pub); bits > 0 && bits < s.MinRSABits {
		return nil, fmt.Errorf("it has %d bits, fewer than SSH.MinRSABits", bits)
	}
	cert, certified := pub.(*ssh.Certificate)
	if certified && !signedWell(s, cert) {
		return nil, fmt.Errorf("its authority signed with %s, which is none of SSH.CASignatureAlgorithms", transport.Printable(cert.Signature.Format))
	}
	if s.PublicKeyAlgorithms == nil {
		return k, nil
	}
	var may []string
	names := []string{plainKey(pub).Type()}
	if m, ok := k.(ssh.MultiAlgorithmSigner); ok {
		names = m.Algorithms()
	}
	for _, n := range names {
		as := n
		if certified {
			as = certOf(n)
		}
		if slices.Contains(s.PublicKeyAlgorithms, as) {
			may = append(may, n)
		}
	}
	as, ok := k.(ssh.AlgorithmSigner)
	switch {
	case len(may) == 0:
		return nil, fmt.Errorf("%s is none of SSH.PublicKeyAlgorithms", strings.Join(names, ", "))
	case len(may) == len(names) || !ok:
		return k, nil
	}
	return ssh.NewSignerWithAlgorithms(as, may)
}

// signedWell reports whether an authority may have signed a certificate as it did.
func signedWell(s *transport.SSH, cert *ssh.Certificate) bool {
	return s.CASignatureAlgorithms == nil || cert.Signature != nil && slices.Contains(s.CASignatureAlgorithms, cert.Signature.Format)
}

// rsaBits is the length of an RSA key, bare or in a certificate, 0 for any other.
func rsaBits(key ssh.PublicKey) int {
	if c, ok := plainKey(key).(ssh.CryptoPublicKey); ok {
		if k, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok {
			return k.N.BitLen()
		}
	}
	return 0
}
