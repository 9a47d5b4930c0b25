package securitydrill

import (
	"context"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestWhoIsAskedForSecrets: a server's questions reach the caller only once the
// server has proven who it is. The credentials callback is asked before dialling,
// so that the time it takes is not taken for the server's silence; but what it
// returns goes to no server that does not verify, and such a server is no reason
// to ask for another.
func TestWhoIsAskedForSecrets(t *testing.T) {
	t.Parallel()
	t.Run("keyboard-interactive", func(t *testing.T) {
		for _, right := range []bool{true, false} {
			s := newScene(t, false)
			key := must(pki.NewSSHKey())
			if right {
				key = s.hostKey
			}
			srv := s.sftpWith(testserver.SFTPOptions{HostKeys: []ssh.Signer{key.Signer}, NoPassword: true, KeyboardInteractive: true})
			s.ssh.take(to(srv.Addr().String()))
			var asked atomic.Int64
			s.opts.Protocols, s.opts.Password = overSSH, ""
			s.opts.SSH.KeyboardInteractive = func(string, string, []string, []bool) ([]string, error) {
				asked.Add(1)
				return []string{s.password}, nil
			}
			c, err := s.open(t.Context())
			if err == nil {
				c.Close()
			}
			if right != (err == nil) || right != (asked.Load() > 0) {
				t.Errorf("the right server %v: asked %d times, %v", right, asked.Load(), err)
			}
		}
	})
	for name, c := range map[string]struct {
		protocols []ftpx.Protocol
		attack    func(*scene)
		kind      transport.Kind
	}{
		"credentials, wrong host key":      {overSSH, impostor(ofItsOwn), transport.KindHostKey},
		"credentials, wrong certificate":   {explicit, server(testserver.ExplicitTLS, unknownCA, nil), transport.KindCertificate},
		"credentials, AUTH TLS stripped":   {explicit, stripped("500 no\r\n"), transport.KindNotOffered},
		"credentials, SSH port is garbage": {overSSH, onSSH(says("garbage\r\n")), transport.KindNotOffered},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, false)
			var asked, again atomic.Int64
			s.opts.Protocols, s.opts.Password, s.opts.Timeouts.Connect = c.protocols, "", waitLimit
			s.opts.Credentials = func(_ context.Context, r ftpx.CredentialRequest) (ftpx.Credential, error) {
				asked.Add(1)
				if r.Refused != nil {
					again.Add(1)
				}
				return ftpx.Credential{Password: ftpx.Secret(s.password)}, nil
			}
			c.attack(s)
			client, err := s.open(t.Context())
			if err == nil {
				client.Close()
			}
			if ftpx.KindOf(err) != c.kind {
				t.Error(err)
			}
			if asked.Load() != 1 || again.Load() != 0 {
				t.Errorf("asked %d times, %d of them because it was refused", asked.Load(), again.Load())
			}
			if s.tap.holds([]byte(s.password)) || s.told.holds(s.password) {
				t.Error("what the callback returned was sent")
			}
			s.shown(err)
		})
	}
}
