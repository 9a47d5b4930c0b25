//go:build linux && realserver

package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// The command as a user runs it, against the servers of the field.
func TestRealServersTakeAFolder(t *testing.T) {
	for name, tt := range map[string]struct {
		opt       realserver.Options
		protocols string
	}{
		"OpenSSH":         {realserver.Options{Kind: realserver.OpenSSH}, "sftp"},
		"vsftpd TLS 1.2":  {realserver.Options{Kind: realserver.VSFTPD, TLS: realserver.TLSRequired, RequireReuse: true, MaxTLS: tls.VersionTLS12}, "ftps"},
		"vsftpd TLS 1.3":  {realserver.Options{Kind: realserver.VSFTPD, TLS: realserver.TLSRequired, RequireReuse: true, MinTLS: tls.VersionTLS13}, "ftps"},
		"ProFTPD":         {realserver.Options{Kind: realserver.ProFTPD, TLS: realserver.TLSRequired, RequireReuse: true}, "ftps"},
		"Pure-FTPd":       {realserver.Options{Kind: realserver.PureFTPd, TLS: realserver.TLSRequired}, "ftps"},
		"vsftpd in clear": {realserver.Options{Kind: realserver.VSFTPD}, "ftp"},
	} {
		t.Run(name, func(t *testing.T) {
			realtest.Require(t, tt.opt.Kind)
			srv := realtest.Start(t, tt.opt)
			dir := t.TempDir()
			want := map[string][]byte{}
			for i := range 12 {
				data := bytes.Repeat([]byte{byte(i), 7, 9}, i*i*4000)
				rel := filepath.Join("in", fmt.Sprintf("f %d.bin", i))
				if i%3 == 0 {
					rel = filepath.Join("in", "deep er", fmt.Sprintf("ü-%d.bin", i))
				}
				want[rel] = data
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, rel)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, rel), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			args := []string{"-protocols", tt.protocols, "-allow-plaintext",
				"-sftp-port", fmt.Sprint(srv.Port), "-ftp-port", fmt.Sprint(srv.Port)}
			if srv.CAFile != "" {
				args = append(args, "-ca", srv.CAFile)
			}
			if srv.KnownHosts != "" {
				args = append(args, "-known-hosts", srv.KnownHosts)
			}
			args = append(args, filepath.Join(dir, "in"), "ftpx://"+srv.User+"@"+srv.Host+"/")
			var out, errs bytes.Buffer
			code := run(t.Context(), args, cli.Env{Stdout: &out, Stderr: &errs, Getenv: func(k string) string {
				if k == "FTPX_PASSWORD" {
					return srv.Password
				}
				return ""
			}})
			if code != cli.ExitDone {
				t.Fatalf("exit %d\n%s%s\n%s", code, out.String(), errs.String(), srv.Log())
			}
			for rel, data := range want {
				got, err := os.ReadFile(filepath.Join(srv.Root, rel))
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("%s: %d of %d bytes, %v", rel, len(got), len(data), err)
				}
			}
		})
	}
}
