//go:build unix

package ftpx_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// What is no regular file is refused at once, with the remedy: opening a pipe
// that nobody writes to would wait for ever, whatever the context says.
func TestUploadOfWhatIsNoFile(t *testing.T) {
	dir, err := os.MkdirTemp("", "ftpx") // short, for the socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	pipe, sock, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "sock"), filepath.Join(dir, "link")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Symlink(pipe, link); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{pipe: "a named pipe: use Put", link: "a named pipe: use Put", sock: "a socket: use Put",
		os.DevNull: "a device: use Put", dir: "a folder"} {
		// Real time, so outside of the bubble: lets it go on if it waits.
		waits := time.AfterFunc(5*time.Second, func() {
			t.Errorf("%s: it waits", name)
			if f, err := os.OpenFile(name, os.O_RDWR, 0); err == nil {
				f.Close()
			}
		})
		inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
			_, err := c.Upload(t.Context(), name, "f", nil)
			if ftpx.KindOf(err) != transport.KindLocal || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", name, err)
			}
		})
		waits.Stop()
	}
}

// The pipe comes into the file's place between the look and the opening.
func TestOpeningAPipeDoesNotWait(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 2)
	go func() {
		f, err := ftpx.OpenToRead(pipe)
		if err == nil {
			f.Close()
		}
		done <- err
		if f, err = ftpx.OpenPart(pipe); err == nil {
			f.Close()
		}
		done <- err
	}()
	for range 2 {
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			t.Fatal("it waits for a writer")
		}
	}
}
