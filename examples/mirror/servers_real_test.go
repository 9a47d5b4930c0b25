//go:build linux && realserver

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// TestRealServersMirror: a tree goes up to the servers of the field by a configuration
// file, a second run moves nothing, what is gone is deleted, and the tree comes back as
// it was, with its manifest.
func TestRealServersMirror(t *testing.T) {
	for name, tt := range map[string]struct {
		opt    realserver.Options
		scheme string
	}{
		"OpenSSH":   {realserver.Options{Kind: realserver.OpenSSH}, "sftp"},
		"vsftpd":    {realserver.Options{Kind: realserver.VSFTPD, TLS: realserver.TLSRequired, RequireReuse: true}, "ftpes"},
		"ProFTPD":   {realserver.Options{Kind: realserver.ProFTPD, TLS: realserver.TLSRequired, RequireReuse: true}, "ftpes"},
		"Pure-FTPd": {realserver.Options{Kind: realserver.PureFTPd, TLS: realserver.TLSRequired}, "ftpes"},
	} {
		t.Run(name, func(t *testing.T) {
			realtest.Require(t, tt.opt.Kind)
			srv := realtest.Start(t, tt.opt)
			dir := t.TempDir()
			files := map[string]string{"empty": "", "größe.bin": clitest.Content(1<<20 + 1), "a b/ü.txt": "ü", "a b/c/帳.txt": "t"}
			clitest.Write(t, filepath.Join(dir, "src"), files)
			trust := map[bool]string{true: "ca = \"" + srv.CAFile + "\"", false: "known_hosts = [\"" + srv.KnownHosts + "\"]"}[srv.CAFile != ""]
			url := fmt.Sprintf("%s://%s@%s:%d", tt.scheme, srv.User, srv.Host, srv.Port)
			config := fmt.Sprintf(`
lock_dir = "locks"
[defaults]
%s
manifest = true
[[job]]
name = "up"
source = "src"
target = "%s/tree"
delete = true
max_delete = "50%%"
ledger = "up.db"
report = "up.json"
[[job]]
name = "down"
source = "%s/tree"
target = "back"
ledger = "down.db"
`, trust, url, url)
			file := filepath.Join(dir, "jobs.toml")
			if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			c := clitest.Command{Main: run, Vars: map[string]string{"FTPX_PASSWORD": srv.Password}}
			do := func(args ...string) clitest.Seen {
				t.Helper()
				s := c.Run(t.Context(), t, append([]string{"-config", file}, args...)...)
				if s.Code != cli.ExitDone {
					t.Log(srv.Log())
				}
				return s.Want(t, cli.ExitDone)
			}
			if s := do(); s.Out+s.Err != "" {
				t.Errorf("said %q %q", s.Out, s.Err)
			}
			sums, err := os.ReadFile(filepath.Join(dir, "src", "SHA256SUMS"))
			if err != nil {
				t.Fatal(err)
			}
			files["SHA256SUMS"] = string(sums)
			clitest.Holds(t, filepath.Join(srv.Root, "tree"), files)
			clitest.Holds(t, filepath.Join(dir, "back"), files)
			do("-v", "up").Want(t, cli.ExitDone, "up: 0 done, 0 failed, 0 unknown, 5 unchanged")
			do("-v", "down").Want(t, cli.ExitDone, "5 unchanged, 4 verified")
			for name := range files {
				if info, err := os.Stat(filepath.Join(dir, "back", name)); err != nil || name != "SHA256SUMS" && info.ModTime().Sub(clitest.When).Abs() > time.Second {
					t.Errorf("%s: time %v, %v", name, info.ModTime(), err)
				}
			}
			if err := os.Remove(filepath.Join(dir, "src", "empty")); err != nil {
				t.Fatal(err)
			}
			do("-v", "up").Want(t, cli.ExitDone, "1 deleted")
			if _, err := os.Stat(filepath.Join(srv.Root, "tree", "empty")); err == nil {
				t.Error("what is gone here is still there")
			}
			report, err := os.ReadFile(filepath.Join(dir, "up.json"))
			if err == nil {
				err = clitest.CheckReport(report)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}
