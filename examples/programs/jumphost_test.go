package programs_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// TestJumpHost: the alias leads through the jump host, with a key there and a password at
// its end.
func TestJumpHost(t *testing.T) {
	p := newPlace(t)
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	id := p.write(t, ".ssh/id_ed25519", string(pem.EncodeToMemory(block)))
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	gate := startGate(t, signer.PublicKey())
	known := filepath.Join(p.home, ".ssh", "known_hosts")
	lines, err := os.ReadFile(known)
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, ".ssh/known_hosts", string(lines)+knownhosts.Line([]string{gate.addr.String()}, gate.key)+"\n")
	p.write(t, ".ssh/config", fmt.Sprintf("Host backup\n  HostName 127.0.0.1\n  Port %d\n  User %s\n  ProxyJump gate\nHost gate\n  HostName 127.0.0.1\n  Port %d\n  User jump\n  IdentityFile %s\nHost *\n  UserKnownHostsFile %s\n",
		p.Port(ftpx.SFTP), p.User, gate.addr.(*net.TCPAddr).Port, id, known))
	if err := os.Mkdir(filepath.Join(p.Root, "archive"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.Root, "archive", "a.csv"), []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := p.run(t, "jumphost", "backup:archive"); out != "file\t3\t\"a.csv\"\n" {
		t.Errorf("%s", out)
	}
	if got, want := gate.asked(), []string{fmt.Sprintf("127.0.0.1:%d", p.Port(ftpx.SFTP))}; strings.Join(got, " ") != want[0] {
		t.Errorf("the jump host was asked for %q, want %q", got, want)
	}
}

// gate is an SSH server that forwards, and nothing else.
type gate struct {
	addr net.Addr
	key  ssh.PublicKey

	mu sync.Mutex // guards to
	to []string
}

func (g *gate) asked() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.to...)
}

func startGate(t *testing.T, user ssh.PublicKey) *gate {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
		if string(k.Marshal()) != string(user.Marshal()) {
			return nil, fmt.Errorf("another key")
		}
		return nil, nil
	}}
	config.AddHostKey(signer)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{addr: listener.Addr(), key: signer.PublicKey()}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { g.serve(c, config) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		all.Wait()
	})
	return g
}

func (g *gate) serve(c net.Conn, config *ssh.ServerConfig) {
	defer c.Close()
	_, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for ch := range channels {
		var to struct {
			Host  string
			Port  uint32
			From  string
			FromN uint32
		}
		if ch.ChannelType() != "direct-tcpip" || ssh.Unmarshal(ch.ExtraData(), &to) != nil {
			_ = ch.Reject(ssh.UnknownChannelType, "forwarding only")
			continue
		}
		addr := net.JoinHostPort(to.Host, fmt.Sprint(to.Port))
		g.mu.Lock()
		g.to = append(g.to, addr)
		g.mu.Unlock()
		out, err := net.Dial("tcp", addr)
		if err != nil {
			_ = ch.Reject(ssh.ConnectionFailed, err.Error())
			continue
		}
		in, more, err := ch.Accept()
		if err != nil {
			out.Close()
			continue
		}
		go ssh.DiscardRequests(more)
		go func() { _, _ = io.Copy(out, in); out.Close() }()
		go func() { _, _ = io.Copy(in, out); in.Close() }()
	}
}
