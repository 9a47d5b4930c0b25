package sftpdriver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// must returns v and panics on err.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func startServer(t testing.TB, opts testserver.SFTPOptions) (*testserver.SFTPServer, *transport.Endpoint) {
	t.Helper()
	if opts.Root == "" {
		opts.Root = t.TempDir()
	}
	srv := must(testserver.StartSFTP(opts))
	t.Cleanup(func() { _ = srv.Close() })
	return srv, &transport.Endpoint{Protocol: transport.SFTP, Host: "127.0.0.1", Port: srv.Port(), User: "user",
		SSH: transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(srv.HostKey())}}}
}

func dialOK(t testing.TB, ep *transport.Endpoint) *client {
	t.Helper()
	c, err := dialClient(context.Background(), ep)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func writeFile(t testing.TB, data []byte, name ...string) string {
	t.Helper()
	path := filepath.Join(name...)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPassword(t *testing.T) {
	_, ep := startServer(t, testserver.SFTPOptions{Password: "s3cret-word"})
	ep.Password = "s3cret-word"
	dialOK(t, ep)
	ep.Password = "other-word"
	te := dialFail(t, ep, transport.KindAuth)
	if te.Op != "login" || !strings.Contains(te.Error(), `"user"`) {
		t.Error(te)
	}
	ep.Password = ""
	if te := dialFail(t, ep, transport.KindAuth); !strings.Contains(te.Error(), "no way to log in") {
		t.Error(te)
	}
}

func TestKeyboardInteractive(t *testing.T) {
	_, ep := startServer(t, testserver.SFTPOptions{Password: "s3cret-word", NoPassword: true, KeyboardInteractive: true})
	ep.Password = "s3cret-word"
	dialOK(t, ep)
	ep.Password = "other-word"
	dialFail(t, ep, transport.KindAuth)
	ep.Password = ""
	ep.SSH.KeyboardInteractive = func(_, _ string, questions []string, _ []bool) ([]string, error) {
		return make([]string, len(questions), 9), nil
	}
	dialFail(t, ep, transport.KindAuth)
	ep.SSH.KeyboardInteractive = func(_, _ string, questions []string, _ []bool) ([]string, error) {
		if len(questions) == 0 {
			return nil, nil
		}
		return []string{"s3cret-word"}, nil
	}
	dialOK(t, ep)
	gone := errors.New("nobody there to answer")
	ep.SSH.KeyboardInteractive = func(string, string, []string, []bool) ([]string, error) { return nil, gone }
	if te := dialFail(t, ep, transport.KindAuth); !errors.Is(te, gone) {
		t.Error(te)
	}
	// A person who does not answer must not keep Dial beyond its time.
	release := make(chan struct{})
	ep.SSH.KeyboardInteractive = func(string, string, []string, []bool) ([]string, error) { <-release; return nil, gone }
	ep.ConnectTimeout = 300 * time.Millisecond
	begin := time.Now()
	dialFail(t, ep, transport.KindTimeout)
	if d := time.Since(begin); d > slack {
		t.Error("took", d)
	}
	close(release)
}

// asks has a server ask for the password and, in the same round or in the next, for a code.
// With a key it does so only when that has been accepted.
func asks(t *testing.T, oneRound bool, key *pki.SSHKey, failures *atomic.Int32) *transport.Endpoint {
	questions := func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		var got []string
		rounds := [][]string{{"Password: "}, {"Verification code: "}}
		if oneRound {
			rounds = [][]string{{"Password: ", "Verification code: "}}
		}
		for _, q := range rounds {
			a, err := ask("", "", q, make([]bool, len(q)))
			if err != nil {
				return nil, err
			}
			got = append(got, a...)
		}
		if !slices.Equal(got, []string{"s3cret-word", "123456"}) {
			failures.Add(1)
			return nil, errors.New("no")
		}
		return nil, nil
	}
	opts := testserver.SFTPOptions{NoPassword: true, Configure: func(c *ssh.ServerConfig) {
		if key == nil {
			c.KeyboardInteractiveCallback = questions
			return
		}
		byKey := c.PublicKeyCallback
		c.PublicKeyCallback = func(m ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
			if _, err := byKey(m, k); err != nil {
				return nil, err
			}
			return nil, &ssh.PartialSuccessError{Next: ssh.ServerAuthCallbacks{KeyboardInteractiveCallback: questions}}
		}
	}}
	if key != nil {
		opts.AuthorizedKeys = []ssh.PublicKey{key.Public()}
	}
	_, ep := startServer(t, opts)
	return ep
}

// TestSeveralQuestions: one who answers is asked them all, alone or behind a key. The
// password alone answers one question: the second is not about it, and a wrong answer to
// that would count as a failed login.
func TestSeveralQuestions(t *testing.T) {
	key := must(pki.NewSSHKey())
	for _, oneRound := range []bool{false, true} {
		for _, k := range []*pki.SSHKey{nil, key} {
			var failures atomic.Int32
			ep := asks(t, oneRound, k, &failures)
			if k != nil {
				ep.SSH.Signers = []ssh.Signer{k.Signer}
			}
			ep.Password = "s3cret-word"
			if te := dialFail(t, ep, transport.KindAuth); !strings.Contains(te.Error(), "Verification code") || !strings.Contains(te.Error(), "KeyboardInteractive") {
				t.Error(te)
			}
			if n := failures.Load(); n != 0 {
				t.Errorf("%d wrong answers were given", n)
			}
			ep.SSH.KeyboardInteractive = func(_, _ string, questions []string, _ []bool) (answers []string, _ error) {
				for _, q := range questions {
					answers = append(answers, map[string]string{"Password: ": "s3cret-word", "Verification code: ": "123456"}[q])
				}
				return answers, nil
			}
			dialOK(t, ep)
		}
	}
}

// TestEchoingQuestion: a question that echoes asks for something else than a
// password, and must not get it.
func TestEchoingQuestion(t *testing.T) {
	l := &login{ctx: t.Context(), ep: &transport.Endpoint{Password: "s3cret-word"}}
	if _, err := l.answer("", "", []string{"Name of your first pet: "}, []bool{true}); err == nil {
		t.Error("answered")
	}
	if a, err := l.answer("", "", nil, nil); err != nil || len(a) != 0 {
		t.Error(a, err)
	}
}

func TestIdentityFiles(t *testing.T) {
	for name, kind := range map[string]pki.KeyType{"ed25519": pki.Ed25519, "ecdsa": pki.ECDSA, "rsa": pki.RSA} {
		t.Run(name, func(t *testing.T) {
			key := must(pki.NewSSHKeyOf(kind))
			_, ep := startServer(t, testserver.SFTPOptions{AuthorizedKeys: []ssh.PublicKey{key.Public()}})
			dir := t.TempDir()
			plain := writeFile(t, must(key.PrivatePEM("", "")), dir, "plain")
			ep.SSH.IdentityFiles = []string{plain}
			dialOK(t, ep)

			if kind != pki.Ed25519 {
				return // deriving keys from passphrases is slow, by design
			}
			locked := writeFile(t, must(key.PrivatePEM("", "open sesame")), dir, "locked")
			ep.SSH.IdentityFiles = []string{locked}
			if te := dialFail(t, ep, transport.KindAuth); !strings.Contains(te.Error(), locked) || !strings.Contains(te.Error(), "passphrase") {
				t.Error(te)
			}
			asked := 0
			ep.SSH.Passphrase = func(file string) (transport.Secret, error) {
				if asked++; file != locked {
					t.Error(file)
				}
				return "open sesame", nil
			}
			dialOK(t, ep)
			begin := time.Now()
			dialOK(t, ep)
			if d := time.Since(begin); d > slack || asked != 2 {
				t.Error("second time took", d, "asked", asked)
			}
			ep.SSH.Passphrase = func(string) (transport.Secret, error) { return "wrong one", nil }
			if te := dialFail(t, ep, transport.KindAuth); strings.Contains(te.Error(), "wrong one") {
				t.Error(te)
			}
			ep.SSH.Passphrase = func(string) (transport.Secret, error) { return "", errors.New("no terminal") }
			dialFail(t, ep, transport.KindAuth)
		})
	}
}

func TestIdentityFileMistakes(t *testing.T) {
	_, ep := startServer(t, testserver.SFTPOptions{})
	dir := t.TempDir()
	key, other := must(pki.NewSSHKey()), must(pki.NewSSHKey())
	good := must(key.PrivatePEM("", ""))
	for name, c := range map[string]struct{ key, cert []byte }{
		"missing":  {},
		"public":   {key: key.AuthorizedKey()},
		"garbage":  {key: []byte("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")},
		"empty":    {key: []byte{}},
		"no-cert":  {key: good, cert: key.AuthorizedKey()},
		"bad-cert": {key: good, cert: []byte("nonsense")},
		"foreign":  {key: good, cert: ssh.MarshalAuthorizedKey(must(must(pki.NewSSHCA()).SignUser(other.Public(), pki.SSHCertOptions{})))},
	} {
		file := filepath.Join(dir, name)
		if c.key != nil {
			writeFile(t, c.key, file)
		}
		if c.cert != nil {
			writeFile(t, c.cert, file+"-cert.pub")
		}
		ep.SSH.IdentityFiles = []string{file}
		if te := dialFail(t, ep, transport.KindInvalid); !strings.Contains(te.Error(), file) {
			t.Error(te)
		} else {
			t.Log(te)
		}
	}
}

func TestUserCertificate(t *testing.T) {
	ca := must(pki.NewSSHCA())
	_, ep := startServer(t, testserver.SFTPOptions{UserCA: ca.Public()})
	for _, kind := range []pki.KeyType{pki.Ed25519, pki.RSA} {
		key := must(pki.NewSSHKeyOf(kind))
		file := writeFile(t, must(key.PrivatePEM("", "")), t.TempDir(), "id")
		ep.SSH.IdentityFiles = []string{file}
		dialFail(t, ep, transport.KindAuth)
		cert := must(ca.SignUser(key.Public(), pki.SSHCertOptions{Principals: []string{"user"}}))
		writeFile(t, ssh.MarshalAuthorizedKey(cert), file+"-cert.pub")
		dialOK(t, ep)
		expired := must(ca.SignUser(key.Public(), pki.SSHCertOptions{Principals: []string{"user"},
			NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}))
		writeFile(t, ssh.MarshalAuthorizedKey(expired), file+"-cert.pub")
		dialFail(t, ep, transport.KindAuth)
	}
}

// TestNoSHA1: a server that would take ssh-rsa signatures does not get one.
func TestNoSHA1(t *testing.T) {
	key := must(pki.NewSSHKeyOf(pki.RSA))
	_, ep := startServer(t, testserver.SFTPOptions{AuthorizedKeys: []ssh.PublicKey{key.Public()}, Configure: func(c *ssh.ServerConfig) {
		c.PublicKeyAuthAlgorithms = []string{ssh.KeyAlgoRSA}
	}})
	ep.SSH.Signers = []ssh.Signer{key.Signer}
	dialFail(t, ep, transport.KindAuth)
}

// startAgent serves a keyring at a socket.
func startAgent(t *testing.T, keys ...*pki.SSHKey) string {
	t.Helper()
	ring := agent.NewKeyring()
	for _, k := range keys {
		raw := must(ssh.ParseRawPrivateKey(must(k.PrivatePEM("", ""))))
		if err := ring.Add(agent.AddedKey{PrivateKey: raw}); err != nil {
			t.Fatal(err)
		}
	}
	dir := must(os.MkdirTemp("", "agent"))
	path := filepath.Join(dir, "s")
	ln := must(net.Listen("unix", path))
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Add(1)
			go func() { defer wg.Done(); _ = agent.ServeAgent(ring, c); c.Close() }()
		}
	}()
	t.Cleanup(func() { ln.Close(); wg.Wait(); os.RemoveAll(dir) })
	return path
}

func TestAgent(t *testing.T) {
	keys := make([]*pki.SSHKey, 10)
	for i := range keys {
		keys[i] = must(pki.NewSSHKey())
	}
	rsa := must(pki.NewSSHKeyOf(pki.RSA))
	_, ep := startServer(t, testserver.SFTPOptions{AuthorizedKeys: []ssh.PublicKey{keys[0].Public(), keys[9].Public(), rsa.Public()}})
	ep.SSH.Agent = startAgent(t, keys[0])
	dialOK(t, ep)
	ep.SSH.Agent = startAgent(t, rsa)
	dialOK(t, ep)

	t.Setenv("SSH_AUTH_SOCK", ep.SSH.Agent)
	ep.SSH.Agent = "auto"
	dialOK(t, ep)
	t.Setenv("SSH_AUTH_SOCK", "")
	dialFail(t, ep, transport.KindAuth)

	// An agent full of other keys must not use up the server's patience
	// before the password is tried.
	ep.SSH.Agent = startAgent(t, keys[1:9]...)
	ep.Password = "password"
	dialOK(t, ep)

	ep.Password = ""
	ep.SSH.Agent = filepath.Join(t.TempDir(), "none")
	if te := dialFail(t, ep, transport.KindAuth); !strings.Contains(te.Error(), "agent") {
		t.Error(te)
	}
}

// TestAgentKeyThatIsNamed: the key of the agent whose public half is among the identity
// files is offered before the agent's others, which a server may not have the patience
// for; where a password may follow it counts for nothing.
func TestAgentKeyThatIsNamed(t *testing.T) {
	keys := make([]*pki.SSHKey, 10)
	for i := range keys {
		keys[i] = must(pki.NewSSHKey())
	}
	file := must(pki.NewSSHKey())
	var mu sync.Mutex
	var seen []string
	name := func(k ssh.PublicKey) string {
		for i, key := range append(keys, file) {
			if sameKey(key.Public(), k) {
				return strconv.Itoa(i)
			}
		}
		return "?"
	}
	_, ep := startServer(t, testserver.SFTPOptions{AuthorizedKeys: []ssh.PublicKey{keys[8].Public()}, MaxAuthTries: 6, Password: "password",
		Configure: func(c *ssh.ServerConfig) {
			check := c.PublicKeyCallback
			c.PublicKeyCallback = func(m ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
				mu.Lock()
				if n := name(k); !slices.Contains(seen, n) {
					seen = append(seen, n)
				}
				mu.Unlock()
				return check(m, k)
			}
		}})
	dir := t.TempDir()
	public := func(i int) string { return writeFile(t, keys[i].AuthorizedKey(), dir, fmt.Sprint("id", i, ".pub")) }
	ep.SSH.Agent = startAgent(t, keys...)

	for _, c := range []struct {
		files []string
		only  bool
		want  []string
	}{
		{[]string{public(8)}, false, []string{"8"}},
		{[]string{public(8)}, true, []string{"8"}},
		{[]string{public(9), public(8)}, false, []string{"9", "8"}},
		{[]string{public(9), writeFile(t, must(file.PrivatePEM("", "")), dir, "id"), public(8)}, false, []string{"9", "10", "8"}},
	} {
		for _, password := range []transport.Secret{"", "password"} {
			ep.SSH.IdentityFiles, ep.SSH.IdentitiesOnly, ep.Password = c.files, c.only, password
			seen = nil
			dialOK(t, ep)
			if !slices.Equal(seen, c.want) {
				t.Errorf("offered %v, want %v", seen, c.want)
			}
		}
	}
	// What is not named comes behind it, and leaves room for the password.
	ep.SSH.IdentityFiles, ep.Password = []string{public(5)}, "password"
	seen = nil
	dialOK(t, ep)
	if want := []string{"5", "0", "1", "2", "3"}; !slices.Equal(seen, want) {
		t.Errorf("offered %v, want %v", seen, want)
	}
}

// TestAgentHangs: an agent that does not answer is given up with the rest.
func TestAgentHangs(t *testing.T) {
	_, ep := startServer(t, testserver.SFTPOptions{AuthorizedKeys: []ssh.PublicKey{must(pki.NewSSHKey()).Public()}})
	path := filepath.Join(must(os.MkdirTemp("", "agent")), "s")
	ln := must(net.Listen("unix", path))
	t.Cleanup(func() { ln.Close(); os.RemoveAll(filepath.Dir(path)) })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
	ep.SSH.Agent = path
	ep.ConnectTimeout = 300 * time.Millisecond
	begin := time.Now()
	dialFail(t, ep, transport.KindTimeout)
	if d := time.Since(begin); d > slack {
		t.Error("took", d)
	}
}

// TestKeyAndPassword: a server that wants both (AuthenticationMethods).
func TestKeyAndPassword(t *testing.T) {
	key := must(pki.NewSSHKey())
	_, ep := startServer(t, testserver.SFTPOptions{AuthorizedKeys: []ssh.PublicKey{key.Public()}, Configure: func(c *ssh.ServerConfig) {
		password := c.PasswordCallback
		byKey := c.PublicKeyCallback
		c.PasswordCallback, c.KeyboardInteractiveCallback = nil, nil
		c.PublicKeyCallback = func(m ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
			if _, err := byKey(m, k); err != nil {
				return nil, err
			}
			return nil, &ssh.PartialSuccessError{Next: ssh.ServerAuthCallbacks{PasswordCallback: password}}
		}
	}})
	ep.SSH.Signers = []ssh.Signer{key.Signer}
	dialFail(t, ep, transport.KindAuth)
	ep.Password = "password"
	dialOK(t, ep)
}
