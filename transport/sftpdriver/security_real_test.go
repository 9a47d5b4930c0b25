//go:build linux && realserver

package sftpdriver

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRealPostQuantum: sshd with mlkem768x25519-sha256 (9.9 and later) is taken;
// one without is refused with what it offers.
func TestRealPostQuantum(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH})
	ep := realEndpoint(srv)
	able := dialReal(t, ep).Info().Security.PostQuantum
	ep.RequirePostQuantum = true
	if able {
		t.Logf("taken: %+v", dialReal(t, ep).Info().Security)
	} else {
		te := dialFail(t, ep, transport.KindInsecure)
		if !strings.Contains(te.Error(), "curve25519-sha256") || !strings.Contains(te.Error(), "RequirePostQuantum") {
			t.Error(te)
		}
		t.Log("refused:", te)
	}
	classic := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH, Extra: []string{"KexAlgorithms curve25519-sha256"}})
	ep = realEndpoint(classic)
	dialReal(t, ep)
	ep.RequirePostQuantum = true
	dialFail(t, ep, transport.KindInsecure)
}

// TestRealLegacy: an sshd that was told to speak what is broken.
func TestRealLegacy(t *testing.T) {
	for name, c := range map[string]struct {
		extra []string
		sees  func(*transport.Security) string
		want  string
	}{
		"kex":    {[]string{"KexAlgorithms diffie-hellman-group14-sha1"}, func(s *transport.Security) string { return s.KeyExchange }, "diffie-hellman-group14-sha1"},
		"gex":    {[]string{"KexAlgorithms diffie-hellman-group-exchange-sha1"}, func(s *transport.Security) string { return s.KeyExchange }, "diffie-hellman-group-exchange-sha1"},
		"cipher": {[]string{"Ciphers aes128-cbc"}, func(s *transport.Security) string { return s.Cipher }, "aes128-cbc"},
		"mac":    {[]string{"Ciphers aes128-ctr", "MACs hmac-sha1"}, func(s *transport.Security) string { return s.MAC }, "hmac-sha1"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH, Extra: c.extra})
			ep := realEndpoint(srv)
			if te := dialFail(t, ep, transport.KindRefused); !strings.Contains(te.Error(), "LegacyAlgorithms") {
				t.Error(te)
			}
			ep.SSH.LegacyAlgorithms = true
			if got := c.sees(dialReal(t, ep).Info().Security); got != c.want {
				t.Error(got)
			}
		})
	}
}

// TestRealAlgorithms: each algorithm that is offered by default works with sshd,
// as far as it has it.
func TestRealAlgorithms(t *testing.T) {
	out, err := exec.Command("sshd", "-T", "-f", "/dev/null", "-h", hostKeyFile(t)).CombinedOutput()
	if err != nil {
		absent(t, fmt.Errorf("sshd -T: %w: %s", err, out))
	}
	theirs := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		if key, list, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			theirs[key] = strings.Split(list, ",")
		}
	}
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH})
	a := DefaultAlgorithms()
	tried := 0
	try := func(names, has []string, set func(*transport.SSH, string), got func(*transport.Security) string) {
		for _, name := range common(names, has) {
			ep := realEndpoint(srv)
			set(&ep.SSH, name)
			if g := got(dialReal(t, ep).Info().Security); g != name {
				t.Errorf("asked for %s, got %s", name, g)
			}
			tried++
		}
	}
	try(a.KeyExchanges, theirs["kexalgorithms"], func(s *transport.SSH, n string) { s.KeyExchanges = []string{n} }, func(s *transport.Security) string { return s.KeyExchange })
	try(a.Ciphers, theirs["ciphers"], func(s *transport.SSH, n string) { s.Ciphers = []string{n} }, func(s *transport.Security) string { return s.Cipher })
	try(a.MACs, theirs["macs"], func(s *transport.SSH, n string) { s.MACs, s.Ciphers = []string{n}, []string{"aes256-ctr"} }, func(s *transport.Security) string { return s.MAC })
	if tried < 12 {
		t.Error("only", tried, "algorithms in common")
	}
	t.Log(tried, "algorithms")
}

func hostKeyFile(t *testing.T) string {
	t.Helper()
	return writeFile(t, must(must(pki.NewSSHKey()).PrivatePEM("", "")), t.TempDir(), "host")
}

// TestRealCertificates: host certificates of a known authority, user certificates
// beside the key, elsewhere and through an agent, and revocation of each.
func TestRealCertificates(t *testing.T) {
	hostCA, userCA, key := must(pki.NewSSHKey()), must(pki.NewSSHCA()), must(pki.NewSSHKey())
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH, SSH: realserver.SSHOptions{
		NoPassword: true, HostCA: hostCA.Signer, UserCAs: []ssh.PublicKey{userCA.Public()},
	}})
	ep := realEndpoint(srv)
	ep.Password = ""
	file := writeFile(t, must(key.PrivatePEM("", "")), t.TempDir(), "id")
	ep.SSH.IdentityFiles = []string{file}
	dialFail(t, ep, transport.KindAuth) // the bare key is not authorised
	cert := must(userCA.SignUser(key.Public(), pki.SSHCertOptions{Principals: []string{srv.User}}))
	elsewhere := writeFile(t, ssh.MarshalAuthorizedKey(cert), t.TempDir(), "cert")
	ep.SSH.CertificateFiles = []string{elsewhere}
	if s := dialReal(t, ep).Info().Security; s.HostKey == "" {
		t.Errorf("%+v", s)
	}
	ep.SSH.CertificateFiles = nil
	writeFile(t, ssh.MarshalAuthorizedKey(cert), file+"-cert.pub")
	dialReal(t, ep)

	// OpenSSH's own agent, with a key that is nowhere else.
	agentKey := must(pki.NewSSHKey())
	path, sock := startRealAgent(t)
	inAgent := writeFile(t, must(agentKey.PrivatePEM("", "")), t.TempDir(), "agentkey")
	add := exec.Command(path, inAgent)
	add.Env = append(os.Environ(), "SSH_AUTH_SOCK="+sock)
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	agentCert := writeFile(t, ssh.MarshalAuthorizedKey(must(userCA.SignUser(agentKey.Public(), pki.SSHCertOptions{Principals: []string{srv.User}}))), t.TempDir(), "cert")
	ep.SSH.IdentityFiles, ep.SSH.Agent = nil, sock
	dialFail(t, ep, transport.KindAuth)
	ep.SSH.CertificateFiles, ep.SSH.IdentitiesOnly = []string{agentCert}, true
	dialReal(t, ep)

	// Revoking the authority, or the host's key, ends it.
	known := string(must(os.ReadFile(srv.KnownHosts)))
	for i, revoked := range slices.Concat([]ssh.PublicKey{hostCA.Public()}, srv.HostKeys()[:1]) {
		bad := *ep
		bad.SSH.KnownHosts = []string{knownHostsFile(t, known, pki.KnownHostRevoked("*", revoked))}
		if i > 0 {
			// The server shows one key of several: ask for that one.
			bad.SSH.HostKeyAlgorithms = []string{certAlgorithmOf(revoked.Type())}
		}
		if te := dialFail(t, &bad, transport.KindHostKey); !strings.Contains(te.Error(), "revoked") {
			t.Error(te)
		}
	}
	// A certificate for another host.
	bad := *ep
	bad.SSH.HostKeyAlias = "another.example"
	bad.SSH.KnownHosts = []string{knownHostsFile(t, pki.KnownHostCA("*", hostCA.Public()))}
	dialFail(t, &bad, transport.KindHostKey)
}

func certAlgorithmOf(keyType string) string {
	if keyType == ssh.KeyAlgoRSA {
		return ssh.CertAlgoRSASHA512v01
	}
	return keyType + "-cert-v01@openssh.com"
}

// absent fails the test where CI wants every program of OpenSSH to be there, and
// skips it elsewhere.
func absent(t *testing.T, err error) {
	t.Helper()
	if os.Getenv(realtest.RequireEnv) == "1" {
		t.Fatal(err)
	}
	t.Skip(err)
}

// startRealAgent starts ssh-agent and returns ssh-add and the socket.
func startRealAgent(t *testing.T) (add, sock string) {
	t.Helper()
	program, err := exec.LookPath("ssh-agent")
	if err != nil {
		absent(t, err)
	}
	if add, err = exec.LookPath("ssh-add"); err != nil {
		absent(t, err)
	}
	dir := must(os.MkdirTemp("", "agent"))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	sock = filepath.Join(dir, "s")
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "-D", "-a", sock)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	for begin := time.Now(); missing(sock); time.Sleep(time.Millisecond) {
		if time.Since(begin) > slack {
			t.Fatal("ssh-agent does not listen")
		}
	}
	return add, sock
}
