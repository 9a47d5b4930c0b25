//go:build linux && realserver

package sshconfig

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
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
