package secrets

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

func file(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFromFile(t *testing.T) {
	for text, want := range map[string]transport.Secret{
		"word":         "word",
		"word\n":       "word",
		"word\r\n":     "word",
		" a word ":     " a word ", // spaces are part of it
		"pass\\w0rd\n": "pass\\w0rd",
	} {
		if got, err := FromFile(file(t, text, 0o600)); err != nil || got != want {
			t.Errorf("%q: %q %v", text, got.Reveal(), err)
		}
	}
	for _, text := range []string{"", "\n", "hunter2\n\n", "hunter2\nmore", "hunter2\x00", strings.Repeat("hunter2", 10_000)} {
		got, err := FromFile(file(t, text, 0o600))
		if err == nil || got != "" || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := FromFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := FromFile(t.TempDir()); err == nil {
		t.Error("a folder was taken")
	}
}

func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the mode tells nothing")
	}
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o700: true, 0o640: false, 0o604: false, 0o660: false, 0o644: false, 0o620: false} {
		path := file(t, "word", mode)
		_, err := FromFile(path)
		if (err == nil) != ok {
			t.Errorf("%04o: %v", mode, err)
		}
		if err != nil && (!errors.Is(err, ErrExposed) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "chmod 600")) {
			t.Error(err)
		}
	}
}

// TestPipe: what a shell makes of <(command) has no mode worth a look.
func TestPipe(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no named pipes in the file system")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_ = w.Close()
	if err := Private(r); err != nil {
		t.Error(err)
	}
}

func TestFromEnv(t *testing.T) {
	t.Setenv("FTPX_TEST_SECRET", "word ")
	if got, err := FromEnv("FTPX_TEST_SECRET"); err != nil || got != "word " {
		t.Error(got.Reveal(), err)
	}
	for _, text := range []string{"", "hunter2\n"} {
		t.Setenv("FTPX_TEST_SECRET", text)
		if _, err := FromEnv("FTPX_TEST_SECRET"); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "FTPX_TEST_SECRET") {
			t.Error(err)
		}
	}
}
