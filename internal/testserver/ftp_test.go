package testserver_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jlaffaye/ftp"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
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

func TestFTPTLSModes(t *testing.T) {
	ca, err := pki.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.ServerFor("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	start := func(mode testserver.TLSMode) *testserver.FTPServer {
		return startFTP(t, testserver.FTPOptions{TLS: mode, TLSConfig: config})
	}
	client := func(version uint16) *tls.Config {
		return &tls.Config{
			RootCAs: ca.Pool(), ServerName: "127.0.0.1", MinVersion: version, MaxVersion: version,
			ClientSessionCache: tls.NewLRUClientSessionCache(0),
		}
	}
	roundTrip := func(t *testing.T, server *testserver.FTPServer, opts ...ftp.DialOption) {
		t.Helper()
		conn := dialFTP(t, server, opts...)
		if err := conn.Stor("/a", strings.NewReader("hello")); err != nil {
			t.Fatal(err)
		}
		if got := retrieve(t, conn, "/a"); string(got) != "hello" {
			t.Errorf("RETR = %q", got)
		}
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		name := tls.VersionName(version)
		t.Run("explicit "+name, func(t *testing.T) {
			roundTrip(t, start(testserver.ExplicitTLS), ftp.DialWithExplicitTLS(client(version)))
		})
		t.Run("required "+name, func(t *testing.T) {
			roundTrip(t, start(testserver.RequiredTLS), ftp.DialWithExplicitTLS(client(version)))
		})
		t.Run("implicit "+name, func(t *testing.T) {
			roundTrip(t, start(testserver.ImplicitTLS), ftp.DialWithTLS(client(version)))
		})
		t.Run("reuse "+name, func(t *testing.T) {
			server := startFTP(t, testserver.FTPOptions{
				TLS: testserver.ExplicitTLS, TLSConfig: config, RequireTLSReuse: true,
			})
			roundTrip(t, server, ftp.DialWithExplicitTLS(client(version)))
			without := client(version)
			without.ClientSessionCache = nil
			conn := dialFTP(t, server, ftp.DialWithExplicitTLS(without))
			if err := conn.Stor("/b", strings.NewReader("hello")); err == nil {
				t.Error("a data connection without session reuse was served")
			}
		})
	}
	t.Run("explicit allows plain", func(t *testing.T) { roundTrip(t, start(testserver.ExplicitTLS)) })
	t.Run("required refuses plain", func(t *testing.T) {
		conn, err := ftp.Dial(start(testserver.RequiredTLS).Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Quit()
		// jlaffaye/ftp drops the code of this reply.
		if err := conn.Login("user", "password"); err == nil || !strings.Contains(err.Error(), "must use encryption") {
			t.Errorf("login in clear: %v", err)
		}
	})
	t.Run("none refuses AUTH", func(t *testing.T) {
		_, err := ftp.Dial(start(testserver.NoTLS).Addr().String(), ftp.DialWithExplicitTLS(client(tls.VersionTLS13)))
		wantCode(t, "AUTH TLS", err, 500)
	})
	if _, err := testserver.StartFTP(testserver.FTPOptions{Root: t.TempDir(), TLS: testserver.ExplicitTLS}); err == nil {
		t.Error("TLS without a configuration: no error")
	}
}

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
