package sftpdriver

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// hostVerifier decides whether the key that a server shows is the host's. It
// belongs to one connection.
type hostVerifier struct {
	host, port string // as known_hosts has them
	addr       string // as dialled
	offers     *offers
	ssh        transport.SSH
	files      []string // what was read, for error texts
	known      knownHost
	bare       []knownLine
	pins       []string
	trustFile  string
	insecure   bool

	algorithms []string
	shown      []string      // fingerprints that pins refused
	key        ssh.PublicKey // what was accepted
	err        error         // why not
}

// newHostVerifier reads the files before anything is dialled, so that a
// mistake in them is told at once.
func newHostVerifier(ep *transport.Endpoint) (*hostVerifier, error) {
	host, port, err := net.SplitHostPort(ep.Addr())
	if err != nil {
		return nil, err
	}
	s := &ep.SSH
	if s.HostKeyAlias != "" {
		// As ssh(1): the alias alone, whatever the port.
		host, port = s.HostKeyAlias, "22"
	}
	v := &hostVerifier{host: host, port: port, addr: ep.Addr(), ssh: *s}
	if v.offers, err = newOffers(ep); err != nil {
		return nil, err
	}
	v.algorithms = v.offers.hostKeyAlgorithms(nil, false)
	switch {
	case s.InsecureIgnoreHostKey:
		v.insecure = true
		return v, nil
	case len(s.HostKeyFingerprints) > 0:
		for _, p := range s.HostKeyFingerprints {
			pin, err := parsePin(p)
			if err != nil {
				return nil, err
			}
			v.pins = append(v.pins, pin)
		}
		if v.trustFile = s.TrustOnFirstUse; v.trustFile != "" && !missing(v.trustFile) {
			v.files = []string{v.trustFile}
		}
		return v, nil
	}
	if v.files, err = knownHostsFiles(s); err != nil {
		return nil, err
	}
	v.trustFile = s.TrustOnFirstUse
	if err := v.read(); err != nil {
		return nil, err
	}
	var types []string
	for _, l := range slices.Concat(v.known.keys, v.bare) {
		if l.marker == "" {
			types = append(types, l.key.Type())
		}
	}
	v.algorithms = v.offers.hostKeyAlgorithms(types, v.hasAuthority())
	return v, nil
}

func (v *hostVerifier) hasAuthority() bool {
	return len(v.known.cas) > 0 ||
		slices.ContainsFunc(v.bare, func(l knownLine) bool { return l.marker == "cert-authority" })
}

// knownHostsFiles lists the files to read. One that the caller named must be
// there: passing over it could lose a revocation, or with TrustOnFirstUse
// accept a key that it would have refused.
func knownHostsFiles(s *transport.SSH) ([]string, error) {
	files := s.KnownHosts
	if files == nil {
		if home, err := os.UserHomeDir(); err == nil {
			files = append(files, filepath.Join(home, ".ssh", "known_hosts"))
		}
		if runtime.GOOS == "windows" {
			files = append(files, filepath.Join(os.Getenv("ProgramData"), "ssh", "ssh_known_hosts"))
		} else {
			files = append(files, "/etc/ssh/ssh_known_hosts")
		}
		files = slices.DeleteFunc(files, missing)
	}
	if s.TrustOnFirstUse == "" {
		return files, nil
	}
	files = slices.DeleteFunc(slices.Clone(files), func(f string) bool { return f == s.TrustOnFirstUse })
	if missing(s.TrustOnFirstUse) {
		return files, nil
	}
	return append(files, s.TrustOnFirstUse), nil
}

func missing(file string) bool {
	_, err := os.Stat(file)
	return errors.Is(err, fs.ErrNotExist)
}

func (v *hostVerifier) read() error {
	lines, err := readKnownHosts(v.files...)
	if err != nil {
		return fmt.Errorf("known hosts: %w: correct the file or leave it out of KnownHosts", err)
	}
	v.known, v.bare = lookUp(lines, v.host, v.port)
	return nil
}

// parsePin reads a fingerprint as ssh-keygen -l and ssh print it.
func parsePin(p string) (string, error) {
	hash, ok := strings.CutPrefix(strings.TrimSpace(p), "SHA256:")
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(hash, "="))
	if !ok || err != nil || len(raw) != 32 {
		return "", fmt.Errorf("host key fingerprint %q: give it as ssh-keygen -l prints it, SHA256: and 43 characters", p)
	}
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(raw), nil
}

// callback is the ssh.HostKeyCallback: x/crypto calls it before it sends
// anything that authenticates us, so a wrong server never sees the password.
func (v *hostVerifier) callback(_ string, _ net.Addr, key ssh.PublicKey) error {
	v.err = v.check(key)
	if v.err == nil {
		v.key = key
	}
	return v.err
}

func (v *hostVerifier) check(key ssh.PublicKey) error {
	if bits := rsaBits(key); bits > 0 && bits < v.ssh.MinRSABits {
		return v.errorf(key, "has %d bits, and SSH.MinRSABits asks for %d: have the server's owner make a longer one, or an Ed25519 key", bits, v.ssh.MinRSABits)
	}
	switch {
	case v.insecure:
		return anyHostKey(key)
	case len(v.pins) > 0:
		return v.checkPins(key)
	}
	if l := v.known.isRevoked(key); l != nil {
		return v.errorf(key, "is revoked by %s: do not connect; ask the server's owner for the new key", l.at())
	}
	if cert, ok := key.(*ssh.Certificate); ok {
		if ca := v.authorityOf(cert); ca != nil {
			if err := v.checkCertificate(cert); err != nil {
				return v.errorf(key, "comes with a certificate of the authority at %s that is not valid for %s: %v: "+
					"have the server's owner renew it", ca.at(), v.host, err)
			}
			return nil
		}
		// As ssh(1): a certificate of nobody we know is worth its bare key.
	}
	plain := plainKey(key)
	switch {
	case findKey(v.known.keys, plain) != nil:
		return nil
	case findKey(onlyKeys(v.bare), plain) != nil:
		return nil
	case len(v.known.keys) > 0:
		return v.changed(plain)
	case len(v.known.cas) > 0:
		return v.errorf(key, "is not certified by the authority at %s: have the server's owner sign it, or add it with %s",
			v.known.cas[0].at(), v.keyscan())
	case v.trustFile != "":
		return v.trust(plain)
	}
	return v.unknown(plain)
}

// checkCertificate checks a certificate of an authority that is known.
func (v *hostVerifier) checkCertificate(cert *ssh.Certificate) error {
	if !signedWell(&v.ssh, cert) {
		return fmt.Errorf("its authority signed with %s, which is none of SSH.CASignatureAlgorithms", cert.Signature.Format)
	}
	return checkCertificate(cert, v.host, v.port, v.offers.legacy)
}

func onlyKeys(lines []knownLine) (out []knownLine) {
	for _, l := range lines {
		if l.marker == "" {
			out = append(out, l)
		}
	}
	return out
}

func (v *hostVerifier) authorityOf(cert *ssh.Certificate) *knownLine {
	if l := findKey(v.known.cas, cert.SignatureKey); l != nil {
		return l
	}
	if l := findKey(v.bare, cert.SignatureKey); l != nil && l.marker == "cert-authority" {
		return l
	}
	return nil
}

func (v *hostVerifier) checkPins(key ssh.PublicKey) error {
	print := ssh.FingerprintSHA256(plainKey(key))
	if slices.Contains(v.pins, print) {
		if v.trustFile != "" {
			return v.trust(plainKey(key))
		}
		return nil
	}
	v.shown = append(v.shown, fmt.Sprintf("%s (%s)", print, plainKey(key).Type()))
	return v.pinError()
}

func (v *hostVerifier) pinError() error {
	return v.refused(transport.ErrHostKeyChanged, fmt.Sprintf("the host key of %s is none of those in HostKeyFingerprints (%s): the server shows %s; "+
		"if its owner confirms one of them, put it there", hostName(v.host, v.port), strings.Join(v.pins, ", "), strings.Join(v.shown, ", ")))
}

// nextPinned narrows the algorithms to those that pins have not seen fail, for
// another handshake: a fingerprint does not tell its key's type, and a server
// shows only one of its keys, so a pinned RSA key would never be seen on a
// server that has an Ed25519 key too. It reports whether any is left.
func (v *hostVerifier) nextPinned(shown ssh.PublicKey) bool {
	used := algorithmsOfKey(plainKey(shown).Type(), true)
	v.algorithms = slices.DeleteFunc(slices.Clone(v.algorithms), func(a string) bool {
		// Certificates come only where the caller lists them, after all keys.
		return slices.Contains(used, a) || isCertAlgorithm(a)
	})
	return len(v.algorithms) > 0
}

func (v *hostVerifier) changed(key ssh.PublicKey) error {
	l := v.known.keys[0]
	for _, k := range v.known.keys {
		if k.key.Type() == key.Type() {
			l = k
		}
	}
	return v.because(transport.ErrHostKeyChanged, key, "has CHANGED: %s says %s (%s). Somebody may be listening in. If the server's owner confirms "+
		"the new key, remove the old one with \"ssh-keygen -R '%s' -f %s\" and add the new one with %s",
		l.at(), ssh.FingerprintSHA256(l.key), l.key.Type(), hostName(v.host, v.port), l.file, v.keyscan())
}

func (v *hostVerifier) unknown(key ssh.PublicKey) error {
	where := "no known_hosts file was found"
	if len(v.files) > 0 {
		where = "it is not in " + strings.Join(v.files, " or ")
	}
	return v.because(transport.ErrHostKeyUnknown, key, "is unknown: %s. Compare the fingerprint with the server's owner, then add it with %s, "+
		"or pin it in HostKeyFingerprints, or set TrustOnFirstUse", where, v.keyscan())
}

func (v *hostVerifier) keyscan() string {
	file := "known_hosts"
	if len(v.files) > 0 {
		file = v.files[0]
	}
	host, port, _ := net.SplitHostPort(v.addr)
	option, rename := "", ""
	if port != "22" {
		option = "-p " + port + " "
	}
	if hostName(host, port) != hostName(v.host, v.port) { // HostKeyAlias
		rename = fmt.Sprintf(" | sed 's/^[^ ]*/%s/'", v.host)
	}
	return fmt.Sprintf("\"ssh-keyscan %s%s%s >> %s\"", option, host, rename, file)
}

func (v *hostVerifier) errorf(key ssh.PublicKey, format string, args ...any) error {
	return v.because(nil, key, format, args...)
}

// because is errorf for an error that errors.Is finds is in; nil for none.
func (v *hostVerifier) because(is error, key ssh.PublicKey, format string, args ...any) error {
	plain := plainKey(key)
	print := ssh.FingerprintSHA256(plain)
	e := v.refused(is, fmt.Sprintf("the host key of %s, %s (%s), ", hostName(v.host, v.port), print, plain.Type())+fmt.Sprintf(format, args...))
	e.Fingerprint, e.Type = print, plain.Type()
	return e
}

func (v *hostVerifier) refused(is error, text string) *transport.HostKeyError {
	return &transport.HostKeyError{Host: hostName(v.host, v.port), Addr: v.addr, Text: text, Err: is}
}
