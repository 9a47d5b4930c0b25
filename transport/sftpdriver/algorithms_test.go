package sftpdriver

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestDefaultAlgorithms: nothing broken is offered, and the order is as promised.
func TestDefaultAlgorithms(t *testing.T) {
	a := DefaultAlgorithms()
	all := slices.Concat(a.KeyExchanges, a.Ciphers, a.MACs, a.HostKeys)
	for _, name := range all {
		if strings.Contains(name, "sha1") || strings.Contains(name, "cbc") || strings.Contains(name, "arcfour") || strings.Contains(name, "group1-") ||
			name == "ssh-rsa" || strings.HasPrefix(name, "ssh-rsa-cert") || strings.HasPrefix(name, "ssh-dss") {
			t.Errorf("%s is offered", name)
		}
	}
	w := WeakAlgorithms()
	if both := common(all, slices.Concat(w.KeyExchanges, w.Ciphers, w.MACs, w.HostKeys)); len(both) > 0 {
		t.Error("weak and default:", both)
	}
	// All that x/crypto has is one or the other, so that no name is unknown.
	for _, x := range []ssh.Algorithms{ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()} {
		for _, c := range []struct{ theirs, ours []string }{
			{x.KeyExchanges, append(a.KeyExchanges, w.KeyExchanges...)}, {x.Ciphers, append(a.Ciphers, w.Ciphers...)},
			{x.MACs, append(a.MACs, w.MACs...)}, {x.HostKeys, append(a.HostKeys, w.HostKeys...)},
		} {
			for _, name := range c.theirs {
				if !slices.Contains(c.ours, name) {
					t.Error("not known:", name)
				}
			}
		}
	}
	if a.KeyExchanges[0] != "mlkem768x25519-sha256" {
		t.Error(a.KeyExchanges)
	}
	for hardware, first := range map[bool]string{true: ssh.CipherAES128GCM, false: ssh.CipherChaCha20Poly1305} {
		a := algorithmsWith(hardware)
		if a.Ciphers[0] != first || slices.ContainsFunc(a.Ciphers[:3], func(c string) bool { return strings.HasSuffix(c, "ctr") }) || len(a.Ciphers) != 6 {
			t.Error(hardware, a.Ciphers)
		}
	}
}

func TestOverrideMistakes(t *testing.T) {
	_, ep := startServer(t, testserver.SFTPOptions{})
	ep.Password = "password"
	for _, c := range []struct {
		set  func(*transport.SSH)
		want []string
	}{
		{func(s *transport.SSH) { s.Ciphers = []string{"aes256-gcm"} }, []string{"SSH.Ciphers", `"aes256-gcm"`, "aes256-gcm@openssh.com"}},
		{func(s *transport.SSH) { s.KeyExchanges = []string{"sntrup"} }, []string{"SSH.KeyExchanges", "curve25519-sha256"}},
		{func(s *transport.SSH) { s.MACs = []string{"hmac-sha1"} }, []string{"SSH.MACs", "weak", "LegacyAlgorithms"}},
		{func(s *transport.SSH) { s.Ciphers = []string{"aes128-gcm@openssh.com", "aes128-cbc"} }, []string{"aes128-cbc", "weak"}},
		{func(s *transport.SSH) { s.KeyExchanges = []string{"diffie-hellman-group14-sha1"} }, []string{"SSH.KeyExchanges", "weak"}},
		{func(s *transport.SSH) { s.HostKeyAlgorithms = []string{"ssh-rsa"} }, []string{"SSH.HostKeyAlgorithms", "weak"}},
		{func(s *transport.SSH) { s.HostKeyAlgorithms = []string{"rsa"} }, []string{"SSH.HostKeyAlgorithms", "rsa-sha2-512"}},
		{func(s *transport.SSH) { s.MACs = []string{} }, []string{"SSH.MACs", "empty"}},
		{func(s *transport.SSH) { s.AuthMethods = []string{"gssapi"} }, []string{"SSH.AuthMethods", "gssapi", "publickey"}},
	} {
		bad := *ep
		c.set(&bad.SSH)
		te := dialFail(t, &bad, transport.KindInvalid)
		for _, w := range c.want {
			if !strings.Contains(te.Error(), w) {
				t.Errorf("%q does not say %q", te, w)
			}
		}
	}
}

func TestOverrides(t *testing.T) {
	_, ep := startServer(t, testserver.SFTPOptions{})
	ep.Password = "password"
	ep.SSH.KeyExchanges = []string{"ecdh-sha2-nistp256"}
	ep.SSH.Ciphers = []string{"aes256-ctr", "aes128-gcm@openssh.com"}
	ep.SSH.MACs = []string{"hmac-sha2-512-etm@openssh.com"}
	s := dialOK(t, ep).Info().Security
	if s.KeyExchange != "ecdh-sha2-nistp256" || s.Cipher != "aes256-ctr" || s.MAC != "hmac-sha2-512-etm@openssh.com" || s.PostQuantum {
		t.Errorf("%+v", s)
	}
	ep.SSH.Ciphers = nil
	if s := dialOK(t, ep).Info().Security; s.MAC != "" || !strings.Contains(s.Cipher, "@openssh.com") {
		t.Errorf("%+v", s)
	}
}

// TestLegacyServers: a server that has nothing but what is broken is refused with
// the reason and the way out, and taken when the caller insists.
func TestLegacyServers(t *testing.T) {
	rsa := must(pki.NewSSHKeyOf(pki.RSA))
	onlySHA1 := must(ssh.NewSignerWithAlgorithms(rsa.Signer.(ssh.AlgorithmSigner), []string{ssh.KeyAlgoRSA}))
	for name, c := range map[string]struct {
		configure func(*ssh.ServerConfig)
		keys      []ssh.Signer
		says      string
	}{
		"kex":      {func(c *ssh.ServerConfig) { c.KeyExchanges = []string{"diffie-hellman-group14-sha1"} }, nil, "diffie-hellman-group14-sha1"},
		"group1":   {func(c *ssh.ServerConfig) { c.KeyExchanges = []string{"diffie-hellman-group1-sha1"} }, nil, "diffie-hellman-group1-sha1"},
		"cipher":   {func(c *ssh.ServerConfig) { c.Ciphers = []string{"aes128-cbc"} }, nil, "aes128-cbc"},
		"mac":      {func(c *ssh.ServerConfig) { c.Ciphers, c.MACs = []string{"aes128-ctr"}, []string{"hmac-sha1"} }, nil, "hmac-sha1"},
		"host key": {nil, []ssh.Signer{onlySHA1}, "ssh-rsa"},
	} {
		t.Run(name, func(t *testing.T) {
			_, ep := startServer(t, testserver.SFTPOptions{Configure: c.configure, HostKeys: c.keys})
			ep.Password = "password"
			te := dialFail(t, ep, transport.KindRefused)
			for _, want := range []string{c.says, "LegacyAlgorithms"} {
				if !strings.Contains(te.Error(), want) {
					t.Errorf("%q does not say %q", te, want)
				}
			}
			t.Log(te)
			ep.SSH.LegacyAlgorithms = true
			c := dialOK(t, ep)
			t.Logf("%+v", c.Info().Security)
		})
	}
	t.Run("user key", func(t *testing.T) {
		_, ep := startServer(t, testserver.SFTPOptions{AuthorizedKeys: []ssh.PublicKey{rsa.Public()}, Configure: func(c *ssh.ServerConfig) {
			c.PublicKeyAuthAlgorithms = []string{ssh.KeyAlgoRSA}
		}})
		ep.SSH.Signers = []ssh.Signer{rsa.Signer}
		if te := dialFail(t, ep, transport.KindAuth); !strings.Contains(te.Error(), "LegacyAlgorithms") {
			t.Error(te)
		}
		ep.SSH.LegacyAlgorithms = true
		dialOK(t, ep)
	})
}

// TestLegacyIsLast: LegacyAlgorithms does not weaken a server that can do better.
func TestLegacyIsLast(t *testing.T) {
	all := func(c *ssh.ServerConfig) {
		good, bad := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
		c.KeyExchanges = append(bad.KeyExchanges, good.KeyExchanges...)
		c.Ciphers = append(bad.Ciphers, good.Ciphers...)
		c.MACs = append(bad.MACs, good.MACs...)
	}
	rsa := must(pki.NewSSHKeyOf(pki.RSA))
	_, ep := startServer(t, testserver.SFTPOptions{Configure: all, HostKeys: []ssh.Signer{rsa.Signer}})
	ep.Password = "password"
	ep.SSH.LegacyAlgorithms = true
	var shown string
	ep.SSH.HostKeyFingerprints = []string{rsa.Fingerprint()}
	c := dialOK(t, ep)
	if m, ok := c.ssh.(ssh.AlgorithmsConnMetadata); ok {
		shown = m.Algorithms().HostKey
	}
	if s := c.Info().Security; !s.PostQuantum || s.Cipher != DefaultAlgorithms().Ciphers[0] || shown != ssh.KeyAlgoRSASHA512 {
		t.Errorf("%+v %s", s, shown)
	}
}

// TestRequirePostQuantum: accepted with a hybrid, also in a rekeying, refused
// without one, before anything that authenticates is sent.
func TestRequirePostQuantum(t *testing.T) {
	_, ep := startServer(t, testserver.SFTPOptions{})
	ep.Password, ep.RequirePostQuantum = "password", true
	if s := dialOK(t, ep).Info().Security; !s.PostQuantum || s.KeyExchange != "mlkem768x25519-sha256" {
		t.Errorf("%+v", s)
	}
	asked := false
	_, without := startServer(t, testserver.SFTPOptions{Configure: func(c *ssh.ServerConfig) {
		c.KeyExchanges = []string{"curve25519-sha256", "ecdh-sha2-nistp256"}
		c.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { asked = true; return nil, nil }
	}})
	without.Password, without.RequirePostQuantum = "password", true
	te := dialFail(t, without, transport.KindInsecure)
	for _, want := range []string{"RequirePostQuantum", "curve25519-sha256, ", "ecdh-sha2-nistp256", "mlkem768x25519-sha256", "9.9"} {
		if !strings.Contains(te.Error(), want) {
			t.Errorf("%q does not say %q", te, want)
		}
	}
	if asked || strings.Contains(te.Error(), "kex-strict") {
		t.Error(asked, te)
	}
	t.Log(te)
	// A jump host is no exception.
	if _, err := DialSSH(t.Context(), without); transport.KindOf(err) != transport.KindInsecure || asked {
		t.Errorf("DialSSH: %v, asked for the password: %v", err, asked)
	}
	without.RequirePostQuantum = false
	if s := dialOK(t, without).Info().Security; s.PostQuantum {
		t.Errorf("%+v", s)
	}
	ep.SSH.KeyExchanges = []string{"curve25519-sha256"}
	if te := dialFail(t, ep, transport.KindInvalid); !strings.Contains(te.Error(), "RequirePostQuantum") {
		t.Error(te)
	}
	ep.SSH.KeyExchanges = []string{"curve25519-sha256", "mlkem768x25519-sha256"}
	if s := dialOK(t, ep).Info().Security; !s.PostQuantum {
		t.Errorf("a key exchange that is not allowed was taken: %+v", s)
	}
}

func TestHostKeyAlgorithms(t *testing.T) {
	ep, _, ec, rsa := hostKeyServer(t)
	ep.SSH.HostKeyAlgorithms = []string{"rsa-sha2-256", "ecdsa-sha2-nistp256"}
	ep.SSH.KnownHosts = []string{knownHostsFile(t, pki.KnownHost(ep.Addr(), rsa.Public()), pki.KnownHost(ep.Addr(), ec.Public()))}
	if got := dialOK(t, ep).Info().Security.HostKey; got != rsa.Fingerprint() {
		t.Error(got)
	}
	// What is known comes first, whatever the order.
	ep.SSH.KnownHosts = []string{knownHostsFile(t, pki.KnownHost(ep.Addr(), ec.Public()))}
	if got := dialOK(t, ep).Info().Security.HostKey; got != ec.Fingerprint() {
		t.Error(got)
	}
	ep.SSH.HostKeyAlgorithms = []string{"ssh-ed25519"}
	dialFail(t, ep, transport.KindHostKey) // it shows a key that is not the known one
}
