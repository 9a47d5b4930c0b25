//go:build linux && realserver

package ftpx_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRealFSConforms on each real server: vsftpd has no MLSD, Pure-FTPd ends the
// session where a transfer is cut, ProFTPD takes links for files.
func TestRealFSConforms(t *testing.T) {
	for _, c := range []struct {
		name  string
		opt   realserver.Options
		proto ftpx.Protocol
	}{
		{"openssh", realserver.Options{Kind: realserver.OpenSSH}, ftpx.SFTP},
		{"vsftpd", realserver.Options{Kind: realserver.VSFTPD}, ftpx.FTP},
		{"vsftpd tls", realserver.Options{Kind: realserver.VSFTPD, TLS: realserver.TLSRequired}, ftpx.FTPS},
		{"proftpd tls", realserver.Options{Kind: realserver.ProFTPD, TLS: realserver.TLSRequired}, ftpx.FTPS},
		{"pure-ftpd tls", realserver.Options{Kind: realserver.PureFTPd, TLS: realserver.TLSRequired}, ftpx.FTPS},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := realtest.Start(t, c.opt)
			o := ftpx.Options{Password: ftpx.Secret(srv.Password), Protocols: []ftpx.Protocol{c.proto}, AllowPlaintext: true}
			switch c.proto {
			case ftpx.SFTP:
				o.Ports.SFTP = srv.Port
				o.SSH = transport.SSH{KnownHosts: []string{srv.KnownHosts}}
			default:
				o.Ports.FTP = srv.Port
				o.TLS = transport.TLS{CAFile: srv.CAFile}
			}
			client, err := ftpx.New(t.Context(), ftpx.Config{Host: srv.Host, User: srv.User, Options: o})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { client.Close() })
			plantTree(t, srv.Root)
			fsys := client.FS(t.Context())
			conforms(t, fsys)

			// Links, which some of them list as files.
			if err := os.Symlink("d", filepath.Join(srv.Root, "link-d")); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("a.txt", filepath.Join(srv.Root, "link-a.txt")); err != nil {
				t.Fatal(err)
			}
			if got, err := fs.ReadFile(fsys, "link-d/e/f/deep.bin"); err != nil || !bytes.Equal(got, content(300_000)) {
				t.Errorf("through a link: %d bytes, %v", len(got), err)
			}
			if err := fstest.TestFS(fsys, "link-a.txt", "link-d"); err != nil {
				t.Errorf("with links: %v", err)
			}
			if _, err := fsys.Open("missing/file"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v, want not exist", err)
			}
			if _, err := fs.ReadDir(fsys, "missing"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v, want not exist", err)
			}
			t.Logf("%+v", client.Stats())
		})
	}
}
