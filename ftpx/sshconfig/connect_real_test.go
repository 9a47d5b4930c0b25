//go:build linux && realserver

package sshconfig

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
	"github.com/seed01fc2e40/go-ftpx/transport/tunnel"
)

// TestRealConnect: what a configuration says leads to sshd, with the key, the known
// hosts and the algorithms that it names.
func TestRealConnect(t *testing.T) {
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH, SSH: realserver.SSHOptions{NoPassword: true, AuthorizedKeys: []ssh.PublicKey{key.Public()}}})
	dir := home(t)
	private, err := key.PrivatePEM("", "")
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, ".ssh", "backup key"), string(private))
	put(t, filepath.Join(dir, ".ssh", "config"), fmt.Sprintf("Host backup\n  HostName %s\n  Port %d\n  User %s\n  IdentityFile \"~/.ssh/%%n key\"\n"+
		"  UserKnownHostsFile %s\n  Ciphers aes256-ctr\n  KexAlgorithms curve25519-sha256\nHost changed\n  HostName %s\n  Port %d\n  User %s\n"+
		"  StrictHostKeyChecking accept-new\n  UserKnownHostsFile ~/.ssh/new\n  IdentityFile \"~/.ssh/backup key\"\n",
		srv.Host, srv.Port, srv.User, srv.KnownHosts, srv.Host, srv.Port, srv.User))
	dial := func(alias string) (*transport.Security, error) {
		c, err := Load()
		if err != nil {
			t.Fatal(err)
		}
		cfg := ftpx.Config{Host: alias}
		if _, err := c.Apply(&cfg); err != nil {
			t.Fatal(err)
		}
		conn, err := sftpdriver.Dial(context.Background(), &transport.Endpoint{Protocol: transport.SFTP, Host: cfg.Host, Port: cfg.Ports.SFTP, User: cfg.User, SSH: cfg.SSH})
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		return conn.Info().Security, nil
	}
	s, err := dial("backup")
	if err != nil || s.Cipher != "aes256-ctr" || s.KeyExchange != "curve25519-sha256" {
		t.Fatalf("%+v %v", s, err)
	}
	// accept-new learns the host once, and refuses another key for it.
	for range 2 {
		if _, err := dial("changed"); err != nil {
			t.Fatal(err)
		}
	}
	other, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, ".ssh", "new"), pki.KnownHost(fmt.Sprintf("%s:%d", srv.Host, srv.Port), other.Public())+"\n")
	if _, err := dial("changed"); transport.KindOf(err) != transport.KindHostKey || !strings.Contains(err.Error(), "CHANGED") {
		t.Error(err)
	}
}

// TestRealJump: a host behind a ProxyJump is reached through it, and not where the
// jump host is away.
func TestRealJump(t *testing.T) {
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	opt := realserver.Options{Kind: realserver.OpenSSH, SSH: realserver.SSHOptions{NoPassword: true, AuthorizedKeys: []ssh.PublicKey{key.Public()}}}
	gate, target := realtest.Start(t, opt), realtest.Start(t, opt)
	dir := home(t)
	private, err := key.PrivatePEM("", "")
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, ".ssh", "id_ed25519"), string(private))
	host := func(name string, srv *realserver.Server, more string) string {
		return fmt.Sprintf("Host %s\n  HostName %s\n  Port %d\n  User %s\n  UserKnownHostsFile %s\n%s", name, srv.Host, srv.Port, srv.User, srv.KnownHosts, more)
	}
	put(t, filepath.Join(dir, ".ssh", "config"), host("gate", gate, "")+host("backup", target, "  ProxyJump gate\n"))
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	settings, err := c.Resolve("backup")
	if err != nil {
		t.Fatal(err)
	}
	cfg := ftpx.Config{Options: ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Retry: retry.Policy{MaxAttempts: 1}}}
	if err := settings.Apply(&cfg); err == nil || !strings.Contains(err.Error(), "tunnel.New") {
		t.Errorf("jumps were passed over: %v", err)
	}
	way, err := tunnel.New(settings.Hops()...)
	if err != nil {
		t.Fatal(err)
	}
	defer way.Close()
	cfg.Dial = way.Dial
	if err := settings.Apply(&cfg); err != nil {
		t.Fatal(err)
	}
	client, err := ftpx.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Put(t.Context(), "f", strings.NewReader("through the gate"), nil); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(target.Root, "f")); err != nil || string(got) != "through the gate" {
		t.Errorf("%q, %v", got, err)
	}
	if err := gate.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := client.Ping(t.Context()); err == nil {
		t.Error("the host is reached without its jump host")
	}
}
