package sftpdriver

import (
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// clientVersion names us in the server's log. RFC 4253 section 4.2 allows no
// minus sign in it.
const clientVersion = "SSH-2.0-go_ftpx"

// sshConfig offers what x/crypto holds for safe, in its order: the hybrid
// mlkem768x25519 before curve25519, AEAD ciphers before CTR with a MAC, and
// nothing with SHA-1 in the key exchange.
func sshConfig() ssh.Config {
	a := ssh.SupportedAlgorithms()
	return ssh.Config{KeyExchanges: a.KeyExchanges, Ciphers: a.Ciphers, MACs: a.MACs}
}

// hostKeyAlgorithms are the host key algorithms offered to a server of which
// nothing is known, in OpenSSH's order.
func hostKeyAlgorithms() []string {
	all := ssh.SupportedAlgorithms().HostKeys
	out := []string{
		ssh.KeyAlgoED25519,
		ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
	}
	for _, a := range all {
		if !slices.Contains(out, a) && !isCertAlgorithm(a) {
			out = append(out, a)
		}
	}
	return out
}

// hostCertAlgorithms are those of host certificates, in the same order.
func hostCertAlgorithms() []string {
	out := []string{
		ssh.CertAlgoED25519v01,
		ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
		ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01,
	}
	for _, a := range ssh.SupportedAlgorithms().HostKeys {
		if isCertAlgorithm(a) && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

func isCertAlgorithm(name string) bool { return strings.Contains(name, "-cert-v01@") }

// algorithmsOfKey are the signature algorithms of a key type. RSA signs with
// SHA-2 alone (RFC 8332): SHA-1 is broken, and OpenSSH refuses it since 8.8.
func algorithmsOfKey(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{keyType}
}

// knownFirst moves the algorithms of the given key types to the front, as
// OpenSSH does, so that a server with several host keys shows the one that is
// known. The others stay: a server that has none of the known keys any more is
// then reported with the key it shows, not as "no common algorithm".
func knownFirst(types []string) []string {
	var first, rest []string
	for _, a := range hostKeyAlgorithms() {
		known := slices.ContainsFunc(types, func(t string) bool { return slices.Contains(algorithmsOfKey(t), a) })
		if known {
			first = append(first, a)
		} else {
			rest = append(rest, a)
		}
	}
	return append(first, rest...)
}

// postQuantum says whether a key exchange has a post-quantum part.
func postQuantum(kex string) bool {
	return strings.HasPrefix(kex, "mlkem") || strings.HasPrefix(kex, "sntrup")
}
