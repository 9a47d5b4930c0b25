//go:build linux && realserver

package realserver_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// TestFurtherServers: what a login makes on each of them lies in Root and belongs to
// Account, and it is a TLS session where that was asked for.
func TestFurtherServers(t *testing.T) {
	for _, kind := range realserver.FurtherSFTPKinds() {
		t.Run(string(kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: kind})
			client, err := ssh.Dial("tcp", srv.Addr(), sshConfig(t, srv))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			files, err := sftp.NewClient(client)
			if err != nil {
				t.Fatal(err)
			}
			defer files.Close()
			if err := files.Mkdir("made"); err != nil {
				t.Fatal(err)
			}
			wantMade(t, srv)
		})
	}
	for _, kind := range realserver.FurtherFTPKinds() {
		for _, mode := range []realserver.TLSMode{realserver.TLSOff, realserver.TLSAllowed, realserver.TLSRequired} {
			if mode != realserver.TLSOff && !kind.SpeaksTLS() {
				continue
			}
			t.Run(string(kind)+"/"+mode.String(), func(t *testing.T) {
				srv := realtest.Start(t, realserver.Options{Kind: kind, TLS: mode})
				conn, err := net.DialTimeout("tcp", srv.Addr(), 10*time.Second)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(20 * time.Second))
				c := textproto.NewConn(conn)
				if _, _, err := c.ReadResponse(220); err != nil {
					t.Fatal(err)
				}
				if mode == realserver.TLSRequired {
					ftpRefuses(t, c, "PWD")
				}
				if mode != realserver.TLSOff {
					ftpCommand(t, c, 234, "AUTH TLS")
					c = textproto.NewConn(tls.Client(conn, &tls.Config{RootCAs: srv.CAPool(), ServerName: srv.Host}))
				}
				ftpCommand(t, c, 331, "USER %s", srv.User)
				ftpCommand(t, c, 230, "PASS %s", srv.Password)
				ftpCommand(t, c, 257, "MKD made")
				wantMade(t, srv)
			})
		}
	}
}

// ftpRefuses fails the test unless a command is refused.
func ftpRefuses(t *testing.T, c *textproto.Conn, format string, args ...any) {
	t.Helper()
	if _, err := c.Cmd(format, args...); err != nil {
		t.Fatal(err)
	}
	code, text, err := c.ReadCodeLine(0)
	if _, protocol := err.(*textproto.Error); err != nil && !protocol {
		t.Fatal(err)
	}
	if code < 400 {
		t.Errorf("%q is answered %d %s without TLS", fmt.Sprintf(format, args...), code, text)
	}
}

// wantMade fails the test unless the folder "made" is Account's and all there is.
func wantMade(t *testing.T, srv *realserver.Server) {
	t.Helper()
	entries, err := os.ReadDir(srv.Root)
	if err != nil || !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == "made" && e.IsDir() }) || len(entries) != 1 {
		t.Fatalf("the root holds %v (%v)", entries, err)
	}
	owner := func(name string) uint32 {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t).Uid
	}
	if got, want := owner(filepath.Join(srv.Root, "made")), owner(srv.Root); got != want {
		t.Errorf("what was made belongs to %d, not to %d", got, want)
	}
}
