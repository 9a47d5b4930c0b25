//go:build linux && realserver

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// home makes a home folder with files of mode 0600 in it, and enters a folder of work.
func home(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"HOME", "USERPROFILE"} {
		t.Setenv(name, dir)
	}
	t.Setenv("SSH_AUTH_SOCK", "")
	t.Setenv("NETRC", "")
	for _, d := range []string{".ssh", "work"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(dir, "work"))
	return dir
}

// TestRealWithoutAFlag: with a key, an alias of ssh and a .netrc, real servers are used
// without a flag, and without a word where nobody looks.
func TestRealWithoutAFlag(t *testing.T) {
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.PrivatePEM("", "")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		opt    realserver.Options
		prefix func(*realserver.Server) string
	}{
		"OpenSSH": {realserver.Options{Kind: realserver.OpenSSH, SSH: realserver.SSHOptions{NoPassword: true, AuthorizedKeys: []ssh.PublicKey{key.Public()}}},
			func(*realserver.Server) string { return "box:" }},
		"vsftpd": {realserver.Options{Kind: realserver.VSFTPD, TLS: realserver.TLSRequired},
			func(s *realserver.Server) string { return fmt.Sprintf("ftpes://%s:%d/", s.Host, s.Port) }},
	} {
		t.Run(name, func(t *testing.T) {
			realtest.Require(t, tt.opt.Kind)
			srv := realtest.Start(t, tt.opt)
			var known []byte
			if srv.KnownHosts != "" {
				if known, err = os.ReadFile(srv.KnownHosts); err != nil {
					t.Fatal(err)
				}
			}
			home(t, map[string]string{".ssh/id_ed25519": string(private), ".ssh/known_hosts": string(known),
				".ssh/config": fmt.Sprintf("Host box\n  HostName %s\n  Port %d\n  User %s\n", srv.Host, srv.Port, srv.User),
				".netrc":      fmt.Sprintf("machine %s login %s password %s\n", srv.Host, srv.User, srv.Password)})
			at := tt.prefix(srv)
			do := func(code int, args ...string) clitest.Seen {
				t.Helper()
				if srv.CAFile != "" { // no machine trusts it
					args = append(args, "--ca", srv.CAFile)
				}
				c := command()
				c.Stdin = strings.NewReader("from a pipe")
				s := c.Run(t.Context(), t, args...)
				if s.Code != code {
					t.Log(srv.Log())
				}
				return s.Want(t, code)
			}
			clitest.Write(t, ".", map[string]string{"a.csv": "a", "b.csv": clitest.Content(1<<20 + 1), "notes": "n"})
			do(cli.ExitDone, "put", "a.csv", "b.csv", at+"in/")
			do(cli.ExitDone, "put", "-", at+"in/x")
			if s := do(cli.ExitDone, "ls", at+"in"); s.Out != "a.csv\nb.csv\nx\n" {
				t.Errorf("ls: %q", s.Out)
			}
			do(cli.ExitDone, "get", at+"in/*.csv", "back/")
			clitest.Holds(t, "back", map[string]string{"a.csv": "a", "b.csv": clitest.Content(1<<20 + 1)})
			if s := do(cli.ExitDone, "get", at+"in/x", "-"); s.Out != "from a pipe" {
				t.Errorf("get to standard output: %q", s.Out)
			}
			do(cli.ExitDone, "check", "--include", "*.csv", "--exclude", "back/", ".", at+"in").Want(t, cli.ExitDone, "2 the same, 0 different, 0 only here, 0 only there")
			do(cli.ExitSome, "check", "-c", "--exclude", "back/", ".", at+"in").Want(t, cli.ExitSome, "2 the same, 0 different, 1 only here, 1 only there")
			do(cli.ExitDone, "mv", at+"in/*.csv", at+"done/") // a folder that is made
			do(cli.ExitDone, "chmod", "600", at+"done/a.csv")
			do(cli.ExitDone, "rm", "-r", at+"done", at+"in/x")
			if tt.opt.Kind == realserver.OpenSSH {
				if s := do(cli.ExitDone, "df", at); !strings.Contains(s.Out, "free of") {
					t.Errorf("df: %q", s.Out)
				}
			}
		})
	}
}
