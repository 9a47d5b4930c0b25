package testserver_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

func startSFTP(t *testing.T, opts testserver.SFTPOptions) *testserver.SFTPServer {
	t.Helper()
	if opts.Root == "" {
		opts.Root = t.TempDir()
	}
	server, err := testserver.StartSFTP(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeInTime(t, server.Close) })
	return server
}

// dialSSH logs in with the given methods, by default the password.
func dialSSH(t *testing.T, server *testserver.SFTPServer, methods ...ssh.AuthMethod) (*ssh.Client, error) {
	t.Helper()
	if len(methods) == 0 {
		methods = []ssh.AuthMethod{ssh.Password("password")}
	}
	client, err := ssh.Dial("tcp", server.Addr().String(), &ssh.ClientConfig{
		User: "user", Auth: methods, Timeout: 10 * time.Second,
		HostKeyCallback: ssh.FixedHostKey(server.HostKey()),
	})
	if err == nil {
		t.Cleanup(func() { _ = client.Close() })
	}
	return client, err
}

func dialSFTP(t *testing.T, server *testserver.SFTPServer, opts ...sftp.ClientOption) *sftp.Client {
	t.Helper()
	conn, err := dialSSH(t, server)
	if err != nil {
		t.Fatal(err)
	}
	client, err := sftp.NewClient(conn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

const (
	fxNoSuchFile = 2
	fxPermission = 3
	fxFailure    = 4
)

// wantFx checks the status code; pkg/sftp turns two of them into fs errors.
func wantFx(t *testing.T, what string, err error, code uint32) {
	t.Helper()
	var ok bool
	switch code {
	case fxNoSuchFile:
		ok = errors.Is(err, fs.ErrNotExist)
	case fxPermission:
		ok = errors.Is(err, fs.ErrPermission)
	default:
		var status *sftp.StatusError
		ok = errors.As(err, &status) && status.Code == code
	}
	if !ok {
		t.Errorf("%s: %v, want status %d", what, err, code)
	}
}

func put(t *testing.T, client *sftp.Client, path, content string) {
	t.Helper()
	f, err := client.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write([]byte(content))
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, client *sftp.Client, path string) string {
	t.Helper()
	f, err := client.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSFTPFiles(t *testing.T) {
	root := t.TempDir()
	client := dialSFTP(t, startSFTP(t, testserver.SFTPOptions{Root: root}))

	if err := client.Mkdir("dir"); err != nil {
		t.Fatal(err)
	}
	put(t, client, "dir/a", "first")
	put(t, client, "/dir/b", "second")
	if got := get(t, client, "/dir/a"); got != "first" {
		t.Errorf("a = %q", got)
	}
	if wd, err := client.Getwd(); err != nil || wd != "/" {
		t.Errorf("working directory %q, %v", wd, err)
	}
	wantFx(t, "open a missing file", second(client.Open("/nothing")), fxNoSuchFile)
	wantFx(t, "open below a file", second(client.Open("/dir/a/b")), fxNoSuchFile)
	wantFx(t, "create in a missing folder", second(client.Create("/no/a")), fxNoSuchFile)
	wantFx(t, "mkdir of an existing folder", client.Mkdir("/dir"), fxFailure)
	wantFx(t, "rmdir of a full folder", client.RemoveDirectory("/dir"), fxFailure)
	wantFx(t, "rename onto a file", client.Rename("/dir/a", "/dir/b"), fxFailure)
	if got := get(t, client, "/dir/b"); got != "second" {
		t.Errorf("b after a refused rename = %q", got)
	}
	if err := client.PosixRename("/dir/a", "/dir/b"); err != nil {
		t.Errorf("posix-rename onto a file: %v", err)
	}
	if got := get(t, client, "/dir/b"); got != "first" {
		t.Errorf("b after posix-rename = %q", got)
	}
	if err := client.Rename("/dir/b", "/dir/c"); err != nil {
		t.Error(err)
	}
	entries, err := client.ReadDir("/dir")
	if err != nil || len(entries) != 1 || entries[0].Name() != "c" || entries[0].Size() != 5 {
		t.Errorf("entries = %v, %v", entries, err)
	}
	if err := errors.Join(client.Remove("/dir/c"), client.RemoveDirectory("/dir")); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(root)
	if err != nil || len(left) != 0 {
		t.Errorf("left on disk: %v, %v", left, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestSFTPOpenFlags(t *testing.T) {
	client := dialSFTP(t, startSFTP(t, testserver.SFTPOptions{}))
	open := func(flags int) (*sftp.File, error) { return client.OpenFile("/a", flags) }

	wantFx(t, "write without create", second(open(os.O_WRONLY)), fxNoSuchFile)
	put(t, client, "/a", "0123456789")
	wantFx(t, "exclusive create of an existing file", second(open(os.O_WRONLY|os.O_CREATE|os.O_EXCL)), fxFailure)

	f, err := open(os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	// Out of order, and then read back through the same handle.
	for _, w := range []struct {
		text string
		off  int64
	}{{"CD", 12}, {"AB", 10}, {"xx", 3}} {
		if _, err := f.WriteAt([]byte(w.text), w.off); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 14)
	if _, err := f.ReadAt(buf, 0); err != nil || string(buf) != "012xx56789ABCD" {
		t.Errorf("read back %q, %v", buf, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}

	// An appending handle ignores where the client believes it is.
	f, err = open(os.O_WRONLY | os.O_APPEND)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write([]byte("end"))
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if got := get(t, client, "/a"); got != "012xx56789ABCDend" {
		t.Errorf("after append: %q", got)
	}

	f, err = open(os.O_WRONLY | os.O_TRUNC)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if got := get(t, client, "/a"); got != "" {
		t.Errorf("after truncation: %q", got)
	}
}

func TestSFTPSetstat(t *testing.T) {
	root := t.TempDir()
	client := dialSFTP(t, startSFTP(t, testserver.SFTPOptions{Root: root}))
	put(t, client, "/a", "0123456789")
	when := time.Unix(981173106, 0)
	if err := errors.Join(
		client.Truncate("/a", 4), client.Chtimes("/a", when, when), client.Chmod("/a", 0o640),
	); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(root, "a"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() != 4 || !info.ModTime().Equal(when) {
		t.Errorf("size %d, time %v", info.Size(), info.ModTime())
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v", info.Mode())
	}
	wantFx(t, "truncate a missing file", client.Truncate("/b", 4), fxNoSuchFile)
}

// Many writers at once: every byte has to arrive, whatever the order.
func TestSFTPConcurrentTransfer(t *testing.T) {
	server := startSFTP(t, testserver.SFTPOptions{})
	data := make([]byte, 3<<20+17)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(data)
	client := dialSFTP(t, server, sftp.UseConcurrentWrites(true), sftp.MaxPacketUnchecked(255<<10))
	f, err := client.Create("/a")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.ReadFrom(bytes.NewReader(data))
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if f, err = client.Open("/a"); err != nil {
		t.Fatal(err)
	}
	var back bytes.Buffer
	_, err = f.WriteTo(&back)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(back.Bytes(), data) {
		t.Errorf("%d bytes came back, and not the %d that went", back.Len(), len(data))
	}
	if stats := server.Stats(); stats.Received < int64(len(data)) || stats.Sent < int64(len(data)) {
		t.Errorf("stats = %+v", stats)
	}
}
