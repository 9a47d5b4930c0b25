package testserver_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

func TestSFTPRootIsClosed(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	client := dialSFTP(t, startSFTP(t, testserver.SFTPOptions{Root: root}))
	if err := client.Symlink("../secret", "/link"); err != nil {
		t.Skip(err)
	}
	if target, err := client.ReadLink("/link"); err != nil || target != "../secret" {
		t.Errorf("link = %q, %v", target, err)
	}
	for _, path := range []string{"/../secret", "../secret", "/link"} {
		if f, err := client.Open(path); err == nil {
			_ = f.Close()
			t.Errorf("%s came out of the root", path)
		}
	}
	if info, err := client.Lstat("/link"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("lstat = %v, %v", info, err)
	}
}

func TestSFTPDiskAndAccess(t *testing.T) {
	disk := testserver.NewDisk(1000)
	root := t.TempDir()
	client := dialSFTP(t, startSFTP(t, testserver.SFTPOptions{Root: root, Disk: disk}))
	f, err := client.Create("/a")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(make([]byte, 1500))
	wantFx(t, "write past the end of the disk", err, fxFailure)
	_ = f.Close()
	if info, err := os.Stat(filepath.Join(root, "a")); err != nil || info.Size() != 1000 {
		t.Errorf("on disk: %v, %v", info, err)
	}

	client = dialSFTP(t, startSFTP(t, testserver.SFTPOptions{Root: root, Access: testserver.ReadOnly}))
	wantFx(t, "create", second(client.Create("/b")), fxPermission)
	wantFx(t, "remove", client.Remove("/a"), fxPermission)
	wantFx(t, "rename", client.PosixRename("/a", "/b"), fxPermission)
	wantFx(t, "mkdir", client.Mkdir("/d"), fxPermission)
	if got := get(t, client, "/a"); len(got) != 1000 {
		t.Errorf("read %d bytes", len(got))
	}
}

func TestSFTPExtensions(t *testing.T) {
	client := dialSFTP(t, startSFTP(t, testserver.SFTPOptions{}))
	if _, ok := client.HasExtension("posix-rename@openssh.com"); !ok {
		t.Error("posix-rename is not announced")
	}
	if _, ok := client.HasExtension("statvfs@openssh.com"); ok {
		t.Error("statvfs is announced and not there")
	}
	hiding := dialSFTP(t, startSFTP(t, testserver.SFTPOptions{
		HideExtensions: []string{"posix-rename@openssh.com", "hardlink@openssh.com"},
	}))
	if _, ok := hiding.HasExtension("posix-rename@openssh.com"); ok {
		t.Error("hidden posix-rename is announced")
	}
	put(t, hiding, "/a", "a")
	wantFx(t, "posix-rename", hiding.PosixRename("/a", "/b"), 8)
	wantFx(t, "hardlink", hiding.Link("/a", "/b"), 8)
}

func TestSFTPStartupsAndSessions(t *testing.T) {
	server := startSFTP(t, testserver.SFTPOptions{
		MaxStartups: 1, StartupsMessage: "Exceeded MaxStartups\r\n", MaxSessions: 2,
	})
	conn, err := dialSSH(t, server)
	if err != nil {
		t.Fatal(err)
	}
	// The logged-in connection does not count; one that says nothing does.
	silent := dialTCP(t, server.Addr().String())
	version := make([]byte, 4)
	if _, err := io.ReadFull(silent, version); err != nil || string(version) != "SSH-" {
		t.Fatalf("banner %q, %v", version, err)
	}
	refused, err := io.ReadAll(dialTCP(t, server.Addr().String()))
	if err != nil || string(refused) != "Exceeded MaxStartups\r\n" {
		t.Errorf("past MaxStartups: %q, %v", refused, err)
	}

	var sessions []*ssh.Session
	for range 2 {
		session, err := conn.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, session)
	}
	var refusal *ssh.OpenChannelError
	if _, err := conn.NewSession(); !errors.As(err, &refusal) || refusal.Reason != ssh.ConnectionFailed {
		t.Errorf("past MaxSessions: %v", err)
	}
	for _, session := range sessions {
		_ = session.Close()
	}
}

func TestSFTPManyClientsAtClose(t *testing.T) {
	server := startSFTP(t, testserver.SFTPOptions{})
	clients := make([]*sftp.Client, 5)
	for i := range clients {
		clients[i] = dialSFTP(t, server)
	}
	var wg sync.WaitGroup
	errs := make([]error, len(clients))
	for i, client := range clients {
		f, err := client.Create("/a")
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			for errs[i] == nil {
				_, errs[i] = f.WriteAt(make([]byte, 1000), 0)
			}
		})
	}
	closeInTime(t, server.Close)
	wg.Wait()
	if slices.Contains(errs, nil) {
		t.Errorf("a writer went on: %v", errs)
	}
}
