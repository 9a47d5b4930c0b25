//go:build linux && realserver

package sftpdriver

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestTrap13RealPacketSize: 255 KiB is what limits@openssh.com names, and what
// sshd takes; the data arrives whole.
func TestTrap13RealPacketSize(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH})
	c := dialReal(t, realEndpoint(srv))
	data := randomBytes(40 << 20)
	if n, err := c.Store(t.Context(), "big", 0, bytes.NewReader(data), nil); err != nil || n != int64(len(data)) {
		t.Fatal(n, err)
	}
	if c.writeSize() != largestPacket {
		t.Error("packets of", c.writeSize())
	}
	var out bytes.Buffer
	if _, err := c.Retrieve(t.Context(), "big", 0, &out, nil); err != nil || !bytes.Equal(out.Bytes(), data) {
		t.Fatal(err)
	}
	_ = sftp.MaxPacketUnchecked(256 << 10)(c.lib.client)
	f, err := c.lib.client.Create("killer")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, 256<<10)); err == nil {
		t.Error("256 KiB were taken: the trap is gone")
	}
}

// TestRealDiskFull: sshd says SSH_FX_FAILURE, statvfs says why, and the file
// is cut back to what was acknowledged.
func TestRealDiskFull(t *testing.T) {
	root := t.TempDir()
	if err := syscall.Mount("tmpfs", root, "tmpfs", 0, "size=8m,mode=0777"); err != nil {
		absent(t, fmt.Errorf("cannot mount a small disk: %w", err))
	}
	t.Cleanup(func() { _ = syscall.Unmount(root, syscall.MNT_DETACH) })
	for p := root; p != "/" && p != os.TempDir(); p = filepath.Dir(p) {
		_ = os.Chmod(p, 0o755)
	}
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH, Root: root})
	c := dialReal(t, realEndpoint(srv))
	data := randomBytes(20 << 20)
	n, err := c.Store(t.Context(), "big", 0, bytes.NewReader(data), nil)
	te := wantKind(t, err, transport.KindNoSpace)
	t.Log(te)
	got, _ := os.ReadFile(filepath.Join(root, "big"))
	if int64(len(got)) != n || n == 0 || !bytes.Equal(got, data[:n]) || !c.Usable() {
		t.Errorf("n = %d, %d bytes on disk", n, len(got))
	}
}

func TestRealMaxStartups(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH, SSH: realserver.SSHOptions{MaxStartups: "1:100:1"}})
	hold, err := net.Dial("tcp", srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	_, _ = io.ReadFull(hold, make([]byte, 4))
	_, err = dialClient(t.Context(), realEndpoint(srv))
	k := transport.KindOf(err)
	t.Log(err)
	if k != transport.KindBusy && k != transport.KindLost {
		t.Error(err)
	}
}

func TestRealLogins(t *testing.T) {
	newKey := func() ssh.Signer {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ssh.NewSignerFromKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	key, userCA, hostCA := newKey(), newKey(), newKey()
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH, SSH: realserver.SSHOptions{
		AuthorizedKeys: []ssh.PublicKey{key.PublicKey()}, UserCAs: []ssh.PublicKey{userCA.PublicKey()}, HostCA: hostCA,
	}})
	ep := realEndpoint(srv)
	dialReal(t, ep)
	ep.Password = "wrong"
	if _, err := dialClient(t.Context(), ep); transport.KindOf(err) != transport.KindAuth {
		t.Error(err)
	}
	ep.Password = ""
	ep.SSH.Signers = []ssh.Signer{key}
	dialReal(t, ep)
	other := newKey()
	cert := &ssh.Certificate{Key: other.PublicKey(), CertType: ssh.UserCert, KeyId: "k", ValidPrincipals: []string{srv.User},
		ValidAfter: uint64(time.Now().Add(-time.Hour).Unix()), ValidBefore: uint64(time.Now().Add(time.Hour).Unix())}
	if err := cert.SignCert(rand.Reader, userCA); err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewCertSigner(cert, other)
	if err != nil {
		t.Fatal(err)
	}
	ep.SSH.Signers = []ssh.Signer{signer}
	dialReal(t, ep)
	// Ten wrong keys: sshd hangs up with "Too many authentication failures".
	ep.SSH.Signers = nil
	for range 10 {
		ep.SSH.Signers = append(ep.SSH.Signers, newKey())
	}
	_, err = dialClient(t.Context(), ep)
	wantKind(t, err, transport.KindAuth)
	t.Log(err)
}

func TestRealKeyboardInteractive(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH, SSH: realserver.SSHOptions{NoPassword: true, KeyboardInteractive: true}})
	dialReal(t, realEndpoint(srv))
}

// TestRealCutOff ends the connection from either side in the middle of an
// upload: n is what sshd had acknowledged, that much is on the disk, and no
// more than WriteWindow lies beyond.
func TestRealCutOff(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH})
	for name, cut := range map[string]func(*client) func(){
		"client": func(c *client) func() { return func() { _ = c.Close() } },
		"server": func(*client) func() { return func() { _ = srv.Kill() } },
	} {
		if !srv.Running() {
			if err := srv.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		c := dialReal(t, realEndpoint(srv))
		data := randomBytes(64 << 20)
		n, err := c.Store(t.Context(), name, 0, &triggered{r: bytes.NewReader(data), after: 30 << 20, do: cut(c)}, nil)
		wantKind(t, err, transport.KindLost)
		time.Sleep(300 * time.Millisecond)
		got, _ := os.ReadFile(filepath.Join(srv.Root, name))
		t.Logf("%s: acknowledged %d, on disk %d", name, n, len(got))
		if n == 0 || int64(len(got)) < n || !bytes.Equal(got[:n], data[:n]) || int64(len(got)) > n+c.Info().Caps.WriteWindow {
			t.Error("the acknowledged prefix is not what is on the disk")
		}
	}
}

func TestRealLongNamesAndMany(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH})
	c := dialReal(t, realEndpoint(srv))
	_, err := c.Store(t.Context(), strings.Repeat("n", 300), 0, bytes.NewReader(nil), nil)
	wantKind(t, err, transport.KindName)
	dir := filepath.Join(srv.Root, "many")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 2500 {
		_ = os.WriteFile(filepath.Join(dir, fmt.Sprintf("file-%05d", i)), []byte("x"), 0o644)
	}
	_ = os.Symlink("file-00001", filepath.Join(dir, "link"))
	seen := map[string]transport.Entry{}
	if err := c.List(t.Context(), "many", func(e transport.Entry) bool { seen[e.Name] = e; return true }); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 2501 || seen["link"].Type != transport.TypeLink || seen["file-00007"].Size != 1 {
		t.Error(len(seen), seen["link"], seen["file-00007"])
	}
	n := 0
	if err := c.List(t.Context(), "many", func(transport.Entry) bool { n++; return n < 150 }); err != nil || n != 150 {
		t.Error(n, err)
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
}
