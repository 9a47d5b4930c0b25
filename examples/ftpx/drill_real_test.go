//go:build linux && realserver

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/drill"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// TestRealDrill: between two real servers, each with a port, a user, a password and an
// identity of its own, every scenario keeps to 15 s and loses nothing, and the scratch
// folders are as before.
func TestRealDrill(t *testing.T) {
	for name, c := range map[string]struct {
		scheme string
		kinds  []realserver.Kind
	}{
		"vsftpd and ProFTPD": {"ftpes", []realserver.Kind{realserver.VSFTPD, realserver.ProFTPD}},
		"two sshd":           {"sftp", []realserver.Kind{realserver.OpenSSH, realserver.OpenSSH}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			text := ""
			var servers []*realserver.Server
			for i, kind := range c.kinds {
				o := realserver.Options{Kind: kind}
				if kind != realserver.OpenSSH {
					o.TLS = realserver.TLSRequired
				}
				s := realtest.Start(t, o)
				servers = append(servers, s)
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte(s.Password), 0o600); err != nil {
					t.Fatal(err)
				}
				url := fmt.Sprintf("%s://%s@%s:%d", c.scheme, s.User, s.Host, s.Port)
				if i == 0 {
					text += fmt.Sprintf("[[job]]\nname = \"pair\"\nsource = %q\ntarget = %q\n", dir, url+"/")
				} else {
					text += fmt.Sprintf("[[job.standbys]]\nurl = %q\n", url)
				}
				text += fmt.Sprintf("password_file = \"%d\"\n", i)
				if kind == realserver.OpenSSH {
					text += fmt.Sprintf("known_hosts = [%q]\n", s.KnownHosts)
				} else {
					text += fmt.Sprintf("ca = %q\n", s.CAFile)
				}
			}
			clitest.Write(t, dir, map[string]string{"jobs.toml": text})
			command := clitest.Command{Main: run}
			seen := command.Run(t.Context(), t, "drill", "--config", filepath.Join(dir, "jobs.toml"), "--scratch", ".", "--rto", "15s", "--rpo", "0", "--json", "pair").Want(t, cli.ExitDone)
			var rep drill.Report
			if err := json.Unmarshal([]byte(seen.Out), &rep); err != nil || !rep.Passed || len(rep.Scenarios) != 4 {
				t.Fatalf("%v: %s", err, seen.Out)
			}
			for _, s := range rep.Scenarios {
				t.Logf("%-12s RTO %.1f s, next %.1f s, missing %d, wrong %d, failovers %d", s.Name, s.RTO, s.Next, s.Missing, s.Wrong, s.Failovers)
			}
			if i := slices.IndexFunc(rep.Scenarios, func(s drill.Result) bool { return s.Name == "primary-dies" }); i < 0 || rep.Scenarios[i].Failovers == 0 {
				t.Errorf("nothing was turned to the standby: %s", seen.Out)
			}
			for _, s := range servers {
				if left, err := os.ReadDir(s.Root); err != nil || len(left) > 0 {
					t.Errorf("%s at %s holds %v, %v", s.Kind, s.Addr(), left, err)
				}
			}
		})
	}
}
