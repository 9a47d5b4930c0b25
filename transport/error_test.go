package transport

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/textproto"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

func TestErrorText(t *testing.T) {
	cause := errors.New("550 a\r\nb\x1b[2J")
	e := &Error{Op: "STOR", Path: "d/\"f\n", Addr: "h:21", Protocol: FTP, Kind: KindPermission, Code: 550, Err: cause}
	want := "ftp h:21: STOR \"d/\\\"f\\n\" permission denied: 550 a\uFFFD b\uFFFD[2J"
	if e.Error() != want {
		t.Errorf("got  %q\nwant %q", e.Error(), want)
	}
	if got := (&Error{}).Error(); got != "unknown" {
		t.Errorf("the zero error says %q", got)
	}
	refused := &Error{Op: "login", Addr: "h:21", Protocol: FTP, Kind: KindAuth, Err: errors.New("530 no")}
	if got := refused.Error(); got != "ftp h:21: login refused: 530 no" {
		t.Errorf("said twice: %q", got)
	}
	if strings.ContainsAny((&Error{Op: "x", Err: errors.Join(io.EOF, io.EOF)}).Error(), "\n") {
		t.Error("joined errors break the line")
	}
}

func TestErrorIsAndAs(t *testing.T) {
	portable := map[error]Kind{fs.ErrNotExist: KindNotExist, fs.ErrExist: KindExist, fs.ErrPermission: KindPermission, errors.ErrUnsupported: KindUnsupported}
	for k := Kind(0); k < kindEnd; k++ {
		err := fmt.Errorf("upload: %w", &Error{Kind: k, Err: io.EOF})
		for target, want := range portable {
			if errors.Is(err, target) != (k == want) {
				t.Errorf("errors.Is(%q, %q) is %v", k, target, k != want)
			}
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("%q hides its cause", k)
		}
		if KindOf(err) != k {
			t.Errorf("KindOf finds %q, want %q", KindOf(err), k)
		}
	}
	var reply *textproto.Error
	if !errors.As(error(&Error{Err: &textproto.Error{Code: 553}}), &reply) || reply.Code != 553 {
		t.Error("errors.As does not find the reply")
	}
	if !errors.Is(&Error{Err: fmt.Errorf("%w (%w)", context.Canceled, net.ErrClosed)}, context.Canceled) {
		t.Error("errors.Is does not find the cancellation")
	}
	local := &LocalError{Writing: true, Err: syscall.ENOSPC}
	if !errors.Is(local, syscall.ENOSPC) || !strings.HasPrefix(local.Error(), "write destination: ") {
		t.Errorf("local error: %v", local)
	}
	if !strings.HasPrefix((&LocalError{Err: io.EOF}).Error(), "read source: ") {
		t.Error("a local error does not name its side")
	}
}

func TestEndpointFailTakesTheReplysData(t *testing.T) {
	ep := &Endpoint{Protocol: FTPS, Host: "h"}
	e := ep.Fail("login", "", KindBusy, fmt.Errorf("greeting: %w", &textproto.Error{Code: 421, Msg: "Try again in 7 seconds"}))
	if e.Code != 421 || e.RetryAfter != 7*time.Second || e.Addr != "h:21" || e.Protocol != FTPS {
		t.Errorf("%+v", e)
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "",
		"plain text, ä 日本":              "plain text, ä 日本",
		"line\r\n":                      "line",
		"a\nb\tc":                       "a b c",
		"\x1b[31mred":                   "\uFFFD[31mred",
		"a\rb":                          "a\uFFFDb",
		"\x00\x7f\u0085\u009b":          "\uFFFD\uFFFD\uFFFD\uFFFD",
		"bad \xff utf8":                 "bad \uFFFD utf8",
		"para\u2029sep\u2028":           "para\uFFFDsep\uFFFD",
		"txt.\u202eexe":                 "txt.\uFFFDexe",
		"\u2066isolate\u2069":           "\uFFFDisolate\uFFFD",
		"zero width joiner \u200d kept": "zero width joiner \u200d kept",
	} {
		if got := Printable(in); got != want {
			t.Errorf("Printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\x1b]0;title\x07")
	f.Fuzz(func(t *testing.T, s string) {
		p := Printable(s)
		if !utf8.ValidString(p) {
			t.Errorf("%q is not UTF-8", p)
		}
		for _, r := range p {
			if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
				t.Errorf("control character %U left in %q", r, p)
			}
		}
		if Printable(p) != p {
			t.Errorf("printing twice changes %q", p)
		}
	})
}

type knows struct{ error }

func (knows) FailureKind() Kind { return KindLocked }

func TestKindOf(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, Err: err}
	}
	read := func(err error) error { return &net.OpError{Op: "read", Net: "tcp", Err: err} }
	for _, tt := range []struct {
		name string
		err  error
		want Kind
	}{
		{"nil", nil, KindUnknown},
		{"anything", errors.New("x"), KindUnknown},
		{"own kind", fmt.Errorf("x: %w", knows{io.EOF}), KindLocked},
		{"first of a join", errors.Join(&Error{Kind: KindAuth}, &Error{Kind: KindLost}), KindAuth},
		{"reply", &textproto.Error{Code: 421, Msg: "bye"}, KindBusy},
		{"reply out of step", textproto.ProtocolError("short response: x"), KindProtocol},
		{"local", &LocalError{Err: io.ErrUnexpectedEOF}, KindLocal},
		{"local, cancelled by itself", &LocalError{Err: context.Canceled}, KindLocal},
		{"local file", &fs.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}, KindLocal},

		{"cancelled", fmt.Errorf("x: %w", context.Canceled), KindCanceled},
		{"deadline", context.DeadlineExceeded, KindCanceled},
		{"cancelled while a reply came", fmt.Errorf("%w (%w)", context.Canceled, &textproto.Error{Code: 426}), KindCanceled},
		{"stalled", fmt.Errorf("%w (%w)", ErrStalled, net.ErrClosed), KindStalled},
		{"stalled while a reply came", fmt.Errorf("%w (%w)", ErrStalled, &textproto.Error{Code: 426}), KindStalled},

		{"DNS, no such host", &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}, KindNoHost},
		{"DNS, no such host, dialled", dial(&net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}), KindNoHost},
		{"DNS, server failure", &net.DNSError{Err: "server misbehaving", Name: "x", IsTemporary: true}, KindUnreachable},
		{"DNS, timeout", &net.DNSError{Err: "i/o timeout", Name: "x", IsTimeout: true, UnwrapErr: context.DeadlineExceeded}, KindUnreachable},
		{"DNS, cancelled", &net.DNSError{Err: "operation was canceled", Name: "x", UnwrapErr: context.Canceled}, KindCanceled},
		{"refused", dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), KindUnreachable},
		{"no route", dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), KindUnreachable},
		{"network down", dial(os.NewSyscallError("connect", syscall.ENETDOWN)), KindUnreachable},
		{"SYN unanswered", dial(os.NewSyscallError("connect", syscall.ETIMEDOUT)), KindTimeout},

		{"EOF", io.EOF, KindLost},
		{"unexpected EOF", fmt.Errorf("ssh: handshake failed: %w", io.ErrUnexpectedEOF), KindLost},
		{"reset", read(os.NewSyscallError("read", syscall.ECONNRESET)), KindLost},
		{"broken pipe", read(os.NewSyscallError("write", syscall.EPIPE)), KindLost},
		{"TCP_USER_TIMEOUT", read(os.NewSyscallError("read", syscall.ETIMEDOUT)), KindLost},
		{"closed", read(net.ErrClosed), KindLost},
		{"pipe closed", io.ErrClosedPipe, KindLost},
		{"read deadline", read(os.ErrDeadlineExceeded), KindStalled},

		{"unknown authority", x509.UnknownAuthorityError{}, KindCertificate},
		{"wrong name", x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}, KindCertificate},
		{"expired", x509.CertificateInvalidError{Reason: x509.Expired}, KindCertificate},
		{"not verified", &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{}}, KindCertificate},
		{"not TLS from the start", tls.RecordHeaderError{Msg: "first record", Conn: &net.TCPConn{}}, KindNotOffered},
		{"not TLS later", tls.RecordHeaderError{Msg: "oversized record"}, KindProtocol},

		{"ssh login", errors.New("ssh: handshake failed: ssh: unable to authenticate, attempted methods [none password], no supported methods remain"), KindAuth},
		{"ssh guesses", errors.New(`ssh: handshake failed: ssh: disconnect, reason 2: "Too many authentication failures"`), KindAuth},
		{"ssh full", errors.New(`ssh: disconnect, reason 12: "Too many connections"`), KindBusy},
		{"ssh disconnect", errors.New(`ssh: disconnect, reason 11: "Bye"`), KindLost},
		{"ssh host key unknown", fmt.Errorf("ssh: handshake failed: %w", &knownhosts.KeyError{}), KindHostKey},
		{"ssh host key revoked", &knownhosts.RevokedError{}, KindHostKey},
		{"ssh algorithms", &ssh.AlgorithmNegotiationError{}, KindInsecure},
		{"ssh sessions", &ssh.OpenChannelError{Reason: ssh.ConnectionFailed, Message: "open failed"}, KindBusy},
		{"ssh forbidden", &ssh.OpenChannelError{Reason: ssh.Prohibited}, KindRefused},
	} {
		if got := KindOf(tt.err); got != tt.want {
			t.Errorf("%s (%v): %q, want %q", tt.name, tt.err, got, tt.want)
		}
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "h"}, DNSNames: []string{"h"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// handshake runs the peer on the other end of a pipe and returns the client's error.
func handshake(t *testing.T, client *tls.Config, peer func(net.Conn)) error {
	t.Helper()
	a, b := net.Pipe()
	done := make(chan struct{})
	go func() { defer close(done); defer b.Close(); peer(b) }()
	defer func() { a.Close(); <-done }()
	c := tls.Client(a, client)
	if err := c.Handshake(); err != nil {
		return err
	}
	_, err := bufio.NewReader(c).ReadByte()
	return err
}

func TestKindOfRealHandshakes(t *testing.T) {
	cert := selfSigned(t)
	server := func(c *tls.Config) func(net.Conn) {
		c.Certificates = []tls.Certificate{cert}
		return func(conn net.Conn) { _ = tls.Server(conn, c).Handshake() }
	}
	insecure := &tls.Config{InsecureSkipVerify: true}
	for _, tt := range []struct {
		name   string
		client *tls.Config
		peer   func(net.Conn)
		want   Kind
	}{
		{"untrusted", &tls.Config{ServerName: "h"}, server(&tls.Config{}), KindCertificate},
		{"plain FTP greeting", insecure, func(c net.Conn) {
			go func() { _, _ = io.Copy(io.Discard, c) }()
			_, _ = c.Write([]byte("220 ProFTPD Server ready.\r\n"))
		}, KindNotOffered},
		{"wants a client certificate, TLS 1.3", insecure, server(&tls.Config{ClientAuth: tls.RequireAnyClientCert}), KindAuth},
		// The alert of TLS 1.2 says no more than that the handshake failed.
		{"wants a client certificate, TLS 1.2", insecure, server(&tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}), KindInsecure},
		{"too old", &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}, server(&tls.Config{MaxVersion: tls.VersionTLS12}), KindInsecure},
		{"hangs up", insecure, func(net.Conn) {}, KindLost},
	} {
		if err := handshake(t, tt.client, tt.peer); KindOf(err) != tt.want {
			t.Errorf("%s: %v is %q, want %q", tt.name, err, KindOf(err), tt.want)
		}
	}
}
