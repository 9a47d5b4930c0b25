package testserver_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jlaffaye/ftp"
	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// One folder, three doors, and the files written for a command line client open
// them.
func TestTrio(t *testing.T) {
	root := t.TempDir()
	trio, err := testserver.StartTrio(testserver.TrioOptions{Root: root, User: "alice", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeInTime(t, trio.Close) })
	_, knownHosts, err := trio.WriteFiles(t.TempDir(), "127.0.0.2:2022")
	if err != nil {
		t.Fatal(err)
	}

	check, err := knownhosts.New(knownHosts)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := ssh.Dial("tcp", trio.SFTP.Addr().String(), &ssh.ClientConfig{
		User: trio.User, Auth: []ssh.AuthMethod{ssh.Password(trio.Password)},
		HostKeyCallback: check, Timeout: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client, err := sftp.NewClient(conn)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	put(t, client, "/sftp", "sftp")

	for name, door := range map[string]struct {
		server *testserver.FTPServer
		option ftp.DialOption
	}{
		"ftp":   {trio.FTP, ftp.DialWithTimeout(10 * time.Second)},
		"ftpes": {trio.FTP, ftp.DialWithExplicitTLS(trio.ClientTLS("127.0.0.1"))},
		"ftps":  {trio.FTPS, ftp.DialWithTLS(trio.ClientTLS("localhost"))},
	} {
		conn, err := ftp.Dial(door.server.Addr().String(), door.option)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer conn.Quit()
		if err := conn.Login("alice", "secret"); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := retrieve(t, conn, "/sftp"); string(got) != "sftp" {
			t.Errorf("%s: what came in by SFTP reads %q", name, got)
		}
		if err := conn.Stor("/"+name, strings.NewReader(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := os.ReadFile(filepath.Join(root, name)); err != nil || string(got) != name {
			t.Errorf("%s on disk: %q, %v", name, got, err)
		}
	}
}

func TestStartErrors(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	if _, err := testserver.StartTrio(testserver.TrioOptions{Root: missing}); err == nil {
		t.Error("a missing folder is served")
	}
	if _, err := testserver.StartFTP(testserver.FTPOptions{Root: t.TempDir(), Addr: "0.0.0.0:0"}); err == nil {
		t.Error("FTP listens beyond loopback")
	}
	if _, err := testserver.StartSFTP(testserver.SFTPOptions{Root: t.TempDir(), Addr: "0.0.0.0:0"}); err == nil {
		t.Error("SFTP listens beyond loopback")
	}
}
