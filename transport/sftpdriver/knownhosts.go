package sftpdriver

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
)

// A knownLine is one line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE
// FORMAT).
type knownLine struct {
	file     string
	line     int
	marker   string // "", "cert-authority" or "revoked"
	patterns []string
	key      ssh.PublicKey
}

func (k *knownLine) at() string { return fmt.Sprintf("%s:%d", k.file, k.line) }

// readKnownHosts parses files. Lines that cannot be parsed are passed over, as
// ssh(1) does: a key type of the future must not lock out every other host.
// The exception is a line with a marker, whose loss could let a revoked key in.
//
// This is not x/crypto/ssh/knownhosts, nor skeema/knownhosts on top of it: the
// first refuses a whole file for one such line, and takes a CA's key that is
// shown as a plain host key for the host's; the second derives the algorithms
// of host certificates from the type of the CA's key, which need not be the
// host's. Neither names file and line for a certificate.
func readKnownHosts(files ...string) ([]knownLine, error) {
	var out []knownLine
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for n, text := range bytes.Split(data, []byte("\n")) {
			text = bytes.TrimSpace(text)
			if len(text) == 0 || text[0] == '#' {
				continue
			}
			marker, patterns, key, _, _, err := ssh.ParseKnownHosts(text)
			if err == nil && marker != "" && marker != "cert-authority" && marker != "revoked" {
				err = fmt.Errorf("unknown marker @%s", marker)
			}
			if err != nil {
				if text[0] == '@' {
					return nil, fmt.Errorf("%s:%d: %w", file, n+1, err)
				}
				continue
			}
			out = append(out, knownLine{file: file, line: n + 1, marker: marker, patterns: patterns, key: key})
		}
	}
	return out, nil
}

// hostName is how known_hosts files name a host: bare on port 22, else
// [host]:port. Names are compared in lower case, as ssh(1) does.
func hostName(host, port string) string {
	host = strings.ToLower(host)
	if port == "22" {
		return host
	}
	return "[" + host + "]:" + port
}

// matches reports whether the line is about name, a result of hostName.
func (k *knownLine) matches(name string) bool {
	found := false
	for _, p := range k.patterns {
		switch {
		case strings.HasPrefix(p, "|"):
			found = found || hashMatches(p, name)
		case strings.HasPrefix(p, "!"):
			if MatchPattern(strings.ToLower(p[1:]), name) {
				return false
			}
		default:
			found = found || MatchPattern(strings.ToLower(p), name)
		}
	}
	return found
}

// MatchPattern matches a name with a pattern of ssh_config(5), PATTERNS: * and ?,
// case by case. A pattern of many stars costs no more than its length times the
// name's.
func MatchPattern(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// hashMatches compares a hashed name, |1|salt|hash (HashKnownHosts).
func hashMatches(pattern, name string) bool {
	parts := strings.Split(pattern, "|")
	if len(parts) != 4 || parts[1] != "1" {
		return false
	}
	salt, err1 := base64.StdEncoding.DecodeString(parts[2])
	want, err2 := base64.StdEncoding.DecodeString(parts[3])
	if err1 != nil || err2 != nil {
		return false
	}
	mac := hmac.New(sha1.New, salt)
	mac.Write([]byte(name))
	return hmac.Equal(mac.Sum(nil), want)
}

// knownHost is what the files say of one host.
type knownHost struct {
	keys    []knownLine // plain keys
	cas     []knownLine // authorities whose certificates it may show
	revoked []knownLine // of any host
}

// lookUp picks the lines about host and port. As in ssh(1), a host on another
// port that is not listed as [host]:port may still show a key listed for the
// bare name; those lines are then its keys, but a different key makes it
// unknown, not changed.
func lookUp(lines []knownLine, host, port string) (known knownHost, bare []knownLine) {
	name := hostName(host, port)
	for _, l := range lines {
		switch {
		case l.marker == "revoked":
			known.revoked = append(known.revoked, l)
		case l.matches(name):
			if l.marker == "cert-authority" {
				known.cas = append(known.cas, l)
			} else {
				known.keys = append(known.keys, l)
			}
		}
	}
	if port == "22" || len(known.keys)+len(known.cas) > 0 {
		return known, nil
	}
	for _, l := range lines {
		if l.marker != "revoked" && l.matches(hostName(host, "22")) {
			bare = append(bare, l)
		}
	}
	return known, bare
}

// plainKey returns the key itself of a certificate, else the key.
func plainKey(key ssh.PublicKey) ssh.PublicKey {
	if c, ok := key.(*ssh.Certificate); ok {
		return c.Key
	}
	return key
}

func sameKey(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

// isRevoked finds the line that revokes key, or the authority that signed it.
func (k *knownHost) isRevoked(key ssh.PublicKey) *knownLine {
	for i := range k.revoked {
		if sameKey(plainKey(key), k.revoked[i].key) {
			return &k.revoked[i]
		}
		if c, ok := key.(*ssh.Certificate); ok && sameKey(c.SignatureKey, k.revoked[i].key) {
			return &k.revoked[i]
		}
	}
	return nil
}

func findKey(lines []knownLine, key ssh.PublicKey) *knownLine {
	for i := range lines {
		if sameKey(lines[i].key, key) {
			return &lines[i]
		}
	}
	return nil
}

// checkCertificate verifies a host certificate that a known authority signed:
// its type, time, principals, options and signature.
func checkCertificate(cert *ssh.Certificate, host, port string, legacy bool) error {
	if cert.Signature.Format == ssh.KeyAlgoRSA && !legacy {
		return errors.New("its authority signed with SHA-1 (ssh-rsa), which can be forged: sign it with rsa-sha2-512 (ssh-keygen -t rsa-sha2-512)")
	}
	checker := ssh.CertChecker{IsHostAuthority: func(ssh.PublicKey, string) bool { return true }}
	return checker.CheckHostKey(net.JoinHostPort(strings.ToLower(host), port), nil, cert)
}
