package sftpdriver

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

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

	// An agent full of other keys must not meet the server's bound on attempts
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
// files is offered before the agent's others, which a server may not have the time
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
