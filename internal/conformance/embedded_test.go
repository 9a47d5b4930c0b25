package conformance

import (
	"context"
	"crypto/tls"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/ftpdriver"
	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
)

// driver opens connections to an endpoint and counts the commands that they send.
type driver struct {
	ep   *transport.Endpoint
	sent atomic.Int64
}

func newDriver(ep *transport.Endpoint) *driver {
	d := &driver{ep: ep}
	ep.Trace = &transport.Trace{Command: func(context.Context, transport.TraceCommand) { d.sent.Add(1) }}
	return d
}

func (d *driver) open(t *testing.T) transport.Conn {
	t.Helper()
	var c transport.Conn
	var err error
	if d.ep.Protocol == transport.SFTP {
		c, err = sftpdriver.Dial(context.Background(), d.ep)
	} else {
		c, err = ftpdriver.Dial(context.Background(), d.ep)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// deny keeps the login out of a folder and from reading a file.
func deny(op testserver.Op, path string) error {
	if strings.HasPrefix(path, "/forbidden/") && op != testserver.OpStat || path == "/unreadable" && op == testserver.OpRead {
		return fs.ErrPermission
	}
	return nil
}

// served prepares a folder for [deny].
func served(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "forbidden"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "unreadable"), []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	return root
}

// embedded starts the servers and returns the endpoint of one of them.
func embedded(t *testing.T, p transport.Protocol, root string, change func(*testserver.TrioOptions)) *transport.Endpoint {
	t.Helper()
	opts := testserver.TrioOptions{Root: root, Access: deny}
	if change != nil {
		change(&opts)
	}
	trio, err := testserver.StartTrio(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := trio.Close(); err != nil {
			t.Error(err)
		}
	})
	port := map[transport.Protocol]int{transport.SFTP: trio.SFTP.Port(), transport.FTPS: trio.FTP.Port(),
		transport.FTPSImplicit: trio.FTPS.Port(), transport.FTP: trio.FTP.Port()}[p]
	return &transport.Endpoint{
		Protocol: p, Host: "127.0.0.1", Port: port, User: trio.User, Password: transport.Secret(trio.Password),
		SSH: transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(trio.SFTP.HostKey())}},
		TLS: transport.TLS{Config: &tls.Config{RootCAs: trio.CA.Pool()}},
	}
}

func TestEmbedded(t *testing.T) {
	for _, p := range []transport.Protocol{transport.SFTP, transport.FTPS, transport.FTPSImplicit, transport.FTP} {
		t.Run(p.String(), func(t *testing.T) {
			root := served(t)
			d := newDriver(embedded(t, p, root, nil))
			Run(t, d.open, Options{Root: root, Forbidden: "forbidden", Unreadable: "unreadable", Sent: d.sent.Load, Skip: embeddedSkips(p)})
		})
	}
}

// embeddedSkips says what the embedded servers cannot do.
func embeddedSkips(p transport.Protocol) map[string]string {
	skip := map[string]string{}
	if p.IsFTP() {
		skip["ListLinks"] = "ftpserverlib's MLSD calls a link a file"
	}
	if runtime.GOOS == "windows" {
		skip["Names"] = "NTFS takes many of these names for something else"
		skip["FolderNames"] = skip["Names"]
	}
	return skip
}
