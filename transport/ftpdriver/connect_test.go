package ftpdriver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// refused dials and expects no connection, no secret in the error, and nothing
// secret sent in clear where TLS was asked for.
func refused(t *testing.T, ep *transport.Endpoint, f *fake) error {
	t.Helper()
	ep.Password = "pa55word"
	c, err := Dial(t.Context(), ep)
	if err == nil {
		_ = c.Close()
		t.Fatal("connected")
	}
	if strings.Contains(err.Error(), "pa55word") {
		t.Errorf("the password is in the error: %v", err)
	}
	if f != nil && ep.Protocol.Secure() {
		for _, line := range f.inClear() {
			if v := verbOf(line); v == "USER" || v == "PASS" {
				t.Fatalf("%s was sent in clear", v)
			}
		}
	}
	return err
}

func TestGreeting(t *testing.T) {
	for name, tt := range map[string]struct {
		greeting string
		kind     transport.Kind
		code     int
	}{
		"SSH":                {"SSH-2.0-OpenSSH_9.2p1 Debian-2", transport.KindNotOffered, 0},
		"HTTP":               {"HTTP/1.1 400 Bad Request\r\nConnection: close", transport.KindNotOffered, 0},
		"SMTP looks like it": {"220 mail ESMTP", transport.KindProtocol, 250}, // a USER that is answered 250 is no FTP
		"garbage":            {"\x00\x01\x02\xff\xfe\n", transport.KindNotOffered, 0},
		"blank":              {"\r\n", transport.KindNotOffered, 0},
		"endless line":       {strings.Repeat("x", 1<<20), transport.KindNotOffered, 0},
		"endless reply":      {"220-a\r\n" + strings.Repeat("220-b\r\n", 20_000), transport.KindNotOffered, 0},
		"later":              {"120 Service ready in 002 minutes.", transport.KindBusy, 120},
		"busy":               {"421 There are too many connections from your internet address.", transport.KindBusy, 421},
		"busy 530":           {"530 Sorry, the maximum number of clients (1) from your host are already connected.", transport.KindBusy, 530},
		"busy Winsock":       {"10054 Too many connections", transport.KindBusy, 0},
		"child died":         {"500 OOPS: vsftpd: refusing to run", transport.KindTemporary, 500},
		"refused":            {"554 go away", transport.KindRefused, 554},
		"230":                {"230 already in", transport.KindProtocol, 230},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ep, f := startFake(t, transport.FTP, func(f *fake) {
				f.greeting = tt.greeting
				f.on["USER"] = always("250 hello")
			})
			err := refused(t, ep, f)
			te := wantKind(t, err, tt.kind, tt.code)
			if tt.code == 120 && te.RetryAfter != 2*time.Minute {
				t.Errorf("retry after %v", te.RetryAfter)
			}
		})
	}
}

func TestGreetingNever(t *testing.T) {
	t.Parallel()
	ep, f := startFake(t, transport.FTP, func(f *fake) { f.greeting = "" })
	ep.ConnectTimeout = 200 * time.Millisecond
	wantKind(t, refused(t, ep, f), transport.KindTimeout, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	ep.ConnectTimeout = 0
	begin := time.Now()
	_, err := Dial(ctx, ep)
	wantKind(t, err, transport.KindCanceled, 0)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 3*time.Second {
		t.Error(time.Since(begin), err)
	}
	cancel()
	_, err = Dial(ctx, ep)
	wantKind(t, err, transport.KindCanceled, 0)
}

// The budget is for all of connecting, not for each step.
func TestConnectBudget(t *testing.T) {
	t.Parallel()
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		for _, verb := range []string{"USER", "PASS", "FEAT", "TYPE"} {
			answer := defaults[verb]
			f.on[verb] = func(s *session, arg string) string { time.Sleep(150 * time.Millisecond); return answer(s, arg) }
		}
	})
	ep.ConnectTimeout = 400 * time.Millisecond
	wantKind(t, refused(t, ep, f), transport.KindTimeout, 0)
}

func TestDialNobody(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ep := endpoint(transport.FTP, l.Addr())
	l.Close()
	wantKind(t, refused(t, ep, nil), transport.KindUnreachable, 0)
	for _, bad := range []func(*transport.Endpoint){
		func(ep *transport.Endpoint) { ep.User = "a\r\nDELE b" },
		func(ep *transport.Endpoint) { ep.User = "a\x00" },
		func(ep *transport.Endpoint) { ep.Host = "" },
		func(ep *transport.Endpoint) { ep.Protocol = transport.SFTP },
		func(ep *transport.Endpoint) { ep.Port = 70000 },
		func(ep *transport.Endpoint) { ep.Protocol, ep.TLS.CAFile = transport.FTPS, "/no/such/file" },
		func(ep *transport.Endpoint) { ep.Protocol, ep.TLS.CAFile = transport.FTPS, os.DevNull },
	} {
		ep := *ep
		ep.Dial = func(context.Context, string, string) (net.Conn, error) {
			t.Error("dialled")
			return nil, net.ErrClosed
		}
		bad(&ep)
		wantKind(t, refused(t, &ep, nil), transport.KindInvalid, 0)
	}
	ep.Password = "a\n"
	_, err = Dial(t.Context(), ep)
	wantKind(t, err, transport.KindInvalid, 0)
}

// What an attacker on the way can do to AUTH TLS must never lead to a password
// in clear.
func TestAuthStripped(t *testing.T) {
	for name, tt := range map[string]struct {
		answer string
		kind   transport.Kind
		code   int
	}{
		"500":           {"500 AUTH not understood", transport.KindNotOffered, 500},
		"502":           {"502 Command not implemented.", transport.KindNotOffered, 502},
		"504":           {"504 This security scheme is not implemented", transport.KindNotOffered, 504},
		"530":           {"530 Please login with USER and PASS.", transport.KindNotOffered, 530},
		"534":           {"534 Request denied for policy reasons", transport.KindNotOffered, 534},
		"431":           {"431 Unable to accept security mechanism", transport.KindTemporary, 431},
		"421":           {"421 Too many connections (1) from this IP", transport.KindBusy, 421},
		"220":           {"220 ready", transport.KindProtocol, 220},
		"334":           {"334 ADAT=", transport.KindProtocol, 334},
		"closed":        {hangUp, transport.KindLost, 0},
		"injected":      {"234 go ahead\r\n230 logged in\r\n", transport.KindInsecure, 0},
		"half injected": {"234 go ahead\r\n2", transport.KindInsecure, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ep, f := startFake(t, transport.FTPS, func(f *fake) { f.on["AUTH"] = always(tt.answer) })
			wantKind(t, refused(t, ep, f), tt.kind, tt.code)
			if got := f.got(); len(got) != 1 {
				t.Errorf("sent %q", got)
			}
		})
	}
}

// Clear text where TLS should begin: after a 234 that is meddling or a fault,
// and never "not offered", which would let plain FTP have its turn.
func TestClearTextBehind234(t *testing.T) {
	t.Parallel()
	ep, f := startFake(t, transport.FTPS, func(f *fake) {
		f.on["AUTH"] = func(s *session, _ string) string {
			s.say("234 go ahead")
			_, _ = s.r.Peek(1) // the client has begun its handshake
			s.say("331 password, please")
			return hangUp
		}
	})
	wantKind(t, refused(t, ep, f), transport.KindProtocol, 0)
}

// TestOddFeatures: FEAT is over at a line that ends a reply, whichever 2xx it says, and
// none at all is none.
func TestOddFeatures(t *testing.T) {
	for answer, mlst := range map[string]bool{
		"221-Extensions supported:\r\n MLST type*;\r\n SIZE\r\n211 End": true,
		"211-Extensions supported:\r\n MLST type*;\r\n SIZE\r\n221 End": true,
		"211-Extensions supported:\r\n MLST type*;\r\n SIZE\r\n250 End": true,
		"211-Extensions\r\nMLST type*;\r\nSIZE\r\n211 End":              true,
		"211-Extensions\r\n211-MLST type*;\r\n211-SIZE\r\n211 End":      true,
		"211-Extensions\r\n\tMLST type*;\r\n\tSIZE\r\n211 End":          true,
		"211-Extensions\r\n mlst type*;\r\n size\r\n211 END":            true,
		"200-Extensions\r\n MLST type*;\r\n SIZE\r\n200 END":            true,
		"211 no features": false, "211-Features:\r\n211 End": false, "500 what?": false, "502 no": false, "530 Please login": false, "202 no": false, "550 no": false,
	} {
		for _, greeting := range []string{"220 fake", "220 ProFTPD Server (x) [::1]", "220 Microsoft FTP Service"} {
			for _, p := range protocols {
				ep, f := startFake(t, p, func(f *fake) {
					f.greeting = greeting
					f.on["FEAT"] = always(answer)
					f.on["MLST"] = always("250-\r\n type=file;size=4; f\r\n250 End")
					f.files["f"] = []byte("file")
				})
				ep.ConnectTimeout = 5 * time.Second
				c := dial(t, ep)
				e, err := c.Stat(t.Context(), "f")
				if err != nil || e.Size != 4 || (f.count("MLST") > 0) != mlst {
					t.Errorf("%q: %+v, %v, %q", answer, e, err, f.got())
				}
			}
		}
	}
}

func TestProtectionRefused(t *testing.T) {
	for _, p := range []transport.Protocol{transport.FTPS, transport.FTPSImplicit} {
		for verb, answers := range map[string][]string{
			"PROT": {"536 PROT not supported.", "534 Request denied for policy reasons", "502 no", "431 not now", "202 superfluous"},
			"PBSZ": {"503 no", "500 what?"}, // and PROT as well
		} {
			for _, answer := range answers {
				ep, f := startFake(t, p, func(f *fake) {
					f.on["PROT"] = always(answer)
					f.on[verb] = always(answer)
				})
				var code int
				fmt.Sscan(answer, &code)
				wantKind(t, refused(t, ep, f), transport.KindInsecure, code)
			}
		}
	}
}

// TestProtectionAgreed: a size of buffers is nothing to TLS, whatever is said to PBSZ; what
// is said to PROT decides.
func TestProtectionAgreed(t *testing.T) {
	for _, p := range []transport.Protocol{transport.FTPS, transport.FTPSImplicit} {
		for verb, answers := range map[string][]string{
			"PBSZ": {"503 no", "500 what?", "501 no", "504 no", "202 superfluous", "220 PBSZ=0", "250 ok"},
			"PROT": {"234 Protection level is private", "250 ok"},
		} {
			for _, answer := range answers {
				for _, greeting := range []string{"220 fake", "220 ProFTPD Server (x) [::1]", "220 Microsoft FTP Service"} {
					ep, f := startFake(t, p, func(f *fake) {
						f.greeting = greeting
						agree := defaults[verb]
						f.on[verb] = func(s *session, arg string) string {
							if agree(s, arg); verb == "PBSZ" && s.protect {
								return "503 too late"
							}
							return answer
						}
					})
					c := dial(t, ep)
					if n, err := c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil); n != 1 || err != nil || len(f.inClear()) > 1 {
						t.Errorf("%s: %d, %v", answer, n, err)
					}
				}
			}
		}
	}
}

func TestLoginRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		user, pass string
		kind       transport.Kind
		code       int
		op         string
	}{
		"wrong password":     {"331 ?", "530 Login incorrect.", transport.KindAuth, 530, "PASS"},
		"echoes it":          {"331 ?", "530 pa55word is wrong", transport.KindAuth, 530, "PASS"},
		"full":               {"331 ?", "530 Sorry, the maximum number of clients (1) from your host are already connected.", transport.KindBusy, 530, "PASS"},
		"unknown user":       {"530 no such user", "", transport.KindAuth, 530, "USER"},
		"full at USER":       {"530 too many users", "", transport.KindBusy, 530, "USER"},
		"wants TLS":          {"530 Non-anonymous sessions must use encryption.", "", transport.KindAuth, 530, "USER"},
		"ProFTPD wants TLS":  {"550 SSL/TLS required on the control channel", "", transport.KindAuth, 550, "USER"},
		"account":            {"332 account?", "", transport.KindAuth, 332, "USER"},
		"account after PASS": {"331 ?", "332 account?", transport.KindAuth, 332, "PASS"},
		"asks again":         {"331 ?", "331 ?", transport.KindAuth, 331, "PASS"},
		"closing":            {"331 ?", "421 Service not available", transport.KindBusy, 421, "PASS"},
		"guesses":            {"331 ?", "421 Too many authentication failures", transport.KindAuth, 421, "PASS"},
		"gone":               {"331 ?", hangUp, transport.KindLost, 0, "login"},
		"makes no sense":     {"garbage", "", transport.KindProtocol, 0, "login"},
	} {
		for _, greeting := range []string{"220 fake", "220 (vsFTPd 3.0.3)", "220 ProFTPD Server (x) [::1]"} {
			t.Run(name+" "+greeting, func(t *testing.T) {
				t.Parallel()
				l := &log{}
				ep, f := startFake(t, transport.FTP, func(f *fake) {
					f.greeting = greeting
					f.on["USER"] = always(tt.user)
					f.on["PASS"] = always(tt.pass)
				})
				ep.Trace = l.trace()
				err := refused(t, ep, f)
				if te := wantKind(t, err, tt.kind, tt.code); te.Op != tt.op {
					t.Errorf("op %q: %v", te.Op, err)
				}
				if answer := orElse(tt.pass, tt.user); tt.code != 0 && tt.pass != "530 pa55word is wrong" && !strings.Contains(err.Error(), answer[4:]) {
					t.Errorf("%v, of %q", err, answer)
				}
				if strings.Contains(l.String(), "pa55word") {
					t.Errorf("the trace has the password:\n%s", l)
				}
				if tt.code == 332 && !strings.Contains(err.Error(), "ACCT") {
					t.Error(err)
				}
				if tt.user != "331 ?" && f.inTurns() != "USER" {
					t.Errorf("sent %q", f.inTurns())
				}
			})
		}
	}
}

// TestLoginTurns: vsftpd and ProFTPD are sent all that follows the password with it,
// unless they have thrown it away once, or a session that was given it.
func TestLoginTurns(t *testing.T) {
	for name, c := range map[string]struct {
		greeting     string
		on           map[string]string
		clear, under string // what is sent without TLS, and behind AUTH
		lost         string // the command at which the first session ends, or falls silent
	}{
		"vsftpd":           {greeting: "220 (vsFTPd 3.0.3)", clear: "USER, PASS FEAT TYPE PWD OPTS", under: "USER, PASS FEAT TYPE PBSZ PROT PWD OPTS"},
		"ProFTPD":          {greeting: "220 ProFTPD Server (x) [::1]", clear: "USER, PASS FEAT TYPE OPTS", under: "USER, PASS FEAT TYPE PBSZ PROT OPTS"},
		"another":          {greeting: "220 fake", clear: "USER, PASS, FEAT TYPE", under: "USER, PASS, FEAT TYPE PBSZ PROT"},
		"no password":      {greeting: "220 (vsFTPd 3.0.3)", on: map[string]string{"USER": "230 in"}, clear: "USER, FEAT TYPE PWD OPTS", under: "USER, FEAT TYPE PBSZ PROT PWD OPTS"},
		"hangs up":         {greeting: "220 (vsFTPd 3.0.3)", lost: "FEAT", clear: "USER, PASS, FEAT TYPE PWD OPTS", under: "USER, PASS, FEAT TYPE PBSZ PROT PWD OPTS"},
		"hangs up at once": {greeting: "220 (vsFTPd 3.0.3)", lost: "PASS", clear: "USER, PASS, FEAT TYPE PWD OPTS", under: "USER, PASS, FEAT TYPE PBSZ PROT PWD OPTS"},
	} {
		for _, p := range protocols {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				t.Parallel()
				ep, f := startFake(t, p, func(f *fake) {
					f.greeting = c.greeting
					for verb, answer := range c.on {
						f.on[verb] = always(answer)
					}
					if c.lost != "" {
						f.on[c.lost] = func(s *session, arg string) string {
							if f.count(c.lost) == 1 {
								return hangUp
							}
							return defaults[c.lost](s, arg)
						}
					}
				})
				if c.lost != "" {
					wantKind(t, refused(t, ep, f), transport.KindLost, 0)
					f.mu.Lock()
					f.turns = nil
					f.mu.Unlock()
				}
				dial(t, ep)
				want := c.clear
				if p.Secure() {
					want = c.under
				}
				if got := strings.TrimPrefix(f.inTurns(), "AUTH, "); got != want {
					t.Errorf("%q, want %q", got, want)
				}
			})
		}
	}
}

func TestLoginOddities(t *testing.T) {
	for name, on := range map[string]map[string]func(*session, string) string{
		"no password asked": {"USER": always("230 in")},
		"202 to PASS":       {"PASS": always("202 superfluous")},
		"no FEAT":           {"FEAT": always("502 no")},
		"FEAT of one line":  {"FEAT": always("211 none")},
		"UTF8 501":          {"FEAT": always("211-x\r\n UTF8\r\n211 end"), "OPTS": always("501 no")},
		"UTF8 202":          {"FEAT": always("211-x\r\n UTF8\r\n211 end"), "OPTS": always("202 always")},
		"UTF8 550":          {"FEAT": always("211-x\r\n UTF8\r\n211 end"), "OPTS": always("550 what?")},
		"greeting in lines": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, p := range protocols {
				ep, _ := startFake(t, p, func(f *fake) {
					for verb, do := range on {
						f.on[verb] = do
					}
					f.greeting = "220-\x1b[31mhello\r\n220-220 and\r\n 221 more\r\n220 welcome"
				})
				c := dial(t, ep)
				if err := c.Ping(t.Context()); err != nil {
					t.Error(err)
				}
				if s := c.Info().Server; !strings.Contains(s, "hello") || strings.Contains(s, "\x1b") {
					t.Errorf("server %q", s)
				}
			}
		})
	}
}

func TestAnonymous(t *testing.T) {
	t.Parallel()
	ep, f := startFake(t, transport.FTP, nil)
	ep.User, ep.Password = "", ""
	dial(t, ep)
	if got := f.got(); got[0] != "USER anonymous" || got[1] != "PASS anonymous@" {
		t.Errorf("%q", got)
	}
}

func TestImplicitToPlainPort(t *testing.T) {
	t.Parallel()
	ep, f := startFake(t, transport.FTP, nil)
	ep.Protocol = transport.FTPSImplicit
	wantKind(t, refused(t, ep, f), transport.KindNotOffered, 0)
}

func TestPlainToTLSPort(t *testing.T) {
	t.Parallel()
	ep, f := startFake(t, transport.FTPSImplicit, nil)
	ep.Protocol, ep.ConnectTimeout = transport.FTP, 300*time.Millisecond
	wantKind(t, refused(t, ep, f), transport.KindTimeout, 0)
}

func TestInfo(t *testing.T) {
	t.Parallel()
	ep, _ := start(t, transport.FTPS, testserver.FTPOptions{})
	info := dial(t, ep).Info()
	s := info.Security
	if s == nil || s.Version != "TLS 1.3" || !s.PostQuantum || s.KeyExchange != "X25519MLKEM768" || !strings.HasPrefix(s.HostKey, "SHA256:") ||
		s.CertificateExpiry.Before(time.Now()) || s.Cipher == "" {
		t.Errorf("%+v", s)
	}
	if info.Protocol != transport.FTPS || info.Addr != ep.Addr() || info.RoundTrip <= 0 || info.RoundTrip > time.Second || !info.Caps.SetTime || !info.Caps.ReplaceOnRename {
		t.Errorf("%+v", info)
	}
	ep, _ = start(t, transport.FTPS, testserver.FTPOptions{})
	ep.TLS.Config.MaxVersion = tls.VersionTLS12
	if s := dial(t, ep).Info().Security; s.Version != "TLS 1.2" || s.PostQuantum {
		t.Errorf("%+v", s)
	}
}

func TestCertificates(t *testing.T) {
	other, err := pki.NewCA("another")
	if err != nil {
		t.Fatal(err)
	}
	config := func(cert tls.Certificate, err error) *tls.Config {
		if err != nil {
			t.Fatal(err)
		}
		return &tls.Config{Certificates: []tls.Certificate{cert}}
	}
	caFile := filepath.Join(t.TempDir(), "ca.pem")
	if err := ca().WritePEM(caFile); err != nil {
		t.Fatal(err)
	}
	good := serverTLS(t)
	pin := keyHash(good.Certificates[0].Leaf)
	for name, tt := range map[string]struct {
		server *tls.Config
		change func(o *transport.TLS)
		remedy string // "" for success
	}{
		"good":           {good, nil, ""},
		"CA file":        {good, func(o *transport.TLS) { o.Config.RootCAs, o.CAFile = nil, caFile }, ""},
		"CA file and":    {good, func(o *transport.TLS) { o.Config.RootCAs, o.CAFile = other.Pool(), caFile }, ""},
		"unknown":        {config(other.ServerFor("127.0.0.1")), nil, "CAFile"},
		"expired":        {config(ca().Expired("127.0.0.1")), nil, "expired at 20"},
		"other name":     {config(ca().ServerFor("example.org")), nil, "ServerName"},
		"named":          {config(ca().ServerFor("example.org")), func(o *transport.TLS) { o.Config.ServerName = "example.org" }, ""},
		"pinned":         {good, func(o *transport.TLS) { o.PinnedPublicKeys = []string{"SHA256:abc", pin} }, ""},
		"pinned, no pad": {good, func(o *transport.TLS) { o.PinnedPublicKeys = []string{strings.TrimRight(pin, "=")} }, ""},
		"other pin":      {good, func(o *transport.TLS) { o.PinnedPublicKeys = []string{"SHA256:abc"} }, "PinnedPublicKeys"},
		"pin is not enough": {config(other.ServerFor("127.0.0.1")), func(o *transport.TLS) {
			o.PinnedPublicKeys = []string{"SHA256:abc"}
		}, "CAFile"},
		"insecure":         {config(other.ServerFor("x")), func(o *transport.TLS) { o.InsecureSkipVerify = true }, ""},
		"insecure and pin": {good, func(o *transport.TLS) { o.InsecureSkipVerify = true; o.PinnedPublicKeys = []string{"SHA256:abc"} }, "PinnedPublicKeys"},
	} {
		for _, p := range []transport.Protocol{transport.FTPS, transport.FTPSImplicit} {
			t.Run(name+"/"+p.String(), func(t *testing.T) {
				t.Parallel()
				ep, f := startFake(t, p, func(f *fake) { f.config = tt.server })
				if tt.change != nil {
					tt.change(&ep.TLS)
				}
				if tt.remedy == "" {
					c := dial(t, ep)
					if _, err := c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil); err != nil || string(f.file("f")) != "x" {
						t.Error(err)
					}
					return
				}
				err := refused(t, ep, f)
				wantKind(t, err, transport.KindCertificate, 0)
				if !strings.Contains(err.Error(), tt.remedy) {
					t.Errorf("%v does not name %s", err, tt.remedy)
				}
				if n := f.count("USER"); n != 0 {
					t.Error("USER was sent")
				}
			})
		}
	}
}

// The data connection must show a certificate that verifies, too.
func TestDataCertificate(t *testing.T) {
	t.Parallel()
	other, err := pki.NewCA("another")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := other.ServerFor("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"STOR", "RETR", "MLSD"} {
		ep, f := startFake(t, transport.FTPS, func(f *fake) {
			f.feat = []string{"MLST type*;"}
			f.on[verb] = func(s *session, arg string) string {
				s.say("150 ok")
				s.protect = false
				conn := tls.Server(s.accept(), &tls.Config{Certificates: []tls.Certificate{cert}})
				_, _ = conn.Write([]byte("type=file; not for you\r\n"))
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
				return "426 cut off"
			}
		})
		c := dial(t, ep)
		switch verb {
		case "STOR":
			_, err = c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil)
		case "RETR":
			_, err = c.Retrieve(t.Context(), "f", 0, io.Discard, nil)
		case "MLSD":
			err = c.List(t.Context(), ".", func(e transport.Entry) bool { t.Error(e); return true })
		}
		wantKind(t, err, transport.KindCertificate, 426)
		if len(f.file("f")) > 0 {
			t.Error("data was sent")
		}
	}
}

func TestClientCertificate(t *testing.T) {
	client, err := ca().Client(pki.CertOptions{CommonName: "client"})
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := serverTLS(t)
		config.ClientAuth, config.ClientCAs, config.MaxVersion = tls.RequireAndVerifyClientCert, ca().Pool(), version
		ep, f := startFake(t, transport.FTPS, func(f *fake) { f.config = config })
		// Go's servers say "handshake failure" in TLS 1.2 and "certificate
		// required" in TLS 1.3.
		if k := transport.KindOf(refused(t, ep, f)); k != transport.KindAuth && k != transport.KindInsecure {
			t.Error(k)
		}
		ep.TLS.Config.Certificates = []tls.Certificate{client}
		c := dial(t, ep)
		if _, err := c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil); err != nil {
			t.Error(err)
		}
	}
}

func TestTLSVersion(t *testing.T) {
	t.Parallel()
	config := serverTLS(t)
	config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	ep, f := startFake(t, transport.FTPS, func(f *fake) { f.config = config })
	ep.TLS.Config.MinVersion = tls.VersionTLS10 // means 1.2 all the same
	wantKind(t, refused(t, ep, f), transport.KindInsecure, 0)
}

// Trap 12: a tunnel's address is no *net.TCPAddr, and data connections go
// through the same dial function to the endpoint's host.
func TestTunnel(t *testing.T) {
	for _, p := range protocols {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			ep, f := startFake(t, p, nil)
			port := ep.Port
			ep.Host, ep.Port, ep.TLS.Config.ServerName = "server.invalid", 2121, "127.0.0.1"
			ep.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				host, dialled, _ := net.SplitHostPort(addr)
				if host != "server.invalid" {
					t.Errorf("dialled %s", addr)
				}
				if dialled == "2121" {
					dialled = fmt.Sprint(port)
				}
				c, err := (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+dialled)
				return tunnel{c}, err
			}
			c := dial(t, ep)
			for range 3 {
				if _, err := c.Store(t.Context(), "f", 0, strings.NewReader("hello"), nil); err != nil || string(f.file("f")) != "hello" {
					t.Fatal(err)
				}
			}
			var b strings.Builder
			if _, err := c.Retrieve(t.Context(), "f", 0, &b, nil); err != nil || b.String() != "hello" {
				t.Fatal(b.String(), err)
			}
		})
	}
}

// tunnel hides TCP.
type tunnel struct{ conn net.Conn }

type tunnelAddr struct{}

func (tunnelAddr) Network() string { return "tunnel" }
func (tunnelAddr) String() string  { return "tunnel" }

func (t tunnel) Read(p []byte) (int, error)         { return t.conn.Read(p) }
func (t tunnel) Write(p []byte) (int, error)        { return t.conn.Write(p) }
func (t tunnel) Close() error                       { return t.conn.Close() }
func (t tunnel) LocalAddr() net.Addr                { return tunnelAddr{} }
func (t tunnel) RemoteAddr() net.Addr               { return tunnelAddr{} }
func (t tunnel) SetDeadline(d time.Time) error      { return t.conn.SetDeadline(d) }
func (t tunnel) SetReadDeadline(d time.Time) error  { return t.conn.SetReadDeadline(d) }
func (t tunnel) SetWriteDeadline(d time.Time) error { return t.conn.SetWriteDeadline(d) }

// A proxy's own address is a *net.TCPAddr and not the server's.
func TestProxyAddress(t *testing.T) {
	t.Parallel()
	ep, _ := startFake(t, transport.FTP, nil)
	port := ep.Port
	ep.Host, ep.Port = "server.invalid", 21
	ep.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if host, _, _ := net.SplitHostPort(addr); host != "server.invalid" {
			t.Errorf("dialled %s", addr)
		}
		dialled := addr[strings.LastIndexByte(addr, ':'):]
		if dialled == ":21" {
			dialled = fmt.Sprintf(":%d", port)
		}
		return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1"+dialled)
	}
	c := dial(t, ep)
	if _, err := c.Store(t.Context(), "f", 0, strings.NewReader("hello"), nil); err != nil {
		t.Fatal(err)
	}
}

func TestIPv6(t *testing.T) {
	ep, _ := start(t, transport.FTPS, testserver.FTPOptions{Addr: "[::1]:0", TLSConfig: serverTLS(t, "::1")})
	c := dial(t, ep)
	if _, err := c.Store(t.Context(), "f", 0, strings.NewReader("hello"), nil); err != nil {
		t.Fatal(err)
	}
}
