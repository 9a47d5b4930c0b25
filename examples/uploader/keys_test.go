package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestKeysOfTheUser: without a password and a key on the command line, those of ~/.ssh
// are used, but for one that nobody can unlock; with neither, the error names flags.
func TestKeysOfTheUser(t *testing.T) {
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	w := clitest.Start(t, func(o *testserver.TrioOptions) {
		o.SFTP = func(s *testserver.SFTPOptions) { s.AuthorizedKeys = []ssh.PublicKey{key.Public()} }
	})
	home, src := t.TempDir(), t.TempDir()
	clitest.Write(t, src, map[string]string{"a": "a"})
	args := w.Flags(filepath.Join(src, "a"), w.URLOf("sftp", ""))
	c := uploader
	c.Vars = map[string]string{"FTPX_PASSWORD": "", "HOME": home, "USERPROFILE": home}
	c.Run(t.Context(), t, args...).Want(t, cli.ExitLogin, "-identity")

	if err := os.Mkdir(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := key.WriteFiles(filepath.Join(home, ".ssh", "id_rsa"), ""); err != nil { // the name says nothing of the kind
		t.Fatal(err)
	}
	other, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.WriteFiles(filepath.Join(home, ".ssh", "id_ed25519"), "a passphrase"); err != nil {
		t.Fatal(err)
	}
	c.Run(t.Context(), t, args...).Want(t, cli.ExitDone)
	clitest.Holds(t, w.Root, map[string]string{"a": "a"})

	// On a terminal the question says so, and an empty answer means the keys.
	asked := ""
	c.Prompt = func(_ context.Context, question string) (string, error) {
		asked = question
		return "", nil
	}
	c.Run(t.Context(), t, args...).Want(t, cli.ExitDone)
	if asked != "Password (empty for the keys of ~/.ssh): " {
		t.Errorf("asked %q", asked)
	}
}
