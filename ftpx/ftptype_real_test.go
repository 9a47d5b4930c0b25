//go:build linux && realserver

package ftpx_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// TestRealText: a server's file has the line ends of its own system, and comes back with ours.
func TestRealText(t *testing.T) {
	for _, tt := range []struct {
		kind  realserver.Kind
		extra []string
	}{
		{realserver.VSFTPD, []string{"ascii_upload_enable=YES", "ascii_download_enable=YES"}},
		{realserver.ProFTPD, nil},
		{realserver.PureFTPd, nil},
		{realserver.PyFTPd, nil},
		{realserver.Inetutils, nil},
	} {
		t.Run(string(tt.kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: tt.kind, Extra: tt.extra})
			c, err := ftpx.New(t.Context(), ftpx.Config{Host: srv.Host, User: srv.User, Options: ftpx.Options{Password: ftpx.Secret(srv.Password),
				Protocols: []ftpx.Protocol{ftpx.FTP}, AllowPlaintext: true, Ports: ftpx.Ports{FTP: srv.Port}, FTP: ftpx.FTPOptions{Type: ftpx.FTPTypeASCII}}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for name, text := range texts() {
				if _, err := c.Put(t.Context(), "f.txt", strings.NewReader(text), &ftpx.PutOptions{Delivery: ftpx.DeliverDrop}); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				wantFile(t, filepath.Join(srv.Root, "f.txt"), []byte(text))
				var got bytes.Buffer
				if _, err := c.Get(t.Context(), "f.txt", &got, nil); err != nil || got.String() != text {
					t.Errorf("%s: %d bytes of %d: %v", name, got.Len(), len(text), err)
				}
			}
		})
	}
}
