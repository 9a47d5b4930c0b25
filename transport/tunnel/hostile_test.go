package tunnel

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// script is a server that sends answers, each after it has read something, and
// then ends the connection.
func script(t *testing.T, answers ...string) string {
	return serve(t, func(c net.Conn) {
		buf := make([]byte, 4096)
		for _, a := range answers {
			if _, err := c.Read(buf); err != nil {
				return
			}
			if _, err := io.WriteString(c, a); err != nil {
				return
			}
		}
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, c)
	})
}

func TestSOCKSAnswers(t *testing.T) {
	ok := "\x05\x00"
	for name, c := range map[string]struct {
		login   bool
		answers []string
		kind    transport.Kind
		words   string
	}{
		"nothing":              {answers: nil, kind: transport.KindLost},
		"truncated method":     {answers: []string{"\x05"}, kind: transport.KindLost},
		"SOCKS4":               {answers: []string{"\x00\x5a\x00\x00\x00\x00\x00\x00"}, kind: transport.KindRefused, words: "no SOCKS5 proxy"},
		"a web server":         {answers: []string{"HTTP/1.1 400 Bad Request\r\n\r\n"}, kind: transport.KindRefused, words: "http://"},
		"an SSH server":        {answers: []string{"SSH-2.0-OpenSSH\r\n"}, kind: transport.KindRefused},
		"wants a login":        {answers: []string{"\x05\xff"}, kind: transport.KindAuth, words: "user:password@"},
		"wants GSSAPI":         {login: true, answers: []string{"\x05\xff"}, kind: transport.KindAuth},
		"method not offered":   {answers: []string{"\x05\x02"}, kind: transport.KindProtocol},
		"login refused":        {login: true, answers: []string{"\x05\x02", "\x01\x01"}, kind: transport.KindAuth, words: `"user"`},
		"login cut":            {login: true, answers: []string{"\x05\x02", "\x01"}, kind: transport.KindLost},
		"login version":        {login: true, answers: []string{"\x05\x02", "\x05\x00"}, kind: transport.KindProtocol},
		"reply version":        {answers: []string{ok, "\x04\x00\x00\x01"}, kind: transport.KindRefused},
		"reply truncated":      {answers: []string{ok, "\x05\x00\x00"}, kind: transport.KindLost},
		"bound truncated":      {answers: []string{ok, "\x05\x00\x00\x03\xffabc"}, kind: transport.KindLost},
		"unknown address type": {answers: []string{ok, "\x05\x00\x00\x09abcdef"}, kind: transport.KindProtocol},
		"general failure":      {answers: []string{ok, "\x05\x01\x00\x01\x00\x00\x00\x00\x00\x00"}, kind: transport.KindTemporary},
		"forbidden":            {answers: []string{ok, "\x05\x02\x00\x01"}, kind: transport.KindRefused, words: "rules"},
		"no network":           {answers: []string{ok, "\x05\x03\x00\x01"}, kind: transport.KindUnreachable},
		"no host":              {answers: []string{ok, "\x05\x04\x00\x01"}, kind: transport.KindUnreachable},
		"refused":              {answers: []string{ok, "\x05\x05\x00\x01"}, kind: transport.KindUnreachable, words: "files.internal:21"},
		"expired":              {answers: []string{ok, "\x05\x06\x00\x01"}, kind: transport.KindUnreachable},
		"no CONNECT":           {answers: []string{ok, "\x05\x07\x00\x01"}, kind: transport.KindRefused},
		"address type":         {answers: []string{ok, "\x05\x08\x00\x01"}, kind: transport.KindRefused},
		"unknown code":         {answers: []string{ok, "\x05\x63\x00\x01"}, kind: transport.KindProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			who := ""
			if c.login {
				who = "user:" + secret + "@"
			}
			fails(t, open(t, "socks5://"+who+script(t, c.answers...)), "files.internal:21", c.kind, c.words, "socks5")
		})
	}
}

func TestCONNECTAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		kind   transport.Kind
		words  string
	}{
		"nothing":          {"", transport.KindLost, ""},
		"truncated":        {"HTTP/1.1 200 OK\r\nVia: x\r\n", transport.KindLost, ""},
		"HTTP/2":           {"HTTP/2 200 OK\r\n\r\n", transport.KindRefused, "no HTTP/1.1 proxy"},
		"SOCKS":            {"\x05\x00\x00\x01\x00\x00", transport.KindRefused, "no HTTP/1.1 proxy"},
		"an SSH server":    {"SSH-2.0-OpenSSH_9.2\r\n", transport.KindRefused, "SSH-2"},
		"no code":          {"HTTP/1.1 OK\r\n\r\n", transport.KindRefused, ""},
		"signed code":      {"HTTP/1.1 -20 OK\r\n\r\n", transport.KindRefused, ""},
		"code 099":         {"HTTP/1.1 099 OK\r\n\r\n", transport.KindRefused, ""},
		"huge header":      {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2*maxHeader) + "\r\n\r\n", transport.KindProtocol, "longer than"},
		"endless interims": {strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 2000), transport.KindProtocol, "longer than"},
		"upgrade":          {"HTTP/1.1 101 Switching\r\n\r\n", transport.KindProtocol, ""},
		"redirect":         {"HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n", transport.KindRefused, "302"},
		"forbidden":        {"HTTP/1.1 403 Forbidden\r\n\r\n", transport.KindRefused, "have its owner allow"},
		"method":           {"HTTP/1.0 405 No\r\n\r\n", transport.KindRefused, ""},
		"login":            {"HTTP/1.1 407 Auth\r\n\r\n", transport.KindAuth, `"user"`},
		"busy":             {"HTTP/1.1 429 Slow down\r\n\r\n", transport.KindBusy, ""},
		"failure":          {"HTTP/1.1 500 Oops\r\n\r\n", transport.KindTemporary, ""},
		"gateway":          {"HTTP/1.1 502 Bad Gateway\r\n\r\n", transport.KindUnreachable, "files.internal:21"},
		"Squid":            {"HTTP/1.1 503 Service Unavailable\r\n\r\n", transport.KindUnreachable, ""},
		"gateway timeout":  {"HTTP/1.1 504 \r\n\r\n", transport.KindUnreachable, ""},
		"terminal codes":   {"HTTP/1.1 403 \x1b[2J\r\n\r\n", transport.KindRefused, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := fails(t, open(t, "http://user:"+secret+"@"+script(t, c.answer)), "files.internal:21", c.kind, c.words, "http")
			if strings.ContainsRune(err.Error(), '\x1b') {
				t.Fatalf("a control character in %q", err)
			}
		})
	}
}

func TestBytesBehindTheHeader(t *testing.T) {
	const greeting = "220 hello\r\n331 who?\r\n"
	for name, head := range map[string]string{
		"plain": "HTTP/1.1 200 OK\r\n\r\n", "1.0": "HTTP/1.0 200\r\nVia: x\r\n\r\n", "bare LF": "HTTP/1.1 200 OK\n\n",
		"interim": "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 Fine\r\nA: b\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn := mustDial(t, open(t, "http://"+script(t, head+greeting)), "files.internal:21")
			defer conn.Close()
			got, err := io.ReadAll(conn)
			if err != nil || string(got) != greeting {
				t.Fatalf("%q, %v; want the greeting whole", got, err)
			}
		})
	}
	conn := mustDial(t, open(t, "socks5://"+script(t, "\x05\x00", "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x15"+greeting)), "files.internal:21")
	defer conn.Close()
	if got, err := io.ReadAll(conn); err != nil || string(got) != greeting {
		t.Fatalf("SOCKS5: %q, %v; want the greeting whole", got, err)
	}
}

func TestJumpRefusals(t *testing.T) {
	j := startJump(t, "jumper", secret)
	tun := openHops(t, j.hop())
	var refusedKind *ssh.OpenChannelError
	err := fails(t, tun, refused(t), transport.KindUnreachable, "cannot connect")
	if errors.As(err, &refusedKind) {
		t.Fatal("the SFTP driver would take the jump host's channel error for the server's")
	}
	for reason, kind := range map[ssh.RejectionReason]transport.Kind{
		ssh.Prohibited: transport.KindRefused, ssh.UnknownChannelType: transport.KindRefused, ssh.ResourceShortage: transport.KindBusy,
		ssh.RejectionReason(77): transport.KindRefused,
	} {
		j.reject.Store(&ssh.OpenChannelError{Reason: reason, Message: "administratively \x1b[2J" + strings.Repeat("x", 1000)})
		err := fails(t, tun, refused(t), kind)
		if strings.ContainsRune(err.Error(), '\x1b') || len(err.Error()) > 600 {
			t.Fatalf("the jump host's text goes through as it is: %q", err)
		}
	}
	j.reject.Store(nil)
	roundTrip(t, mustDial(t, tun, echo(t)), "a refusal does not end the connection")
	if n := j.handshakes.Load(); n != 1 {
		t.Fatalf("%d handshakes", n)
	}
}

// None of these may be of a kind that lets ftpx choose a weaker protocol.
func TestTroubleWithAHopIsNotTheServers(t *testing.T) {
	j := startJump(t, "jumper", secret)
	wrongKey, wrongPassword := j.hop(), j.hop()
	wrongKey.SSH.HostKeyFingerprints = []string{"SHA256:" + strings.Repeat("A", 43)}
	wrongPassword.Password = secret + "x"
	unknown := j.hop()
	unknown.SSH = transport.SSH{KnownHosts: []string{os.DevNull}}
	down, err := ParseHop("ssh://jumper:" + secret + "@" + refused(t))
	if err != nil {
		t.Fatal(err)
	}
	down.SSH.InsecureIgnoreHostKey = true
	notSSH := down
	_, port, _ := net.SplitHostPort(serve(t, func(c net.Conn) { _, _ = io.WriteString(c, "220 FTP\r\n"); _, _ = io.Copy(io.Discard, c) }))
	notSSH.Port = portOf(t, port)
	behind := j.hop()
	behind.Port = down.Port
	target := echo(t)
	for name, c := range map[string]struct {
		hops []Hop
		kind transport.Kind
	}{
		"host key changed":     {[]Hop{wrongKey}, transport.KindHostKey},
		"host key unknown":     {[]Hop{unknown}, transport.KindHostKey},
		"login refused":        {[]Hop{wrongPassword}, transport.KindAuth},
		"down":                 {[]Hop{down}, transport.KindTemporary},
		"no SSH":               {[]Hop{notSSH}, transport.KindRefused},
		"second down":          {[]Hop{j.hop(), behind}, transport.KindTemporary},
		"second key":           {[]Hop{j.hop(), wrongKey}, transport.KindHostKey},
		"proxy down":           {[]Hop{{Scheme: SOCKS5, Host: "127.0.0.1", Port: down.Port}}, transport.KindTemporary},
		"proxy is FTP":         {[]Hop{{Scheme: HTTPS, Host: "127.0.0.1", Port: notSSH.Port}}, transport.KindRefused},
		"proxy behind a proxy": {[]Hop{j.hop(), {Scheme: HTTP, Host: "127.0.0.1", Port: down.Port}}, transport.KindTemporary},
	} {
		t.Run(name, func(t *testing.T) {
			err := fails(t, openHops(t, c.hops...), target, c.kind)
			var ne *ssh.OpenChannelError
			if errors.As(err, &ne) || errors.Is(err, transport.ErrHostKeyUnknown) || errors.Is(err, transport.ErrHostKeyChanged) {
				t.Fatal("a type about another server in the chain")
			}
			// But for the key, which says whose it is.
			var key *transport.HostKeyError
			if errors.As(err, &key) != (c.kind == transport.KindHostKey) || key != nil && (!key.Jump || !strings.Contains(err.Error(), ": jump host: the host key of ")) {
				t.Errorf("%v: %+v", err, key)
			}
		})
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	started := make(chan struct{}, 1)
	// after is a server that answers so much, says so, and is silent.
	after := func(answers ...string) string {
		return serve(t, func(c net.Conn) {
			buf := make([]byte, 4096)
			for _, a := range answers {
				if _, err := c.Read(buf); err != nil {
					return
				}
				_, _ = io.WriteString(c, a)
			}
			// The request that gets no answer is here.
			_, _ = c.Read(buf)
			started <- struct{}{}
			_, _ = io.Copy(io.Discard, c)
		})
	}
	slow := startJump(t, "jumper", secret, func(j *jumpServer) { j.pause = make(chan struct{}); j.greeted = started })
	hung := startJump(t, "jumper", secret, func(j *jumpServer) { j.hung = started })
	hung.hang.Store(true)
	for name, hops := range map[string][]Hop{
		"SOCKS method":    {parsed(t, "socks5://"+after())},
		"SOCKS login":     {parsed(t, "socks5://u:p@"+after("\x05\x02"))},
		"SOCKS reply":     {parsed(t, "socks5://"+after("\x05\x00"))},
		"CONNECT answer":  {parsed(t, "http://"+after())},
		"TLS handshake":   {parsed(t, "https://"+after())},
		"SSH version":     {slow.hop()},
		"SSH channel":     {hung.hop()},
		"SSH behind":      {startJump(t, "jumper", secret).hop(), slow.hop()},
		"SOCKS behind it": {startJump(t, "jumper", secret).hop(), parsed(t, "socks5://"+after())},
	} {
		t.Run(name, func(t *testing.T) {
			tun := openHops(t, hops...)
			ctx, cancel := context.WithCancel(t.Context())
			failed := make(chan error)
			go func() {
				_, err := tun.Dial(ctx, "tcp", "files.internal:21")
				failed <- err
			}()
			<-started
			cancel()
			err := <-failed
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("%v is not context.Canceled", err)
			}
			wantKind(t, err, transport.KindCanceled)
		})
	}
}

func parsed(t *testing.T, url string) Hop {
	t.Helper()
	h, err := ParseHop(url)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// One dial that gives up does not take the handshake from another, and the last
// one ends it.
func TestHandshakeOutlivesOneOfItsDials(t *testing.T) {
	j := startJump(t, "jumper", secret, func(j *jumpServer) { j.pause = make(chan struct{}) })
	tun := openHops(t, j.hop())
	target := echo(t)
	ctx, cancel := context.WithCancel(t.Context())
	first, second := make(chan error), make(chan net.Conn)
	go func() { _, err := tun.Dial(ctx, "tcp", target); first <- err }()
	<-j.greeted
	go func() {
		conn, err := tun.Dial(context.WithoutCancel(ctx), "tcp", target)
		if err != nil {
			t.Error(err)
		}
		second <- conn
	}()
	for { // until the second waits too
		tun.jumps[0].mu.Lock()
		n := tun.jumps[0].now.waiters
		tun.jumps[0].mu.Unlock()
		if n == 2 {
			break
		}
		runtime.Gosched()
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	close(j.pause)
	if conn := <-second; conn != nil {
		roundTrip(t, conn, "hello")
	}
	if n := j.handshakes.Load(); n != 1 {
		t.Fatalf("%d handshakes", n)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		if runtime.GOOS != "linux" {
			t.Skipf("descriptors cannot be counted here: %v", err)
		}
		t.Fatal(err)
	}
	return len(names)
}

// goleak watches over goroutines at the end of the tests.
func TestNothingIsLeft(t *testing.T) {
	ca := newProxyCA(t)
	target, nobody := echo(t), refused(t)
	j := startJump(t, "jumper", secret)
	bad := j.hop()
	bad.Password = "wrong"
	hops := map[string][]Hop{
		"socks5":  {parsed(t, "socks5://"+startSOCKS(t, &testserver.SOCKSProxy{}))},
		"http":    {parsed(t, "http://"+startConnect(t, &testserver.ConnectProxy{}))},
		"https":   {tlsHop(t, ca, startTLSProxy(t, ca, &testserver.ConnectProxy{}))},
		"jumps":   {j.hop(), startJump(t, "jumper", secret).hop()},
		"refused": {bad},
	}
	before := descriptors(t)
	for name, h := range hops {
		tun, err := New(h...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			conn, err := tun.Dial(within(t), "tcp", target)
			if (err == nil) != (name != "refused") {
				t.Fatalf("%s: %v", name, err)
			}
			if err == nil && i%2 == 0 {
				roundTrip(t, conn, "x")
			} else if err == nil {
				conn.Close()
			}
			ctx, cancel := context.WithCancel(t.Context())
			if i%3 == 0 {
				cancel()
			}
			if _, err := tun.Dial(ctx, "tcp", nobody); err == nil {
				t.Fatalf("%s: a dial to nobody succeeded", name)
			}
			cancel()
		}
		if err := tun.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// The proxies close their sides when they see ours closed.
	for deadline := time.Now().Add(limit); ; runtime.Gosched() {
		n := descriptors(t)
		if n <= before {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors more than before", n-before)
		}
	}
}

func TestURLs(t *testing.T) {
	for url, want := range map[string]string{
		"socks5://h":                     "socks5://h:1080",
		"SOCKS5H://u:" + secret + "@h:1": "socks5://u@h:1",
		"http://[::1]/":                  "http://[::1]:80",
		"https://h":                      "https://h:443",
		"ssh://u:p%40%3A@h":              "ssh://u@h:22",
	} {
		h, err := ParseHop(url)
		if err != nil || h.String() != want {
			t.Errorf("%s: %v, %v; want %s", url, h, err, want)
		}
	}
	if h := parsed(t, "ssh://u:p%40%3A@h"); h.Password.Reveal() != "p@:" || h.SSH.Agent != "auto" {
		t.Errorf("%q, agent %q", h.Password.Reveal(), h.SSH.Agent)
	}
	for _, url := range []string{
		"", "h:1080", "ftp://u:" + secret + "@h", "socks4://h", "ssh://h", "ssh://:" + secret + "@h", "http://u:" + secret + "@h/path",
		"http://u:" + secret + "@h?q", "http://u:" + secret + "@h#f", "http://u:" + secret + "@", "http://u:" + secret + "@h:0", "http://u:" + secret + "@h:65536",
		"http://u:" + secret + "%zz@h", "http://a%3Ab:" + secret + "@h", "http://u:" + secret + "%0d%0aX@h", "socks5://u:" + secret + strings.Repeat("x", 255) + "@h",
		"http://u:" + secret + "@h\r\nX:y", "http://u:" + secret + "/@h",
	} {
		_, err := Parse(url)
		if err == nil {
			t.Errorf("%q was taken", url)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%q holds the password", err)
		}
	}
	if _, err := New(); err == nil {
		t.Error("a tunnel of nothing")
	}
}

func TestTargetsThatCannotBeSaid(t *testing.T) {
	tun := open(t, "http://"+refused(t))
	for _, address := range []string{"h", ":21", "h:", "h:0", "h:65536", "h\r\nX: y:21", "h h:21", "u@h:21", "h/x:21", strings.Repeat("x", 256) + ":21"} {
		fails(t, tun, address, transport.KindInvalid)
	}
	if _, err := tun.Dial(t.Context(), "udp", "h:21"); transport.KindOf(err) != transport.KindInvalid {
		t.Errorf("udp: %v", err)
	}
	fails(t, tun, "[fe80::1%eth0]:21", transport.KindInvalid)
	fails(t, open(t, "socks5://"+refused(t)), "[fe80::1%eth0]:21", transport.KindInvalid)
}

func FuzzSOCKSReply(f *testing.F) {
	f.Add([]byte("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00rest"))
	f.Add([]byte("\x05\x00\x00\x03\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		if err := socksReply(r); err == nil && (len(data) < 7 || data[0] != 5 || data[1] != 0) {
			t.Fatalf("%q was taken", data)
		}
		if used := len(data) - r.Len(); used > 4+1+255+2 {
			t.Fatalf("%d bytes read", used)
		}
	})
}

func FuzzCONNECTAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nVia: x\r\n\r\n220 hello"))
	f.Add([]byte("HTTP/1.1 100 Go on\n\nHTTP/1.0 200\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		err := (&connectHop{}).answer(r)
		used := data[:len(data)-r.Len()]
		if len(used) > maxHeader {
			t.Fatalf("%d bytes read", len(used))
		}
		if err == nil && (!bytes.Contains(used, []byte(" 2")) || !bytes.HasSuffix(used, []byte("\n\n")) && !bytes.HasSuffix(used, []byte("\r\n\r\n"))) {
			t.Fatalf("%q was taken", used)
		}
	})
}

func portOf(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
