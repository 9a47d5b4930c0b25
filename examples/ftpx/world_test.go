package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// account is somebody with a home folder: a key, known hosts, an alias "box", and ~/.netrc.
type account struct {
	*clitest.World
	home string
}

// newAccount starts servers that know the key, and enters a folder of the user's.
func newAccount(t *testing.T, change ...func(*testserver.TrioOptions)) *account {
	t.Helper()
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	change = append(change, func(o *testserver.TrioOptions) {
		o.SFTP = func(s *testserver.SFTPOptions) { s.AuthorizedKeys = []ssh.PublicKey{key.Public()} }
	})
	u := &account{World: clitest.Start(t, change...), home: t.TempDir()}
	t.Setenv("HOME", u.home)
	t.Setenv("USERPROFILE", u.home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(u.home, "cache"))
	t.Setenv("SSH_AUTH_SOCK", "")
	t.Setenv("NETRC", "")
	dir := filepath.Join(u.home, ".ssh")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := key.WriteFiles(filepath.Join(dir, "id_ed25519"), ""); err != nil {
		t.Fatal(err)
	}
	known, err := os.ReadFile(u.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	u.put(t, ".ssh/known_hosts", string(known))
	u.put(t, ".ssh/config", fmt.Sprintf("Host box\n  HostName 127.0.0.1\n  Port %d\n  User %s\n", u.SFTP.Port(), clitest.User))
	work := filepath.Join(u.home, "work")
	if err := os.Mkdir(work, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(work)
	return u
}

// put writes a file of the home folder, which nobody else may read.
func (u *account) put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(u.home, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// types runs the command as the user types it: no flag, no password.
func (u *account) types(t *testing.T, args ...string) clitest.Seen {
	t.Helper()
	return command().Run(t.Context(), t, args...)
}

// command has no password in its environment.
func command() clitest.Command {
	return clitest.Command{Main: run, Vars: map[string]string{"FTPX_PASSWORD": ""}}
}

// done runs it and expects that all goes well.
func (u *account) done(t *testing.T, args ...string) clitest.Seen {
	t.Helper()
	return u.types(t, args...).Want(t, cli.ExitDone)
}

// netrcOnly takes ~/.ssh away: the password is in ~/.netrc.
func (u *account) netrcOnly(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(u.home, ".ssh")); err != nil {
		t.Fatal(err)
	}
	u.put(t, ".netrc", "machine 127.0.0.1 login "+clitest.User+" password "+clitest.Password+"\n")
}
