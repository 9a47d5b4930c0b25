//go:build linux && realserver

package realserver_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jlaffaye/ftp"
	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// wantReply checks the code and a part of the text of an FTP reply.
func wantReply(t *testing.T, err error, code int, text string) {
	t.Helper()
	var reply *textproto.Error
	if !errors.As(err, &reply) || reply.Code != code || !strings.Contains(reply.Msg, text) {
		t.Errorf("reply %v; want %d with %q", err, code, text)
	}
}

func TestMaxPerHost(t *testing.T) {
	for _, want := range []struct {
		kind realserver.Kind
		code int
		text string
	}{
		{realserver.VSFTPD, 421, "There are too many connections from your internet address."},
		{realserver.ProFTPD, 530, "Sorry, the maximum number of clients (1) from your host"},
		{realserver.PureFTPd, 421, "Too many connections (1) from this IP"},
	} {
		t.Run(string(want.kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: want.kind, MaxPerHost: 1})
			// The very first connection counts: none was spent on waiting for the start.
			first, err := ftpLogin(t.Context(), srv, ftpTLS{})
			if err != nil {
				t.Fatal(err)
			}
			defer first.Quit()
			second, err := ftpLogin(t.Context(), srv, ftpTLS{})
			if err == nil {
				second.Quit()
			}
			wantReply(t, err, want.code, want.text)
		})
	}
}

func TestQuota(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.PureFTPd, QuotaBytes: 1 << 20})
	c, err := ftpLogin(t.Context(), srv, ftpTLS{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Quit()
	if err := c.Stor("small", bytes.NewReader(make([]byte, 512<<10))); err != nil {
		t.Fatal(err)
	}
	wantReply(t, c.Stor("large", bytes.NewReader(make([]byte, 2<<20))), 552, "quota")
}

func TestNoStoreRestart(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.ProFTPD, NoStoreRestart: true})
	c, err := ftpLogin(t.Context(), srv, ftpTLS{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Quit()
	if err := c.Stor("f", strings.NewReader("0123456789")); err != nil {
		t.Fatal(err)
	}
	wantReply(t, c.StorFrom("f", strings.NewReader("abc"), 10), 451, "")
}

// rawFTP is a logged in control connection without a library.
func rawFTP(t *testing.T, srv *realserver.Server) *textproto.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", srv.Addr(), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	c := textproto.NewConn(conn)
	if _, _, err := c.ReadResponse(220); err != nil {
		t.Fatal(err)
	}
	ftpCommand(t, c, 331, "USER %s", srv.User)
	ftpCommand(t, c, 230, "PASS %s", srv.Password)
	return c
}

// ftpCommand sends one command and returns the text of the reply, whose code
// must be the given one.
func ftpCommand(t *testing.T, c *textproto.Conn, code int, format string, args ...any) string {
	t.Helper()
	if _, err := c.Cmd(format, args...); err != nil {
		t.Fatal(err)
	}
	_, text, err := c.ReadResponse(code)
	if err != nil {
		t.Fatalf("%s: %v", strings.Fields(format)[0], err)
	}
	return text
}

func TestDigest(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.ProFTPD, Digest: true})
	c, err := ftpLogin(t.Context(), srv, ftpTLS{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Stor("abc", strings.NewReader("abc")); err != nil {
		t.Fatal(err)
	}
	c.Quit()
	const sha256OfABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	raw := rawFTP(t, srv)
	ftpCommand(t, raw, 200, "OPTS HASH SHA-256")
	text := ftpCommand(t, raw, 213, "HASH abc")
	if !strings.Contains(strings.ToLower(text), sha256OfABC) {
		t.Errorf("HASH answers %q; want %s in it", text, sha256OfABC)
	}
}

func TestIdleTimeout(t *testing.T) {
	for _, kind := range []realserver.Kind{realserver.VSFTPD, realserver.ProFTPD} {
		t.Run(string(kind), func(t *testing.T) {
			// ProFTPD counts in ticks of a second: one second can be over
			// between USER and PASS.
			srv := realtest.Start(t, realserver.Options{Kind: kind, IdleTimeout: 2 * time.Second})
			raw := rawFTP(t, srv)
			_, text, err := raw.ReadResponse(421) // comes unasked
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("421 %s", text)
		})
	}
}

func TestDataTimeout(t *testing.T) {
	for _, kind := range []realserver.Kind{realserver.VSFTPD, realserver.ProFTPD} {
		t.Run(string(kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: kind, DataTimeout: time.Second})
			raw := rawFTP(t, srv)
			text := ftpCommand(t, raw, 229, "EPSV")
			var port int
			if _, err := fmt.Sscanf(text[strings.Index(text, "(|||"):], "(|||%d|)", &port); err != nil {
				t.Fatal(err)
			}
			if port < srv.PassiveLo || port > srv.PassiveHi {
				t.Errorf("passive port %d; want one of %d-%d", port, srv.PassiveLo, srv.PassiveHi)
			}
			data, err := net.Dial("tcp", net.JoinHostPort(srv.Host, strconv.Itoa(port)))
			if err != nil {
				t.Fatal(err)
			}
			defer data.Close()
			ftpCommand(t, raw, 150, "STOR stalled")
			began := time.Now()
			code, text, err := raw.ReadResponse(0)
			// ProFTPD logs a 426 and closes the control connection without sending it.
			if err != nil && !errors.Is(err, io.EOF) {
				t.Errorf("after %s: %v", time.Since(began), err)
			}
			t.Logf("after %.1f s: %d %s %v", time.Since(began).Seconds(), code, text, err)
		})
	}
}

func TestPassiveAddress(t *testing.T) {
	for _, kind := range realserver.FTPKinds() {
		t.Run(string(kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: kind, PassiveAddress: "192.0.2.7"})
			text := ftpCommand(t, rawFTP(t, srv), 227, "PASV")
			if !strings.Contains(text, "192,0,2,7") {
				t.Errorf("PASV answers %q; want 192.0.2.7", text)
			}
		})
	}
}

// TestMaxStartups fills the only place for a connection that has not logged in.
func TestMaxStartups(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{
		Kind: realserver.OpenSSH, SSH: realserver.SSHOptions{MaxStartups: "1:100:1"},
	})
	idle, err := net.Dial("tcp", srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	banner := make([]byte, 4)
	if _, err := idle.Read(banner); err != nil || string(banner) != "SSH-" {
		t.Fatalf("banner %q, %v", banner, err)
	}
	if conn, err := ssh.Dial("tcp", srv.Addr(), sshConfig(t, srv)); err == nil {
		conn.Close()
		t.Error("a second connection got in with MaxStartups 1")
	}
}

func TestExtra(t *testing.T) {
	for _, extra := range []struct {
		kind realserver.Kind
		line []string
		code int
	}{
		{realserver.VSFTPD, []string{"cmds_denied=EPSV"}, 550},
		{realserver.ProFTPD, []string{"<Limit EPSV>", "DenyAll", "</Limit>"}, 501},
		{realserver.PureFTPd, []string{"-N"}, 0}, // NAT mode: no EPSV
	} {
		t.Run(string(extra.kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: extra.kind, Extra: extra.line})
			raw := rawFTP(t, srv)
			if _, err := raw.Cmd("EPSV"); err != nil {
				t.Fatal(err)
			}
			code, text, err := raw.ReadResponse(0)
			if err != nil || code == ftp.StatusExtendedPassiveMode || extra.code != 0 && code != extra.code {
				t.Errorf("EPSV answers %d %q, %v; want %d", code, text, err, extra.code)
			}
		})
	}
}
