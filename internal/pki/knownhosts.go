package pki

import (
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// KnownHost returns the known_hosts line, without newline, for a host key of
// addr, which is host or host:port.
func KnownHost(addr string, key ssh.PublicKey) string {
	return knownhosts.Line([]string{addr}, key)
}

// KnownHostHashed is [KnownHost] with the name hashed, as HashKnownHosts writes it.
func KnownHostHashed(addr string, key ssh.PublicKey) string {
	// HashHostname hashes what it is given; ssh hashes the normalized form,
	// with [host]:port for any port but 22.
	return knownhosts.HashHostname(knownhosts.Normalize(addr)) + " " + keyText(key)
}

// KnownHostCA returns the @cert-authority line that trusts ca for the hosts that
// pattern matches, for instance "*.example.org" or "[127.0.0.1]:2022". A pattern
// without a port is a pattern for port 22 to x/crypto, "*" included, where ssh
// lets "*" match every port.
func KnownHostCA(pattern string, ca ssh.PublicKey) string {
	return "@cert-authority " + pattern + " " + keyText(ca)
}

// KnownHostRevoked returns the @revoked line that refuses key, or everything that
// key signed, for the hosts that pattern matches.
func KnownHostRevoked(pattern string, key ssh.PublicKey) string {
	return "@revoked " + pattern + " " + keyText(key)
}

// WriteKnownHosts replaces path with the given lines.
func WriteKnownHosts(path string, lines ...string) error {
	var text strings.Builder
	for _, line := range lines {
		text.WriteString(line)
		text.WriteByte('\n')
	}
	return writeFile(path, []byte(text.String()), privateMode)
}

func keyText(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}
