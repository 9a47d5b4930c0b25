package ftpdriver

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// wantBroken expects a connection that fails without touching the socket.
func wantBroken(t *testing.T, c *tconn, f *fake) {
	t.Helper()
	if c.Usable() {
		t.Fatal("still usable")
	}
	before := len(f.got())
	wantKind(t, c.Ping(t.Context()), transport.KindLost, 0)
	_, err := c.Stat(t.Context(), "f")
	wantKind(t, err, transport.KindLost, 0)
	if len(f.got()) != before {
		t.Error("something was sent all the same")
	}
}

// RFC 959 allows other 2xx codes than the one that the library knows.
func TestLegalCodes(t *testing.T) {
	t.Parallel()
	with250 := func(verb string) func(*session, string) string {
		return func(s *session, arg string) string {
			if answer := defaults[verb](s, arg); !strings.HasPrefix(answer, "226") {
				return answer
			}
			return "250 Requested file action okay, completed."
		}
	}
	ep, _ := startFake(t, transport.FTP, func(f *fake) {
		f.on["STOR"], f.on["RETR"], f.on["LIST"] = with250("STOR"), with250("RETR"), with250("LIST")
		f.on["CWD"] = always("200 there")
		f.on["DELE"], f.on["RMD"], f.on["RNTO"], f.on["NOOP"] = always("200 gone"), always("257 gone"), always("200 moved"), always("250 yes")
		f.on["MKD"] = always("250-made\r\n250-it\r\n250 yes")
	})
	c := dial(t, ep)
	ctx := t.Context()
	_, err1 := c.Store(ctx, "f", 0, strings.NewReader("hello"), nil)
	var b strings.Builder
	_, err2 := c.Retrieve(ctx, "f", 0, &b, nil)
	err := errors.Join(err1, err2, c.Mkdir(ctx, "d"), c.Rmdir(ctx, "d"), c.Remove(ctx, "f"), c.Rename(ctx, "a", "b", true), c.Ping(ctx),
		c.List(ctx, ".", func(transport.Entry) bool { return true }))
	if err != nil || b.String() != "hello" || !c.Usable() {
		t.Error(b.String(), err)
	}
}

// 202 is "superfluous at this site": the folder is not there.
func Test202IsNotDone(t *testing.T) {
	t.Parallel()
	ep, _ := startFake(t, transport.FTP, func(f *fake) {
		f.on["MKD"], f.on["RNTO"] = always("202 superfluous"), always("202 superfluous")
		f.feat = []string{"MFMT"}
		f.on["MFMT"] = always("202 superfluous")
	})
	c := dial(t, ep)
	wantKind(t, c.Mkdir(t.Context(), "d"), transport.KindUnsupported, 202)
	wantKind(t, c.Rename(t.Context(), "a", "b", true), transport.KindUnsupported, 202)
	wantKind(t, c.Chtimes(t.Context(), "a", time.Now()), transport.KindUnsupported, 202)
}

// Trap 7: a reply too many, or one too few, and every later command would get the
// answer of the one before it.
func TestOffByOne(t *testing.T) {
	for name, tt := range map[string]struct {
		on   map[string]func(*session, string) string
		call func(ctx context.Context, c *tconn) error
		kind transport.Kind
		code int
	}{
		"two at once": {map[string]func(*session, string) string{"DELE": always("250 gone\r\n226 and more")},
			func(ctx context.Context, c *tconn) error { return c.Remove(ctx, "f") }, 0, 0},
		"garbage":         {map[string]func(*session, string) string{"DELE": always("?!")}, func(ctx context.Context, c *tconn) error { return c.Remove(ctx, "f") }, transport.KindProtocol, 0},
		"a 3xx":           {map[string]func(*session, string) string{"DELE": always("350 and?")}, func(ctx context.Context, c *tconn) error { return c.Remove(ctx, "f") }, transport.KindProtocol, 350},
		"of a transfer":   {map[string]func(*session, string) string{"DELE": always("426 aborted")}, func(ctx context.Context, c *tconn) error { return c.Remove(ctx, "f") }, transport.KindLost, 426},
		"of another":      {map[string]func(*session, string) string{"RNTO": always("150 ok\r\n150 ok")}, func(ctx context.Context, c *tconn) error { return c.Rename(ctx, "f", "g", true) }, transport.KindProtocol, 150},
		"endless line":    {map[string]func(*session, string) string{"DELE": always("250" + strings.Repeat("x", 5000))}, func(ctx context.Context, c *tconn) error { return c.Remove(ctx, "f") }, transport.KindProtocol, 0},
		"endless reply":   {map[string]func(*session, string) string{"DELE": always(strings.Repeat("250-x\r\n", 10_000))}, func(ctx context.Context, c *tconn) error { return c.Remove(ctx, "f") }, transport.KindProtocol, 0},
		"half a reply":    {map[string]func(*session, string) string{"DELE": func(s *session, _ string) string { _, _ = io.WriteString(s.conn, "250-a\r\n25"); return hangUp }}, func(ctx context.Context, c *tconn) error { return c.Remove(ctx, "f") }, transport.KindLost, 0},
		"421":             {map[string]func(*session, string) string{"DELE": always("421 Timeout.")}, func(ctx context.Context, c *tconn) error { return c.Remove(ctx, "f") }, transport.KindLost, 421},
		"session lost":    {map[string]func(*session, string) string{"DELE": always("530 Please login with USER and PASS.")}, func(ctx context.Context, c *tconn) error { return c.Remove(ctx, "f") }, transport.KindProtocol, 530},
		"at PWD":          {map[string]func(*session, string) string{"PWD": always("250 where?")}, func(ctx context.Context, c *tconn) error { _, err := c.Stat(ctx, "f"); return err }, transport.KindProtocol, 250},
		"SIZE is no size": {map[string]func(*session, string) string{"SIZE": always("213 20260102030405x")}, func(ctx context.Context, c *tconn) error { _, err := c.Stat(ctx, "f"); return err }, transport.KindProtocol, 213},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ep, f := startFake(t, transport.FTP, func(f *fake) {
				for verb, do := range tt.on {
					f.on[verb] = do
				}
			})
			c := dial(t, ep)
			err := tt.call(t.Context(), c)
			if tt.kind == 0 {
				if err != nil {
					t.Fatal(err)
				}
			} else if te := wantKind(t, err, tt.kind, tt.code); te.MayHaveActed != (tt.code == 0 || tt.code == 150) {
				t.Errorf("MayHaveActed is %v: %v", te.MayHaveActed, err)
			}
			wantBroken(t, c, f)
		})
	}
}

// An idle session that the server has ended says so at the next call.
func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	said := make(chan struct{})
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.on["NOOP"] = func(s *session, _ string) string {
			go func() { time.Sleep(20 * time.Millisecond); s.say("421 Timeout."); close(said) }()
			return "200 ok"
		}
	})
	c := dial(t, ep)
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-said
	time.Sleep(20 * time.Millisecond)
	te := wantKind(t, c.Remove(t.Context(), "f"), transport.KindLost, 421)
	if te.MayHaveActed {
		t.Error("it was answered by a 421")
	}
	wantBroken(t, c, f)
}

func TestMayHaveActed(t *testing.T) {
	for name, tt := range map[string]struct {
		verb  string
		call  func(ctx context.Context, c *tconn) error
		acted bool
	}{
		"RNTO": {"RNTO", func(ctx context.Context, c *tconn) error { return c.Rename(ctx, "a", "b", true) }, true},
		"DELE": {"DELE", func(ctx context.Context, c *tconn) error { return c.Remove(ctx, "a") }, true},
		"MKD":  {"MKD", func(ctx context.Context, c *tconn) error { return c.Mkdir(ctx, "a") }, true},
		"MFMT": {"MFMT", func(ctx context.Context, c *tconn) error { return c.Chtimes(ctx, "a", time.Now()) }, true},
		"SITE": {"SITE", func(ctx context.Context, c *tconn) error { _, _, err := c.Command(ctx, "SITE CHMOD 644 a"); return err }, true},
		"SIZE": {"SIZE", func(ctx context.Context, c *tconn) error { _, err := c.Stat(ctx, "a"); return err }, false},
		"NOOP": {"NOOP", func(ctx context.Context, c *tconn) error { return c.Ping(ctx) }, false},
		"STOR": {"STOR", func(ctx context.Context, c *tconn) error {
			_, err := c.Store(ctx, "a", 0, strings.NewReader("x"), nil)
			return err
		}, true},
	} {
		for how, answer := range map[string]string{"lost": hangUp, "silent": ""} {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				ep, f := startFake(t, transport.FTP, func(f *fake) {
					f.feat = []string{"MFMT"}
					f.on[tt.verb] = always(answer)
				})
				ep.Stall = 200 * time.Millisecond
				c := dial(t, ep)
				err := tt.call(t.Context(), c)
				var te *transport.Error
				if !errors.As(err, &te) || te.MayHaveActed != tt.acted || te.Op != tt.verb && tt.verb != "SIZE" {
					t.Fatalf("MayHaveActed %v: %v", te.MayHaveActed, err)
				}
				want := transport.KindLost
				if how == "silent" {
					want = transport.KindStalled
					if tt.verb == "STOR" {
						want = transport.KindLocked
					}
				}
				if te.Kind != want {
					t.Errorf("kind %q: %v", te.Kind, err)
				}
				wantBroken(t, c, f)
			})
		}
	}
}

// cutWriter passes on so much of a write, and then the connection is gone.
type cutWriter struct {
	net.Conn
	n int
}

func (w cutWriter) Write(p []byte) (int, error) {
	n, _ := w.Conn.Write(p[:min(w.n, len(p))])
	return n, syscall.ECONNRESET
}

// TestLostWithinACommand: a command of which a part has left may have acted, since the
// kernel may have taken more than it says.
func TestLostWithinACommand(t *testing.T) {
	for _, n := range []int{0, 3} {
		ep, _ := startFake(t, transport.FTP, nil)
		c := dial(t, ep)
		c.ctl.conn = cutWriter{c.ctl.conn, n}
		err := c.Remove(t.Context(), "a")
		var te *transport.Error
		if !errors.As(err, &te) || te.Kind != transport.KindLost || te.MayHaveActed != (n > 0) || c.Usable() {
			t.Errorf("%d bytes have left: %+v", n, err)
		}
	}
}

// TestTwoPreliminaryReplies: RFC 959 allows one. After a second it is not known whether a
// final one follows, so that the session is given up.
func TestTwoPreliminaryReplies(t *testing.T) {
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.files["f"] = []byte("hello")
		f.on["RETR"] = func(s *session, _ string) string {
			s.say("150 here it comes")
			if conn := s.accept(); conn != nil {
				_, _ = conn.Write([]byte("hello"))
				_ = conn.Close()
			}
			s.say("150 and there it was")
			return "226 done"
		}
	})
	c := dial(t, ep)
	_, _ = c.Retrieve(t.Context(), "f", 0, io.Discard, nil)
	wantBroken(t, c, f)
}

// RNFR refused and the connection lost before RNTO's 503: nothing has happened.
func TestRenameRefusedAndLost(t *testing.T) {
	t.Parallel()
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.on["RNFR"] = always("550 RNFR command failed.")
		f.on["RNTO"] = always(hangUp)
	})
	c := dial(t, ep)
	if te := wantKind(t, c.Rename(t.Context(), "a", "b", true), transport.KindNotExist, 550); te.MayHaveActed || te.Path != "a" {
		t.Error(te)
	}
	wantBroken(t, c, f)
}

func TestBadPaths(t *testing.T) {
	t.Parallel()
	ep, f := startFake(t, transport.FTP, nil)
	c := dial(t, ep)
	before := len(f.got())
	ctx := t.Context()
	for _, bad := range []string{"", "a\r\nDELE b", "a\nb", "a\x00"} {
		_, err1 := c.Stat(ctx, bad)
		_, err2 := c.Store(ctx, bad, 0, strings.NewReader(""), nil)
		_, err3 := c.Retrieve(ctx, bad, 0, io.Discard, nil)
		for i, err := range []error{err1, err2, err3, c.List(ctx, bad, nil), c.Rename(ctx, bad, "x", true), c.Rename(ctx, "x", bad, true),
			c.Remove(ctx, bad), c.Mkdir(ctx, bad), c.Rmdir(ctx, bad), c.Chtimes(ctx, bad, time.Now())} {
			if transport.KindOf(err) != transport.KindInvalid {
				// Chtimes may say that it is unsupported first.
				if i != 9 || transport.KindOf(err) != transport.KindUnsupported {
					t.Errorf("%d: %v", i, err)
				}
			}
		}
	}
	for _, bad := range []string{"", "NOOP\r\nDELE f", "NOOP\x00", "STOR f", "retr f", "TYPE A", "CWD /", "QUIT", "AUTH TLS", "PROT C", "REST 5", "RNFR f", strings.Repeat("x", 5000)} {
		_, _, err := c.Command(ctx, bad)
		wantKind(t, err, transport.KindInvalid, 0)
	}
	_, err := c.Store(ctx, "f", -1, strings.NewReader(""), nil)
	wantKind(t, err, transport.KindInvalid, 0)
	_, err = c.Retrieve(ctx, "f", -1, io.Discard, nil)
	wantKind(t, err, transport.KindInvalid, 0)
	if len(f.got()) != before || !c.Usable() {
		t.Errorf("sent %q", f.got()[before:])
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	l := &log{}
	ep, _ := startFake(t, transport.FTP, func(f *fake) {
		f.on["STAT"] = always("211-one\r\n two\r\n211 three")
		f.on["ACCT"] = always("230 ok")
	})
	ep.Trace = l.trace()
	c := dial(t, ep)
	code, text, err := c.Command(t.Context(), "STAT")
	if code != 211 || text != "one\n two\nthree" || err != nil {
		t.Error(code, text, err)
	}
	if code, _, err := c.Command(t.Context(), "SITE x"); code != 500 || err != nil || !c.Usable() {
		t.Error(code, err)
	}
	if _, _, err := c.Command(t.Context(), "ACCT secret-account"); err != nil || strings.Contains(l.String(), "secret-account") {
		t.Error(err, l)
	}
}

// A server that throws away what follows a line is found out at the price of one
// connection.
func TestSerialServer(t *testing.T) {
	t.Parallel()
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.on["RNFR"] = func(s *session, _ string) string {
			time.Sleep(20 * time.Millisecond)
			_, _ = s.r.Discard(s.r.Buffered())
			return "350 to?"
		}
	})
	ep.Stall = 300 * time.Millisecond
	c := dial(t, ep)
	te := wantKind(t, c.Rename(t.Context(), "a", "b", true), transport.KindStalled, 0)
	if !te.MayHaveActed {
		t.Error(te)
	}
	wantBroken(t, c, f)
	c = dial(t, ep)
	if err := c.Rename(t.Context(), "a", "b", true); err != nil {
		t.Error(err)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	for _, p := range protocols {
		ep, f := startFake(t, p, nil)
		c := dial(t, ep)
		if err := errors.Join(c.Close(), c.Close()); err != nil {
			t.Error(err)
		}
		wantKind(t, c.Ping(t.Context()), transport.KindLost, 0)
		for end := time.Now().Add(5 * time.Second); f.count("QUIT") != 1; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%v: no goodbye", p)
			}
		}
	}
}

// Close while another goroutine waits ends its call at once, and says no goodbye
// into the middle of it.
func TestCloseDuringACall(t *testing.T) {
	t.Parallel()
	for _, p := range protocols {
		asked := make(chan struct{}, 1)
		ep, f := startFake(t, p, func(f *fake) {
			f.on["NOOP"] = func(*session, string) string { asked <- struct{}{}; return "" }
		})
		c := dial(t, ep)
		done := make(chan error, 1)
		go func() { done <- c.Ping(context.Background()) }()
		<-asked
		begin := time.Now()
		_ = c.Close()
		wantKind(t, <-done, transport.KindLost, 0)
		if d := time.Since(begin); d > time.Second {
			t.Errorf("took %v", d)
		}
		if f.count("QUIT") != 0 {
			t.Error("QUIT in the middle of a call")
		}
	}
}

// Nobody reads at the other end: closing does not wait for it.
func TestCloseBlackhole(t *testing.T) {
	t.Parallel()
	client, server := net.Pipe()
	defer server.Close()
	go func() {
		_, _ = io.WriteString(server, "220 hi\r\n")
		lines := bufio.NewReader(server)
		for _, answer := range []string{"331 ?", "230 in", "211 none", "200 ok"} {
			_, _ = lines.ReadString('\n')
			_, _ = io.WriteString(server, answer+"\r\n")
		}
	}()
	ep := &transport.Endpoint{Protocol: transport.FTP, Host: "h", Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil }}
	c := dial(t, ep)
	begin := time.Now()
	_ = c.Close()
	if d := time.Since(begin); d > time.Second {
		t.Errorf("Close took %v", d)
	}
}

// A few servers throw away what comes with a line. One is found out at the price
// of one connection, and is then sent line by line.
func TestServerThatDropsWhatComesWithALine(t *testing.T) {
	for host, greeting := range map[string]string{"drops": "220 hi", "vsftpd": "220 (vsFTPd 3.0.3)", "proftpd": "220 ProFTPD Server"} {
		t.Run(host, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { dropping(t, host, greeting) }) })
	}
}

func dropping(t *testing.T, host, greeting string) {
	ep := &transport.Endpoint{Protocol: transport.FTP, Host: host, Learned: new(transport.Learned), Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			_, _ = io.WriteString(server, greeting+"\r\n")
			buf := make([]byte, 1000)
			for {
				n, err := server.Read(buf)
				if err != nil {
					return
				}
				answer := map[string]string{"USER": "331 ?", "PASS": "230 in", "FEAT": "211 none"}[verbOf(strings.TrimSpace(string(buf[:n])))]
				_, _ = io.WriteString(server, orElse(answer, "200 ok")+"\r\n")
			}
		}()
		return client, nil
	}}
	begin := time.Now()
	_, err := Dial(t.Context(), ep)
	wantKind(t, err, transport.KindLost, 0)
	if took := time.Since(begin); took > 2*batchTimeout {
		t.Errorf("it took %v to find out", took)
	}
	c := dial(t, ep)
	if !c.serial {
		t.Error("the host was not remembered")
	}
	_ = c.Close()
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// TestOneWaits: one call has the session, another waits for it, and a third is one too
// many; where a server takes one command at a time, the second is.
func TestOneWaits(t *testing.T) {
	t.Parallel()
	for _, serial := range []bool{false, true} {
		ep, _ := startFake(t, transport.FTP, func(f *fake) {
			f.on["CWD"] = always("250 ok")
			f.on["LIST"] = func(s *session, _ string) string { return s.send([]byte("-rw-r--r-- 1 a b 3 Jan 2 2026 f\r\n")) }
		})
		if serial {
			ep.Learned.Note(ep.Addr(), lacksPipelining, true)
		}
		c := dial(t, ep)
		if caps := c.Info().Caps; serial && caps.Overlap > 1 || !serial && (caps.Overlap != 2 || !caps.InTurn) {
			t.Errorf("%+v", caps)
		}
		var waits <-chan error
		err := c.List(t.Context(), ".", func(transport.Entry) bool {
			if !serial {
				var begin func() bool
				begin, waits = c.followed(t, &transport.Ping{})
				begin()
			}
			wantKind(t, c.Ping(t.Context()), transport.KindInvalid, 0)
			return true
		})
		if err != nil || !c.Usable() {
			t.Error(err)
		}
		if waits != nil {
			if err := <-waits; err != nil {
				t.Error(err)
			}
		}
	}
}

func TestCanceledBefore(t *testing.T) {
	t.Parallel()
	ep, f := startFake(t, transport.FTP, nil)
	c := dial(t, ep)
	why := errors.New("the program ends")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	before := len(f.got())
	err := c.Ping(ctx)
	wantKind(t, err, transport.KindCanceled, 0)
	if !errors.Is(err, why) || !errors.Is(err, context.Canceled) || !c.Usable() || len(f.got()) != before {
		t.Error(err)
	}
}
