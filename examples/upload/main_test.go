package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestUpload: files go up by the user's alias, key and known hosts; the program stays one
// that fits on a screen.
func TestUpload(t *testing.T) {
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	w := clitest.Start(t, func(o *testserver.TrioOptions) {
		o.SFTP = func(s *testserver.SFTPOptions) { s.AuthorizedKeys = []ssh.PublicKey{key.Public()} }
	})
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv("SSH_AUTH_SOCK", "")
	dir := filepath.Join(home, ".ssh")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := key.WriteFiles(filepath.Join(dir, "id_ed25519"), ""); err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("Host box\n  HostName 127.0.0.1\n  Port %d\n  User %s\n  UserKnownHostsFile %s\n", w.SFTP.Port(), clitest.User, w.KnownHosts)
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	clitest.Write(t, home, map[string]string{"a": "a", "b": clitest.Content(1 << 20)})
	files := []string{filepath.Join(home, "a"), filepath.Join(home, "none"), filepath.Join(home, "b")}
	if err := upload(t.Context(), "box:in/new", files); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a file that is not there: %v", err)
	}
	clitest.Holds(t, filepath.Join(w.Root, "in", "new"), map[string]string{"a": "a", "b": clitest.Content(1 << 20)})
	if err := upload(t.Context(), "nobody:in", files[:1]); err == nil {
		t.Error("an unknown host took files")
	}
	text, err := os.ReadFile("main.go")
	if n := bytes.Count(text, []byte("\n")); err != nil || n > 60 {
		t.Errorf("%d lines, %v", n, err)
	}
}
