package sftpdriver

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
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

func knownHostsFile(t *testing.T, lines ...string) string {
	t.Helper()
	return writeFile(t, []byte(strings.Join(lines, "\n")+"\n"), t.TempDir(), "known_hosts")
}

// hostKeyServer has three host keys and accepts the password.
func hostKeyServer(t *testing.T) (ep *transport.Endpoint, ed, ec, rsa *pki.SSHKey) {
	ed, ec, rsa = must(pki.NewSSHKey()), must(pki.NewSSHKeyOf(pki.ECDSA)), must(pki.NewSSHKeyOf(pki.RSA))
	_, ep = startServer(t, testserver.SFTPOptions{HostKeys: []ssh.Signer{ed.Signer, ec.Signer, rsa.Signer}})
	ep.Password = "password"
	ep.SSH = transport.SSH{KnownHosts: []string{}}
	return ep, ed, ec, rsa
}

func TestHostKeyUnknown(t *testing.T) {
	ep, ed, _, _ := hostKeyServer(t)
	te := dialFail(t, ep, transport.KindHostKey)
	for _, want := range []string{ed.Fingerprint(), fmt.Sprintf("[127.0.0.1]:%d", ep.Port), "ssh-keyscan", "HostKeyFingerprints", "TrustOnFirstUse"} {
		if !strings.Contains(te.Error(), want) {
			t.Errorf("%q does not say %q", te, want)
		}
	}
	file := knownHostsFile(t, pki.KnownHost("other.example", ed.Public()))
	ep.SSH.KnownHosts = []string{file}
	if te := dialFail(t, ep, transport.KindHostKey); !strings.Contains(te.Error(), file) {
		t.Error(te)
	}
	ep.SSH.KnownHosts = []string{file + "-missing"}
	dialFail(t, ep, transport.KindInvalid)
	ep.SSH = transport.SSH{InsecureIgnoreHostKey: true}
	dialOK(t, ep)
}

// TestHostKeyKnown: each of a server's keys will do, whichever is known, with
// and without hashing, and next to lines that cannot be read.
func TestHostKeyKnown(t *testing.T) {
	ep, ed, ec, rsa := hostKeyServer(t)
	addr := ep.Addr()
	for i, k := range []*pki.SSHKey{ed, ec, rsa} {
		for _, line := range []string{pki.KnownHost(addr, k.Public()), pki.KnownHostHashed(addr, k.Public()),
			"*" + strings.TrimPrefix(pki.KnownHost("x", k.Public()), "x"),                                          // any host and port
			strings.Replace(pki.KnownHost("x", k.Public()), "x ", "a,b,["+ep.Host+"]:"+fmt.Sprint(ep.Port)+" ", 1), // a list
			pki.KnownHost("127.0.0.1", k.Public()),                                                                 // as ssh: without the port
		} {
			ep.SSH.KnownHosts = []string{knownHostsFile(t, "# comment", "", "nonsense", addr+" ssh-future AAAA", line)}
			c := dialOK(t, ep)
			if got := c.Info().Security.HostKey; got != k.Fingerprint() {
				t.Error(i, line, got)
			}
		}
	}
}

func TestHostKeyChanged(t *testing.T) {
	ep, ed, _, _ := hostKeyServer(t)
	old := must(pki.NewSSHKey())
	file := knownHostsFile(t, "", pki.KnownHost(ep.Addr(), old.Public()))
	ep.SSH.KnownHosts = []string{file}
	te := dialFail(t, ep, transport.KindHostKey)
	for _, want := range []string{"CHANGED", ed.Fingerprint(), old.Fingerprint(), file + ":2", "ssh-keygen -R"} {
		if !strings.Contains(te.Error(), want) {
			t.Errorf("%q does not say %q", te, want)
		}
	}
	// The same if the file knows a key of another type only: the server may
	// have been replaced by one that has no such key.
	oldRSA := must(pki.NewSSHKeyOf(pki.ECDSA))
	ep.SSH.KnownHosts = []string{knownHostsFile(t, pki.KnownHost(ep.Addr(), oldRSA.Public()))}
	dialFail(t, ep, transport.KindHostKey)
	// Trusting on first use is for the first use.
	ep.SSH.TrustOnFirstUse = filepath.Join(t.TempDir(), "trusted")
	dialFail(t, ep, transport.KindHostKey)
	if !missing(ep.SSH.TrustOnFirstUse) {
		t.Error("a changed key was trusted")
	}
}

func TestHostKeyRevoked(t *testing.T) {
	ep, ed, _, _ := hostKeyServer(t)
	file := knownHostsFile(t, pki.KnownHost(ep.Addr(), ed.Public()), pki.KnownHostRevoked("*", ed.Public()))
	ep.SSH.KnownHosts = []string{file}
	ep.SSH.TrustOnFirstUse = filepath.Join(t.TempDir(), "trusted")
	if te := dialFail(t, ep, transport.KindHostKey); !strings.Contains(te.Error(), "revoked by "+file+":2") {
		t.Error(te)
	}
	if !missing(ep.SSH.TrustOnFirstUse) {
		t.Error("a revoked key was trusted")
	}
	// A revocation that cannot be read is not passed over.
	ep.SSH.KnownHosts = []string{knownHostsFile(t, pki.KnownHost(ep.Addr(), ed.Public()), "@revoked * ssh-ed25519 nonsense")}
	dialFail(t, ep, transport.KindInvalid)
	ep.SSH.KnownHosts = []string{knownHostsFile(t, pki.KnownHost(ep.Addr(), ed.Public()), "@future * "+string(ed.AuthorizedKey()))}
	dialFail(t, ep, transport.KindInvalid)
}

// TestHostKeyPinned: a pin does not tell its type, and the server shows one of
// three keys.
func TestHostKeyPinned(t *testing.T) {
	ep, ed, ec, rsa := hostKeyServer(t)
	for _, k := range []*pki.SSHKey{ed, ec, rsa} {
		ep.SSH.HostKeyFingerprints = []string{must(pki.NewSSHKey()).Fingerprint(), k.Fingerprint() + "="}
		if got := dialOK(t, ep).Info().Security.HostKey; got != k.Fingerprint() {
			t.Error(got)
		}
	}
	ep.SSH.HostKeyFingerprints = []string{must(pki.NewSSHKey()).Fingerprint()}
	te := dialFail(t, ep, transport.KindHostKey)
	for _, k := range []*pki.SSHKey{ed, ec, rsa} {
		if !strings.Contains(te.Error(), k.Fingerprint()) {
			t.Errorf("%q does not name %s", te, k.Fingerprint())
		}
	}
	for _, bad := range []string{"", "SHA256:", "MD5:aa:bb", ed.Fingerprint()[:20], "SHA256:" + strings.Repeat("!", 43)} {
		ep.SSH.HostKeyFingerprints = []string{bad}
		dialFail(t, ep, transport.KindInvalid)
	}
}

func TestHostKeyTrustOnFirstUse(t *testing.T) {
	ep, ed, _, _ := hostKeyServer(t)
	file := filepath.Join(t.TempDir(), "new", "folder", "known_hosts")
	ep.SSH.TrustOnFirstUse = file
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() { defer wg.Done(); dialOK(t, ep) }()
	}
	wg.Wait()
	data := must(os.ReadFile(file))
	if strings.TrimSpace(string(data)) != pki.KnownHost(ep.Addr(), ed.Public()) {
		t.Errorf("%q", data)
	}
	for path, mode := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): 0o700 | os.ModeDir} {
		if fi := must(os.Stat(path)); fi.Mode() != mode {
			t.Error(path, fi.Mode())
		}
	}
	// The next time it must be the same.
	dialOK(t, ep)
	ep2, _, _, _ := hostKeyServer(t)
	ep2.SSH.TrustOnFirstUse = file
	line := strings.Replace(string(data), fmt.Sprint("]:", ep.Port), fmt.Sprint("]:", ep2.Port), 1)
	writeFile(t, []byte(line), file)
	dialFail(t, ep2, transport.KindHostKey)
	if got := string(must(os.ReadFile(file))); got != line {
		t.Errorf("the file has changed: %q", got)
	}
	// A file that does not end in a line end keeps its last line.
	writeFile(t, []byte("# no newline"), file)
	dialOK(t, ep2)
	if got := string(must(os.ReadFile(file))); !strings.HasPrefix(got, "# no newline\n[") {
		t.Errorf("%q", got)
	}
	// One that cannot be written is an error, and nothing is trusted.
	ep.SSH.TrustOnFirstUse = filepath.Join(file, "below", "a", "file")
	dialFail(t, ep, transport.KindInvalid)
	if runtime.GOOS == "linux" {
		ep.SSH.TrustOnFirstUse = "/proc/there-is-no-such-folder/known_hosts"
		dialFail(t, ep, transport.KindHostKey)
	}
}

func TestHostCertificate(t *testing.T) {
	ca, other := must(pki.NewSSHCA()), must(pki.NewSSHCA())
	key := must(pki.NewSSHKeyOf(pki.ECDSA)) // of another type than the CA's
	serve := func(opt pki.SSHCertOptions) *transport.Endpoint {
		cert := must(ca.SignHost(key.Public(), opt))
		_, ep := startServer(t, testserver.SFTPOptions{HostKeys: []ssh.Signer{must(ssh.NewCertSigner(cert, key.Signer)), key.Signer}})
		ep.Password = "password"
		return ep
	}
	until := time.Now().Add(48 * time.Hour).Truncate(time.Second)
	ep := serve(pki.SSHCertOptions{Principals: []string{"127.0.0.1"}, NotAfter: until})
	trust := func(lines ...string) { ep.SSH = transport.SSH{KnownHosts: []string{knownHostsFile(t, lines...)}} }

	trust(pki.KnownHostCA("[127.0.0.1]:*", ca.Public()))
	c := dialOK(t, ep)
	if s := c.Info().Security; !s.CertificateExpiry.Equal(until) || s.HostKey != key.Fingerprint() {
		t.Errorf("%+v", s)
	}
	trust(pki.KnownHostCA("127.0.0.1", ca.Public())) // without the port, as ssh
	dialOK(t, ep)
	trust(pki.KnownHostCA("*", other.Public()))
	dialFail(t, ep, transport.KindHostKey)
	trust(pki.KnownHostCA("*", other.Public()), pki.KnownHost(ep.Addr(), key.Public()))
	dialOK(t, ep) // nobody's certificate is worth its bare key
	trust(pki.KnownHostCA("*", ca.Public()), pki.KnownHostRevoked("*", ca.Public()))
	dialFail(t, ep, transport.KindHostKey)
	trust(pki.KnownHostCA("*", ca.Public()), pki.KnownHostRevoked("*", key.Public()))
	dialFail(t, ep, transport.KindHostKey)
	ep.SSH = transport.SSH{HostKeyFingerprints: []string{key.Fingerprint()}}
	dialOK(t, ep)

	for name, opt := range map[string]pki.SSHCertOptions{
		"expired":    {Principals: []string{"127.0.0.1"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)},
		"other host": {Principals: []string{"elsewhere.example"}},
	} {
		ep = serve(opt)
		trust(pki.KnownHostCA("*", ca.Public()), pki.KnownHost("x", key.Public()))
		ep.SSH.TrustOnFirstUse = filepath.Join(t.TempDir(), "trusted")
		te := dialFail(t, ep, transport.KindHostKey)
		t.Log(name, te)
		if !missing(ep.SSH.TrustOnFirstUse) {
			t.Error("trusted")
		}
	}
	// The authority's own key is not a host key.
	lines := must(readKnownHosts(knownHostsFile(t, pki.KnownHostCA("h", ca.Public()))))
	v := &hostVerifier{host: "h", port: "22"}
	v.known, v.bare = lookUp(lines, "h", "22")
	if err := v.check(ca.Public()); err == nil {
		t.Error("a CA's key was taken for the host's")
	}
}

// TestNothingIsSentToAWrongHost: no authentication begins before the host key
// is accepted, so the password is safe from an impostor.
func TestNothingIsSentToAWrongHost(t *testing.T) {
	var attempts atomic.Int32
	_, ep := startServer(t, testserver.SFTPOptions{Configure: func(c *ssh.ServerConfig) {
		c.NoClientAuth = true
		c.NoClientAuthCallback = func(ssh.ConnMetadata) (*ssh.Permissions, error) { attempts.Add(1); return nil, fmt.Errorf("no") }
		c.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { attempts.Add(1); return nil, nil }
	}})
	ep.Password = "s3cret-word"
	ep.SSH.HostKeyFingerprints = []string{must(pki.NewSSHKey()).Fingerprint()}
	dialFail(t, ep, transport.KindHostKey)
	ep.SSH = transport.SSH{KnownHosts: []string{}}
	dialFail(t, ep, transport.KindHostKey)
	if attempts.Load() != 0 {
		t.Errorf("%d attempts to log in", attempts.Load())
	}
}

func TestWildcard(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"*", "", true}, {"*", "x", true}, {"", "", true}, {"", "x", false}, {"?", "", false}, {"a?c", "abc", true},
		{"*.example.com", "a.b.example.com", true}, {"*.example.com", "example.com", false}, {"a*b*c", "aXbYbZc", true},
		{"a*b*c", "aXbYbZ", false}, {"[h]:*", "[h]:22", true},
		{strings.Repeat("a*", 40) + "b", strings.Repeat("a", 2000), false},
	} {
		if got := MatchPattern(c.pattern, c.s); got != c.want {
			t.Errorf("%q %q: %v", c.pattern, c.s, got)
		}
	}
	k := knownLine{patterns: []string{"*.example.com", "!bad.example.com"}}
	if !k.matches("good.example.com") || k.matches("bad.example.com") || k.matches("example.org") {
		t.Error("negation")
	}
}

// TestPinnedKeyIsAdded: a pin together with TrustOnFirstUse writes the key down, once, and
// no other key.
func TestPinnedKeyIsAdded(t *testing.T) {
	ep, ed, _, _ := hostKeyServer(t)
	file := filepath.Join(t.TempDir(), "new", "known_hosts")
	ep.SSH.KnownHosts = []string{}
	ep.SSH.TrustOnFirstUse, ep.SSH.HostKeyFingerprints = file, []string{"SHA256:" + strings.Repeat("A", 43)}
	dialFail(t, ep, transport.KindHostKey)
	if !missing(file) {
		t.Error("a key was written down that is not the pinned one")
	}
	ep.SSH.HostKeyFingerprints = []string{ed.Fingerprint()}
	for range 2 {
		dialOK(t, ep)
	}
	if data := string(must(os.ReadFile(file))); strings.TrimSpace(data) != pki.KnownHost(ep.Addr(), ed.Public()) {
		t.Errorf("%q", data)
	}
}
