//go:build linux && realserver

package ftpx_test

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// TestAbortedStreamOnRealServers: the session that wrote the partial is cut, and the server
// lets it be removed all the same; Close waits for that.
func TestAbortedStreamOnRealServers(t *testing.T) {
	for _, kind := range []realserver.Kind{realserver.OpenSSH, realserver.VSFTPD, realserver.ProFTPD, realserver.PureFTPd} {
		t.Run(string(kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: kind})
			o := ftpx.Options{Password: ftpx.Secret(srv.Password), Protocols: []ftpx.Protocol{ftpx.FTP}, AllowPlaintext: true, Ports: ftpx.Ports{FTP: srv.Port}}
			dir := ""
			if kind == realserver.OpenSSH {
				o.Protocols, o.Ports, o.SSH = []ftpx.Protocol{ftpx.SFTP}, ftpx.Ports{SFTP: srv.Port}, ftpx.SSH{KnownHosts: []string{srv.KnownHosts}}
				dir = srv.Root
			}
			c, err := ftpx.New(t.Context(), ftpx.Config{Host: srv.Host, User: srv.User, Base: dir, Options: o})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			_, err = c.Put(ctx, "f", &pausing{ctx: ctx, data: bytes.NewReader(content(3 << 20)), then: cancel}, nil)
			t.Log(err)
			wantAbandoned(t, srv.Root, err)

			failed, under := make(chan error, 1), make(chan struct{})
			go func() {
				_, err := c.Put(context.Background(), "f", io.MultiReader(bytes.NewReader(content(3<<20)), onEOF(func() { close(under) }), dripping{}), nil)
				failed <- err
			}()
			<-under
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if left, _ := filepath.Glob(filepath.Join(srv.Root, ".f*")); len(left) > 0 {
				t.Errorf("Close has left %q", left)
			}
			wantAbandoned(t, srv.Root, <-failed)
		})
	}
}
