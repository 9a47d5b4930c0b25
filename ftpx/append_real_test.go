//go:build linux && realserver

package ftpx_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRealAppend: on every real server what is added lies behind what was there.
func TestRealAppend(t *testing.T) {
	kinds := slices.Concat(realserver.Kinds(), realserver.FurtherFTPKinds(), realserver.FurtherSFTPKinds())
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: kind})
			opts := ftpx.Options{Password: ftpx.Secret(srv.Password), Protocols: []ftpx.Protocol{ftpx.FTP}, AllowPlaintext: true,
				Ports: ftpx.Ports{FTP: srv.Port, SFTP: srv.Port}, SSH: transport.SSH{KnownHosts: []string{srv.KnownHosts}}}
			if slices.Contains(append(realserver.FurtherSFTPKinds(), realserver.OpenSSH), kind) {
				opts.Protocols = []ftpx.Protocol{ftpx.SFTP}
			}
			c, err := ftpx.New(t.Context(), ftpx.Config{Host: srv.Host, User: srv.User, Options: opts})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			var want []byte
			for _, n := range []int{100, 1, 70_000, 3 << 20} {
				data := content(n)
				want = append(want, data...)
				res, err := c.Put(t.Context(), "log", bytes.NewReader(data), &ftpx.PutOptions{Append: true, Verify: ftpx.VerifyFull})
				if err != nil {
					t.Fatal(err)
				}
				wantFile(t, filepath.Join(srv.Root, "log"), want)
				t.Logf("%d bytes: %d attempts, %v", n, res.Attempts, res.Verified)
			}
		})
	}
}
