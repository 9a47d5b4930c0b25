package sftpdrill

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestManyFilesOneHandle: small files share connections, and a server that has one open
// file a session refuses those that are opened beside another. That is found out once, not
// by each file several times.
func TestManyFilesOneHandle(t *testing.T) {
	const files = 200
	root, local := t.TempDir(), t.TempDir()
	srv, err := testserver.StartSFTP(testserver.SFTPOptions{Root: root, Habits: &habits{OneHandle: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	for i := range files {
		if err := os.WriteFile(filepath.Join(local, fmt.Sprint("f", i)), content(byte(i), 2000), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var retries atomic.Int32
	c, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.1", User: "user", Options: ftpx.Options{
		Password: "password", Protocols: []ftpx.Protocol{ftpx.SFTP}, Ports: ftpx.Ports{SFTP: srv.Port()},
		SSH:   transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(srv.HostKey())}},
		Retry: retry.Policy{InitialDelay: time.Millisecond, MaxDelay: 10 * time.Millisecond},
		Hooks: &ftpx.Hooks{Retry: func(context.Context, ftpx.RetryInfo) { retries.Add(1) }},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := folder.Upload(t.Context(), c, local, "up", nil); err != nil {
		t.Error(err)
	}
	for i := range files {
		if got, err := os.ReadFile(filepath.Join(root, "up", fmt.Sprint("f", i))); err != nil || !bytes.Equal(got, content(byte(i), 2000)) {
			t.Errorf("file %d: %d bytes, %v", i, len(got), err)
		}
	}
	if n := retries.Load(); n >= files {
		t.Errorf("%d retries for %d files", n, files)
	}
}
