package sshconfig

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

func startSFTP(t *testing.T) (*testserver.Trio, string) {
	t.Helper()
	trio, err := testserver.StartTrio(testserver.TrioOptions{Root: t.TempDir(), User: "batch", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { trio.Close() })
	_, known, err := trio.WriteFiles(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return trio, known
}

// TestOpen: an alias leads to its server, to a folder there, and through a jump host.
func TestOpen(t *testing.T) {
	srv, known := startSFTP(t)
	home(t, "config", fmt.Sprintf("Host backup\n  HostName 127.0.0.1\n  Port %d\n  User batch\n  UserKnownHostsFile %s\n", srv.SFTP.Port(), known))
	opts := &ftpx.Options{Password: "secret"}
	for _, alias := range []string{"backup", "batch@backup", "backup:deep/er"} {
		c, err := Open(t.Context(), alias, opts)
		if err != nil {
			t.Fatalf("%s: %v", alias, err)
		}
		if _, err := c.Put(t.Context(), "x", strings.NewReader("hello"), &ftpx.PutOptions{CreateDirs: true}); err != nil {
			t.Errorf("%s: %v", alias, err)
		}
		want := "x"
		if strings.Contains(alias, ":") {
			want = "deep/er/x"
		}
		if !exists(filepath.Join(srv.Root, want)) {
			t.Errorf("%s: %s is not there", alias, want)
		}
		for range 2 {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if opts.Protocols != nil || opts.SSH.KnownHosts != nil {
		t.Errorf("the caller's options were changed: %+v", opts)
	}
	for _, bad := range []string{"", "batch@", "[::1", "[::1]x"} {
		if c, err := Open(t.Context(), bad, opts); err == nil {
			c.Close()
			t.Errorf("%q was opened", bad)
		}
	}
}

// TestReach: jump hosts of the file are led through, unless the caller has a way of his own.
func TestReach(t *testing.T) {
	home(t, "config", "Host far\n  HostName 192.0.2.1\n  ProxyJump gate\nHost gate\n  HostName 127.0.0.1\n  Port 1\n  User g\n")
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	cfg := ftpx.Config{Host: "far"}
	s, end, err := c.Reach(&cfg)
	if err != nil || len(s.Jumps) != 1 || cfg.Dial == nil {
		t.Fatalf("%+v, %v", s, err)
	}
	if _, err := cfg.Dial(t.Context(), "tcp", "192.0.2.1:22"); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("not through the jump host: %v", err)
	}
	for range 2 {
		if err := end(); err != nil {
			t.Error(err)
		}
	}
	if _, err := cfg.Dial(t.Context(), "tcp", "192.0.2.1:22"); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("after the end: %v", err)
	}
}

// TestWith: what ssh -o says wins over the files, which keep their order.
func TestWith(t *testing.T) {
	c, err := Parse("config", "Host h\n  Port 1\n  User u\nHost *\n  Port 3\n")
	if err != nil {
		t.Fatal(err)
	}
	w, err := c.With("Port=2", "ConnectTimeout 7", `HostName = "other.example"`)
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.Resolve("h")
	if err != nil || s.Port != 2 || s.User != "u" || s.HostName != "other.example" || s.ConnectTimeout.Seconds() != 7 {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := c.Resolve("h"); err != nil || s.Port != 1 {
		t.Errorf("the first was changed: %+v, %v", s, err)
	}
	for text, says := range map[string]string{"": "empty", "# x": "empty", "Port": "the value is missing", "Host=x": "belongs into a file", "Include x": "belongs into a file",
		"Port=2\nUser=x": "line end", `User="x`: "not closed"} {
		if _, err := c.With(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if w, err := c.With("Prot=2"); err != nil {
		t.Error(err)
	} else if _, err := w.Resolve("h"); err == nil || !strings.Contains(err.Error(), `"Prot=2"`) {
		t.Errorf("an unknown directive: %v", err)
	}
}

// TestWithJump: as with ssh -J, -p and -o, what With says is about the host itself; of the
// jump hosts only the keys count, which are offered to both.
func TestWithJump(t *testing.T) {
	c, err := Parse("config", "Host gate\n  HostName 192.0.2.9\n  Port 9\n  User g\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, jump := range []string{"gate", "g@192.0.2.9:9"} {
		w, err := c.With("ProxyJump="+jump, "Port=2222", "HostName=192.0.2.1", "User=u", "HostKeyAlias=far")
		if err == nil {
			w, err = w.With("IdentityFile=/keys/k")
		}
		if err != nil {
			t.Fatal(err)
		}
		s, err := w.Resolve("far")
		if err != nil {
			t.Fatal(err)
		}
		if s.HostName != "192.0.2.1" || s.Port != 2222 || s.User != "u" || len(s.Jumps) != 1 {
			t.Fatalf("%+v", s)
		}
		j := s.Jumps[0]
		if j.HostName != "192.0.2.9" || j.Port != 9 || j.User != "g" || j.SSH.HostKeyAlias != "" || !slices.Equal(j.Missing, []string{"/keys/k"}) {
			t.Errorf("%s: %+v", jump, j)
		}
	}
}
