package sftpdriver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// dialFail dials and wants a failure of a kind, in time and without a secret.
func dialFail(t *testing.T, ep *transport.Endpoint, kind transport.Kind) *transport.Error {
	t.Helper()
	c, err := dialClient(context.Background(), ep)
	if err == nil {
		_ = c.Close()
		t.Fatalf("connected, want %q", kind)
	}
	te := wantKind(t, err, kind)
	if s := err.Error(); ep.Password != "" && strings.Contains(s, ep.Password.Reveal()) && ep.Password != "password" {
		t.Errorf("the password is in %q", s)
	}
	return te
}

func TestGreetings(t *testing.T) {
	for greeting, kind := range map[string]transport.Kind{
		"220 ProFTPD Server ready.\r\n":                 transport.KindNotOffered,
		"220-Welcome\r\n220 vsFTPd\r\n":                 transport.KindNotOffered,
		"421 Too many connections\r\n":                  transport.KindNotOffered,
		"HTTP/1.1 400 Bad Request\r\n\r\n":              transport.KindNotOffered,
		"<html>\r\n":                                    transport.KindNotOffered,
		"\x15\x03\x01\x00\x02\x02\x46":                  transport.KindNotOffered, // a TLS alert
		"\x00\x00\x00\x7f binary":                       transport.KindNotOffered,
		"\xff\xfd\x18 telnet":                           transport.KindNotOffered,
		"SSH-1.5-old\r\n":                               transport.KindNotOffered,
		"hello there\r\n":                               transport.KindNotOffered, // and then the end
		strings.Repeat("x", 1000):                       transport.KindNotOffered,
		strings.Repeat("notice\r\n", 10_000):            transport.KindNotOffered,
		"Exceeded MaxStartups\r\n":                      transport.KindBusy,
		"Not allowed at this time\r\n":                  transport.KindBusy,
		"\x00":                                          transport.KindNotOffered,
		"SSH-2.0-x\r\n":                                 transport.KindLost,
		"SSH-2.":                                        transport.KindLost,
		"SSH-2.0-x\r\ngarbage that is no packet at all": transport.KindProtocol,
	} {
		t.Run(fmt.Sprintf("%.20q", greeting), func(t *testing.T) {
			f := newFake(t, func(f *fake) { f.greeting = greeting })
			te := dialFail(t, f.endpoint(), kind)
			if strings.ContainsAny(te.Error(), "\x00\x15\r\n") {
				t.Errorf("%q", te.Error())
			}
			if kind == transport.KindNotOffered && te.Op != "handshake" {
				t.Error(te.Op)
			}
		})
	}
}

// TestGreetingThenSilence: a text that is no known greeting may be a notice
// before the version; with nothing after it, it was not SSH.
func TestGreetingThenSilence(t *testing.T) {
	ln, ep := silent(t, "welcome\r\n")
	defer ln.Close()
	dialFail(t, ep, transport.KindNotOffered)
}

// silent is a server that says greeting and then nothing.
func silent(t *testing.T, greeting string) (net.Listener, *transport.Endpoint) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte(greeting))
			go func() { _, _ = io.Copy(io.Discard, c); c.Close() }()
		}
	}()
	return ln, &transport.Endpoint{Protocol: transport.SFTP, Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port, User: "u",
		Password: "hunter22", ConnectTimeout: 300 * time.Millisecond, SSH: transport.SSH{InsecureIgnoreHostKey: true}}
}

func TestConnectTimeout(t *testing.T) {
	ln, ep := silent(t, "")
	defer ln.Close()
	begin := time.Now()
	te := dialFail(t, ep, transport.KindTimeout)
	if d := time.Since(begin); d > slack {
		t.Errorf("took %v", d)
	}
	if te.Op != "handshake" {
		t.Error(te.Op)
	}
	ep.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	if te := dialFail(t, ep, transport.KindTimeout); te.Op != "dial" {
		t.Error(te.Op)
	}
}

func TestConnectCanceled(t *testing.T) {
	ln, ep := silent(t, "")
	defer ln.Close()
	ep.ConnectTimeout = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	_, err := dialClient(ctx, ep)
	wantKind(t, err, transport.KindCanceled)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	_, err = dialClient(ctx, ep)
	wantKind(t, err, transport.KindCanceled)
}

func TestConnectRefused(t *testing.T) {
	ln, ep := silent(t, "")
	ln.Close()
	dialFail(t, ep, transport.KindUnreachable)
	ep.Host = "does-not-exist.invalid"
	if _, err := dialClient(t.Context(), ep); transport.KindOf(err) != transport.KindNoHost && transport.KindOf(err) != transport.KindUnreachable {
		t.Error(err)
	}
	ep.User = ""
	dialFail(t, ep, transport.KindInvalid)
}

// TestConnectionEndsAtEachByte cuts the server's side after n bytes, for every
// n of the handshake, and wants a typed error that may be tried again.
func TestConnectionEndsAtEachByte(t *testing.T) {
	f := newFake(t, nil)
	whole := func(ep *transport.Endpoint, limit int64) *atomic.Int64 {
		var n atomic.Int64
		ep.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &cutConn{Conn: c, n: &n, limit: limit}, nil
		}
		return &n
	}
	ep := f.endpoint()
	total := whole(ep, 1<<40)
	c, err := dialClient(t.Context(), ep)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	for limit := int64(0); limit < total.Load()-64; limit += 1 + limit/40 {
		ep := f.endpoint()
		whole(ep, limit)
		c, err := dialClient(t.Context(), ep)
		if err == nil {
			_ = c.Close()
			continue // the end was the answer to a request not waited for
		}
		if k := transport.KindOf(err); k != transport.KindLost {
			t.Errorf("after %d bytes: %v", limit, err)
		}
	}
}

type cutConn struct {
	net.Conn
	n     *atomic.Int64
	limit int64
}

func (c *cutConn) Read(p []byte) (int, error) {
	left := c.limit - c.n.Load()
	if left <= 0 {
		_ = c.Conn.Close()
		return 0, io.EOF
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), left)])
	c.n.Add(int64(n))
	return n, err
}

func TestNoCommonAlgorithm(t *testing.T) {
	f := newFake(t, func(f *fake) { f.config.KeyExchanges = []string{ssh.InsecureKeyExchangeDH1SHA1} })
	te := dialFail(t, f.endpoint(), transport.KindRefused)
	if !strings.Contains(te.Error(), "diffie-hellman-group1-sha1") {
		t.Error(te)
	}
}

func TestSubsystemRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*fake)
		kind   transport.Kind
	}{
		"prohibited": {func(f *fake) {
			f.onChannel = func(nc ssh.NewChannel) bool { _ = nc.Reject(ssh.Prohibited, "no"); return true }
		}, transport.KindNotOffered},
		"MaxSessions": {func(f *fake) {
			f.onChannel = func(nc ssh.NewChannel) bool { _ = nc.Reject(ssh.ConnectionFailed, "open failed"); return true }
		}, transport.KindBusy},
		"no subsystem": {func(f *fake) {
			f.onChannel = func(nc ssh.NewChannel) bool {
				ch, reqs, err := nc.Accept()
				if err == nil {
					go func() {
						for r := range reqs {
							_ = r.Reply(false, nil)
						}
						_ = ch.Close()
					}()
				}
				return true
			}
		}, transport.KindNotOffered},
		"ends at once": {func(f *fake) { f.onSession = func(ssh.Channel) {} }, transport.KindNotOffered},
		"stderr": {func(f *fake) {
			f.onSession = func(ch ssh.Channel) { _, _ = ch.Stderr().Write([]byte("sftp-server: not found\n")) }
		}, transport.KindNotOffered},
		"login script": {func(f *fake) {
			f.onSession = func(ch ssh.Channel) { _, _ = ch.Write([]byte("Welcome to this machine!\r\n")) }
		}, transport.KindNotOffered},
		"version 6": {func(f *fake) {
			f.onSession = func(ch ssh.Channel) { _, _ = ch.Write([]byte{0, 0, 0, 5, 2, 0, 0, 0, 6}) }
		}, transport.KindNotOffered},
	} {
		t.Run(name, func(t *testing.T) {
			te := dialFail(t, newFake(t, c.change).endpoint(), c.kind)
			if te.Op != "subsystem" {
				t.Error(te.Op)
			}
			t.Log(te)
		})
	}
}

// TestDisconnectMessages: a server that hangs up in place of a login, with a message.
func TestDisconnectMessages(t *testing.T) {
	d := &dialer{login: &login{ep: &transport.Endpoint{User: "u"}}, host: &hostVerifier{}, line: &line{}, ctx: t.Context(), step: "login",
		ep: &transport.Endpoint{Protocol: transport.SFTP, Host: "h"}}
	for text, kind := range map[string]transport.Kind{
		`ssh: handshake failed: ssh: disconnect, reason 2: "Too many authentication failures"`:  transport.KindAuth,
		`ssh: handshake failed: ssh: disconnect, reason 14: "No supported authentication left"`: transport.KindAuth,
		`ssh: handshake failed: ssh: disconnect, reason 12: "Too many connections"`:             transport.KindBusy,
		`ssh: handshake failed: ssh: disconnect, reason 11: "Too many users logged in"`:         transport.KindBusy,
		`ssh: handshake failed: ssh: disconnect, reason 1: "Your address is not welcome here"`:  transport.KindRefused,
		`ssh: handshake failed: ssh: disconnect, reason 11: "bye"`:                              transport.KindLost,
		`ssh: handshake failed: ssh: unable to authenticate, attempted methods [none password]`: transport.KindAuth,
	} {
		if te := d.failure(t.Context(), errors.New(text)); te.Kind != kind {
			t.Errorf("%v: %q, want %q", text, te.Kind, kind)
		}
	}
}

func TestInfo(t *testing.T) {
	f := newFake(t, withLimits)
	var answered atomic.Int32
	c := f.dial(func(ep *transport.Endpoint) { ep.Answered = func() { answered.Add(1) } })
	i := c.Info()
	if i.Protocol != transport.SFTP || i.Addr != f.ln.Addr().String() || !strings.HasPrefix(i.Server, "SSH-2.0-") || i.RoundTrip <= 0 ||
		!i.Caps.ReplaceOnRename || !i.Caps.Truncate || !i.Caps.SetTime || !i.Caps.ExactTimes || i.Caps.WriteWindow < largestPacket {
		t.Errorf("%+v", i)
	}
	if s := i.Security; s.Version != "SSH 2.0" || s.KeyExchange != "mlkem768x25519-sha256" || !s.PostQuantum ||
		s.Cipher != "aes128-gcm@openssh.com" || s.HostKey != f.key.Fingerprint() || !s.CertificateExpiry.IsZero() {
		t.Errorf("%+v", s)
	}
	if answered.Load() != 1 {
		t.Error("Answered called", answered.Load(), "times")
	}
}

// TestUsableWithoutCalls: a connection that the server ends while it is idle
// is known to be gone.
func TestUsableWithoutCalls(t *testing.T) {
	f := newFake(t, nil)
	c := f.dial(nil)
	if !c.Usable() {
		t.Fatal("not usable")
	}
	f.cut()
	for begin := time.Now(); c.Usable(); time.Sleep(time.Millisecond) {
		if time.Since(begin) > 2*time.Second {
			t.Fatal("still usable")
		}
	}
	te := wantKind(t, c.Ping(t.Context()), transport.KindLost)
	if te.MayHaveActed {
		t.Error("nothing was sent")
	}
}

func TestCloseTwiceAndAfter(t *testing.T) {
	f := newFake(t, nil)
	c := f.dial(nil)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil || c.Usable() {
		t.Fatal(err)
	}
	te := wantKind(t, c.Ping(t.Context()), transport.KindLost)
	if !errors.Is(te, errClosed) {
		t.Error(te)
	}
}

// TestRenameToItself: OpenSSH on Windows deletes the file.
func TestRenameToItself(t *testing.T) {
	f := newFake(t, nil)
	f.put("f", []byte("x"))
	c := f.dial(nil)
	if err := c.Rename(t.Context(), "f", "./f", true); err != nil || f.packets("EXTENDED")+f.packets("RENAME") != 0 {
		t.Error(err)
	}
}

func TestTraceHoldsNoSecret(t *testing.T) {
	f := newFake(t, nil)
	var lines []string
	c := f.dial(func(ep *transport.Endpoint) {
		ep.Trace = &transport.Trace{
			Command: func(_ context.Context, c transport.TraceCommand) { lines = append(lines, c.Line) },
			Reply: func(_ context.Context, r transport.TraceReply) {
				lines = append(lines, fmt.Sprint(r.Code, " ", r.Text))
			},
		}
	})
	_, _ = c.Stat(t.Context(), "none")
	got := strings.Join(lines, "\n")
	if strings.Contains(got, "password") || !strings.Contains(got, "STAT none\n2 ") {
		t.Error(got)
	}
}
