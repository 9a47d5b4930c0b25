package testserver_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jlaffaye/ftp"

	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

func TestFTPLimits(t *testing.T) {
	t.Run("421 at the greeting", func(t *testing.T) {
		server := startFTP(t, testserver.FTPOptions{MaxConnections: 1})
		dialFTP(t, server)
		_, err := ftp.Dial(server.Addr().String())
		wantCode(t, "second connection", err, 421)
		if got := server.Stats().Refused; got != 1 {
			t.Errorf("refused = %d, want 1", got)
		}
	})
	t.Run("530 at login", func(t *testing.T) {
		server := startFTP(t, testserver.FTPOptions{MaxLogins: 1})
		dialFTP(t, server)
		conn, err := ftp.Dial(server.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Quit()
		err = conn.Login("user", "password")
		wantCode(t, "second login", err, 530)
		if err != nil && !strings.Contains(err.Error(), "maximum number of clients") {
			t.Errorf("second login: %v", err)
		}
	})
	t.Run("bad password", func(t *testing.T) {
		conn, err := ftp.Dial(startFTP(t, testserver.FTPOptions{}).Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Quit()
		wantCode(t, "login", conn.Login("user", "wrong"), 530)
	})
}

func TestFTPDisk(t *testing.T) {
	data := bytes.Repeat([]byte("x"), 200_000)
	for name, tt := range map[string]struct {
		disk *testserver.Disk
		code int
	}{
		"full":  {testserver.NewDisk(150_000), 550},
		"quota": {testserver.NewQuota(150_000), 552},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			conn := dialFTP(t, startFTP(t, testserver.FTPOptions{Root: root, Disk: tt.disk}))
			err := conn.Stor("/a", bytes.NewReader(data))
			// The client may meet the closed data connection before the reply.
			if err == nil {
				t.Fatal("STOR past the end of the disk succeeded")
			}
			var reply *textproto.Error
			if errors.As(err, &reply) && reply.Code != tt.code {
				t.Errorf("STOR: %v, want %d", err, tt.code)
			}
			info, err := os.Stat(filepath.Join(root, "a"))
			if err != nil || info.Size() != 150_000 {
				t.Errorf("on disk: %v, %v; want 150000 bytes", info.Size(), err)
			}
			tt.disk.SetFree(1 << 20)
			again := dialFTP(t, startFTP(t, testserver.FTPOptions{Root: root, Disk: tt.disk}))
			if err := again.Stor("/a", bytes.NewReader(data)); err != nil {
				t.Errorf("after making room: %v", err)
			}
		})
	}
}

func TestFTPDisableAndHooks(t *testing.T) {
	server := startFTP(t, testserver.FTPOptions{
		EnableHASH: true,
		Disable:    []string{"EPSV", "mfmt", "MLST", "MLSD"},
		OnCommand: func(verb, argument string) string {
			if verb == "DELE" && argument == "/kept" {
				return "450 Busy"
			}
			return ""
		},
		OnReply: func(verb, line string) string {
			if verb == "STOR" && strings.HasPrefix(line, "226 ") {
				return "250 Taken"
			}
			return line
		},
	})
	raw, err := textproto.Dial("tcp", server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	command := func(code int, line string) string {
		t.Helper()
		if line != "" {
			if err := raw.PrintfLine("%s", line); err != nil {
				t.Fatal(err)
			}
		}
		_, text, err := raw.ReadResponse(code)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return text
	}
	command(220, "")
	command(331, "USER user")
	command(230, "PASS password")
	features := command(211, "FEAT")
	for _, gone := range []string{"EPSV", "MFMT", "MLST", "MLSD"} {
		if strings.Contains(features, gone) {
			t.Errorf("FEAT still has %s", gone)
		}
	}
	if !strings.Contains(features, "HASH ") || !strings.Contains(features, "SHA-256*") {
		t.Errorf("FEAT has no HASH line: %q", features)
	}
	command(500, "EPSV")
	command(500, "MFMT 20200101000000 /a")
	command(450, "DELE /kept")
	command(550, "DELE /other")

	conn := dialFTP(t, server)
	if err := conn.Stor("/a", strings.NewReader("a")); err == nil {
		t.Error("a 250 after STOR went unnoticed: the hook did not act")
	}
}

func TestFTPAccessAndOverwrite(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	conn := dialFTP(t, startFTP(t, testserver.FTPOptions{Root: root, RefuseOverwrite: true}))
	wantCode(t, "RNTO onto a file", conn.Rename("/a", "/b"), 550)

	conn = dialFTP(t, startFTP(t, testserver.FTPOptions{Root: root, Access: testserver.ReadOnly}))
	wantCode(t, "STOR", conn.Stor("/c", strings.NewReader("c")), 550)
	wantCode(t, "DELE", conn.Delete("/a"), 550)
	if got := retrieve(t, conn, "/a"); string(got) != "a" {
		t.Errorf("RETR = %q", got)
	}

	conn = dialFTP(t, startFTP(t, testserver.FTPOptions{
		Root: root,
		Access: func(op testserver.Op, path string) error {
			if op == testserver.OpRename && path == "/final" {
				return fs.ErrPermission
			}
			return nil
		},
	}))
	wantCode(t, "RNTO a refused name", conn.Rename("/a", "/final"), 550)
	if err := conn.Rename("/a", "/other"); err != nil {
		t.Error(err)
	}
}
