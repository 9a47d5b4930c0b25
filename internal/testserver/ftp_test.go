package testserver_test

import (
	"bytes"
	"errors"
	"io"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jlaffaye/ftp"

	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// startFTP starts a server that ends with the test, and fails the test when the
// server does not end within reason.
func startFTP(t *testing.T, opts testserver.FTPOptions) *testserver.FTPServer {
	t.Helper()
	if opts.Root == "" {
		opts.Root = t.TempDir()
	}
	server, err := testserver.StartFTP(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeInTime(t, server.Close) })
	return server
}

func closeInTime(t *testing.T, closer func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- closer() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("close: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the server does not end")
	}
}

// dialFTP logs in; the connection ends with the test.
func dialFTP(t *testing.T, server *testserver.FTPServer, opts ...ftp.DialOption) *ftp.ServerConn {
	t.Helper()
	conn, err := ftp.Dial(server.Addr().String(), append(opts, ftp.DialWithTimeout(10*time.Second))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Quit() })
	if err := conn.Login("user", "password"); err != nil {
		t.Fatal(err)
	}
	return conn
}

func wantCode(t *testing.T, what string, err error, code int) {
	t.Helper()
	var reply *textproto.Error
	if !errors.As(err, &reply) || reply.Code != code {
		t.Errorf("%s: %v, want reply %d", what, err, code)
	}
}

func retrieve(t *testing.T, conn *ftp.ServerConn, path string) []byte {
	t.Helper()
	response, err := conn.Retr(path)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(response)
	if err := errors.Join(err, response.Close()); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestFTPFiles(t *testing.T) {
	root := t.TempDir()
	server := startFTP(t, testserver.FTPOptions{Root: root})
	conn := dialFTP(t, server)

	data := bytes.Repeat([]byte("0123456789"), 30_000)
	if err := conn.MakeDir("/dir"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "MKD of an existing folder", conn.MakeDir("/dir"), 550)
	if err := conn.Stor("/dir/a", bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	if got := retrieve(t, conn, "/dir/a"); !bytes.Equal(got, data) {
		t.Error("RETR brought other bytes than STOR took")
	}
	onDisk, err := os.ReadFile(filepath.Join(root, "dir", "a"))
	if err != nil || !bytes.Equal(onDisk, data) {
		t.Errorf("on disk: %d bytes, %v", len(onDisk), err)
	}
	// REST at the size goes on there; server-facts, trap 3.
	if err := conn.StorFrom("/dir/a", strings.NewReader("tail"), uint64(len(data))); err != nil {
		t.Fatal(err)
	}
	if got := retrieve(t, conn, "/dir/a"); !bytes.Equal(got, append(data, "tail"...)) {
		t.Error("REST + STOR did not append")
	}
	when := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := conn.SetTime("/dir/a", when); err != nil {
		t.Error(err)
	}
	if got, err := conn.GetTime("/dir/a"); err != nil || !got.Equal(when) {
		t.Errorf("MDTM = %v, %v", got, err)
	}
	wantCode(t, "DELE of a folder", conn.Delete("/dir"), 550)
	wantCode(t, "RMD of a file", conn.RemoveDir("/dir/a"), 550)
	wantCode(t, "RMD of a full folder", conn.RemoveDir("/dir"), 550)
	if err := conn.Stor("/b", strings.NewReader("b")); err != nil {
		t.Fatal(err)
	}
	if err := conn.Rename("/b", "/dir/a"); err != nil {
		t.Errorf("RNTO onto a file: %v", err)
	}
	entries, err := conn.List("/dir")
	if err != nil || len(entries) != 1 || entries[0].Name != "a" || entries[0].Size != 1 {
		t.Errorf("LIST = %v, %v", entries, err)
	}
	if err := errors.Join(conn.Delete("/dir/a"), conn.RemoveDir("/dir")); err != nil {
		t.Error(err)
	}
	stats := server.Stats()
	if stats.Logins != 1 || stats.Commands["STOR"] != 3 || stats.Received < int64(len(data)) {
		t.Errorf("stats = %+v", stats)
	}
}

func TestFTPRootIsClosed(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret", filepath.Join(root, "link")); err != nil {
		t.Skip(err)
	}
	conn := dialFTP(t, startFTP(t, testserver.FTPOptions{Root: root}))
	for _, path := range []string{"/../secret", "../secret", "/link"} {
		if response, err := conn.Retr(path); err == nil {
			_ = response.Close()
			t.Errorf("RETR %s came out of the root", path)
		}
	}
}

// A server has to end at once even while it waits for a data connection, which
// takes up to 30 s and holds the library's lock.
func TestFTPCloseWhileWaitingForData(t *testing.T) {
	opened := make(chan struct{}, 1)
	server := startFTP(t, testserver.FTPOptions{
		// The library opens the file right before it waits.
		Access: func(op testserver.Op, _ string) error {
			if op == testserver.OpWrite {
				opened <- struct{}{}
			}
			return nil
		},
	})
	raw, err := textproto.Dial("tcp", server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, step := range []struct {
		line string
		code int
	}{{"", 220}, {"USER user", 331}, {"PASS password", 230}, {"TYPE I", 200}, {"EPSV", 229}, {"STOR /a", 0}} {
		if step.line != "" {
			if err := raw.PrintfLine("%s", step.line); err != nil {
				t.Fatal(err)
			}
		}
		if step.code != 0 {
			if _, _, err := raw.ReadResponse(step.code); err != nil {
				t.Fatal(err)
			}
		}
	}
	<-opened
	start := time.Now()
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("closing took %v", took)
	}
}

func TestCutSessions(t *testing.T) {
	server := startFTP(t, testserver.FTPOptions{})
	conn := dialFTP(t, server)
	if got := server.CutSessions(); got != 1 {
		t.Errorf("cut %d connections, want 1", got)
	}
	if err := conn.NoOp(); err == nil {
		t.Error("the session survived")
	}
	dialFTP(t, server)
}
