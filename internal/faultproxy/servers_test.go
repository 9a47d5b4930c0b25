package faultproxy_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/jlaffaye/ftp"
	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// line is a set of embedded servers behind a proxy.
type line struct {
	proxy           *faultproxy.Proxy
	ports           *faultproxy.PassivePorts
	trio            *testserver.Trio
	ftp, ftps, sftp *faultproxy.Route
	root            string
}

func newLine(t *testing.T) *line {
	t.Helper()
	l := &line{proxy: faultproxy.New(faultproxy.Options{Seed: 1}), root: t.TempDir()}
	l.ports = l.proxy.PassivePorts(faultproxy.PassiveOptions{})
	var err error
	l.trio, err = testserver.StartTrio(testserver.TrioOptions{Root: l.root, PassivePorts: l.ports})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(l.proxy.Close(), l.trio.Close()); err != nil {
			t.Error(err)
		}
	})
	l.ftp = newRoute(t, l.proxy, faultproxy.RouteOptions{Role: faultproxy.Control, Target: l.trio.FTP.Addr().String()})
	l.ftps = newRoute(t, l.proxy, faultproxy.RouteOptions{Role: faultproxy.Control, Target: l.trio.FTPS.Addr().String()})
	l.sftp = newRoute(t, l.proxy, faultproxy.RouteOptions{Role: faultproxy.SSH, Target: l.trio.SFTP.Addr().String()})
	return l
}

func (l *line) dialFTP(t *testing.T, route *faultproxy.Route, opts ...ftp.DialOption) *ftp.ServerConn {
	t.Helper()
	conn, err := ftp.Dial(route.Addr().String(), append(opts, ftp.DialWithTimeout(patience))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Quit() })
	if err := conn.Login(l.trio.User, l.trio.Password); err != nil {
		t.Fatal(err)
	}
	return conn
}

func (l *line) wantFile(t *testing.T, name string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(l.root, name))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s on disk: %d bytes, %v; want %d", name, len(got), err, len(want))
	}
}

func fetch(conn *ftp.ServerConn, name string) ([]byte, error) {
	response, err := conn.Retr(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(response)
	return data, errors.Join(err, response.Close())
}

func TestFTPThroughProxy(t *testing.T) {
	l := newLine(t)
	data := pattern(1 << 20)
	for name, tt := range map[string]struct {
		route  *faultproxy.Route
		option ftp.DialOption
	}{
		"plain":    {l.ftp, ftp.DialWithTimeout(patience)},
		"explicit": {l.ftp, ftp.DialWithExplicitTLS(l.trio.ClientTLS("127.0.0.1"))},
		"implicit": {l.ftps, ftp.DialWithTLS(l.trio.ClientTLS("127.0.0.1"))},
	} {
		t.Run(name, func(t *testing.T) {
			before := l.proxy.Stats(faultproxy.Data)
			conn := l.dialFTP(t, tt.route, tt.option)
			if err := conn.Stor("/"+name, bytes.NewReader(data)); err != nil {
				t.Fatal(err)
			}
			l.wantFile(t, name, data)
			if got, err := fetch(conn, "/"+name); err != nil || !bytes.Equal(got, data) {
				t.Errorf("RETR: %d bytes, %v", len(got), err)
			}
			after := l.proxy.Stats(faultproxy.Data)
			if after.Conns-before.Conns != 2 || after.Up-before.Up < 1<<20 || after.Down-before.Down < 1<<20 {
				t.Errorf("the data went another way: %+v, %+v", before, after)
			}
		})
	}
}

// Trap 1 of the server facts: a data connection that ends early and cleanly looks
// like success to a bare client, both ways.
func TestFTPDataFIN(t *testing.T) {
	l := newLine(t)
	conn := l.dialFTP(t, l.ftp)
	l.ports.SetPlan(faultproxy.Always(faultproxy.FINAt(faultproxy.Up, 40_000)))
	if err := conn.Stor("/a", bytes.NewReader(pattern(102_400))); err != nil {
		t.Errorf("STOR: %v", err)
	}
	l.wantFile(t, "a", pattern(102_400)[:40_000])

	l.ports.SetPlan(faultproxy.Always(faultproxy.FINAt(faultproxy.Down, 10_000)))
	if got, err := fetch(conn, "/a"); err != nil || !bytes.Equal(got, pattern(10_000)) {
		t.Errorf("RETR: %d bytes, %v", len(got), err)
	}
}

func TestFTPDataReset(t *testing.T) {
	l := newLine(t)
	conn := l.dialFTP(t, l.ftp)
	l.ports.SetPlan(faultproxy.Nth(0, faultproxy.ResetAt(faultproxy.Up, 40_000)))
	if err := conn.Stor("/a", bytes.NewReader(pattern(10<<20))); err == nil {
		t.Error("a reset upload succeeded")
	}
	// The control connection survives, and the next data connection is whole.
	if err := conn.Stor("/a", bytes.NewReader(pattern(102_400))); err != nil {
		t.Fatal(err)
	}
	l.wantFile(t, "a", pattern(102_400))
}

// The server has the file and the client never hears of it, up and down, in clear
// and encrypted.
func TestFTPFinalReplyLost(t *testing.T) {
	data := pattern(200_000)
	for name, opts := range map[string]func(*line) []ftp.DialOption{
		"plain": func(*line) []ftp.DialOption { return nil },
		"TLS": func(l *line) []ftp.DialOption {
			return []ftp.DialOption{ftp.DialWithExplicitTLS(l.trio.ClientTLS("127.0.0.1"))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLine(t)
			l.ftp.SetPlan(faultproxy.Always(faultproxy.LoseReplyAtDataEnd(0, faultproxy.Reset)))
			conn := l.dialFTP(t, l.ftp, opts(l)...)
			if err := conn.Stor("/a", bytes.NewReader(data)); err == nil {
				t.Error("STOR: the final reply came")
			}
			l.wantFile(t, "a", data)

			// The second data connection this time: one reply has to come through.
			l.ftp.SetPlan(faultproxy.Always(faultproxy.LoseReplyAtDataEnd(1, faultproxy.Reset)))
			conn = l.dialFTP(t, l.ftp, opts(l)...)
			if got, err := fetch(conn, "/a"); err != nil || !bytes.Equal(got, data) {
				t.Errorf("first RETR: %d bytes, %v", len(got), err)
			}
			if got, err := fetch(conn, "/a"); err == nil || !bytes.Equal(got, data) {
				t.Errorf("second RETR: %d bytes, %v; want all and an error", len(got), err)
			}
		})
	}
}

func TestFTPControlCutDuringData(t *testing.T) {
	l := newLine(t)
	l.ftp.SetPlan(faultproxy.Always(faultproxy.CutDuringData(0, 100_000)))
	conn := l.dialFTP(t, l.ftp)
	if err := conn.Stor("/a", bytes.NewReader(pattern(20<<20))); err == nil {
		t.Error("STOR succeeded without a control connection")
	}
	if s := l.proxy.Stats(faultproxy.Control); s.Resets != 1 {
		t.Errorf("stats = %+v", s)
	}
}

func TestFTPTooManyThroughProxy(t *testing.T) {
	l := newLine(t)
	l.ftp.SetPlan(faultproxy.AtMost(1, faultproxy.TooManyConnections()))
	l.dialFTP(t, l.ftp)
	if _, err := ftp.Dial(l.ftp.Addr().String()); err == nil || !bytes.HasPrefix([]byte(err.Error()), []byte("421")) {
		t.Errorf("second connection: %v", err)
	}
}

// An announced port that nobody comes to closes by itself.
func TestPassivePortExpires(t *testing.T) {
	p := newProxy(t, faultproxy.Options{})
	ports := p.PassivePorts(faultproxy.PassiveOptions{Lifetime: 30 * time.Millisecond})
	exposed, listened, ok := ports.FetchNext()
	if !ok || exposed == listened {
		t.Fatalf("ports %d, %d, %v", exposed, listened, ok)
	}
	eventually(t, "the port is closed", func() bool {
		again, err := p.Route(faultproxy.RouteOptions{Listen: fmt.Sprintf("127.0.0.1:%d", exposed), Target: "127.0.0.1:1"})
		if err == nil {
			again.Refuse()
		}
		return err == nil
	})
}

func TestMirrorRange(t *testing.T) {
	if runtime.GOOS == "darwin" {
		t.Skip("127.0.0.2 is not configured on macOS")
	}
	p := newProxy(t, faultproxy.Options{})
	server, err := testserver.StartFTP(testserver.FTPOptions{Root: t.TempDir(), PassivePorts: mirrored{p, t}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	control := newRoute(t, p, faultproxy.RouteOptions{
		Role: faultproxy.Control, Listen: "127.0.0.2:0", Target: server.Addr().String(),
	})
	// EPSV names no address, so the client connects to 127.0.0.2.
	conn, err := ftp.Dial(control.Addr().String(), ftp.DialWithTimeout(patience))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Quit() })
	if err := conn.Login("user", "password"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Stor("/a", bytes.NewReader(pattern(1000))); err != nil {
		t.Fatal(err)
	}
	if s := p.Stats(faultproxy.Data); s.Conns != 1 || s.Up != 1000 {
		t.Errorf("the data went another way: %+v", s)
	}
	if _, err := p.MirrorRange("192.0.2.1", "127.0.0.1", 50000, 50001, nil); err == nil {
		t.Error("a range on an address that is not ours")
	}
}

// mirrored gives the server a port that the proxy mirrors. A server that listens
// on all addresses could not share its ports with the mirror, real ones listen on
// one (pasv_address); so this one is dialled on a mirror made afterwards.
type mirrored struct {
	p *faultproxy.Proxy
	t *testing.T
}

func (m mirrored) NumberAttempts() int { return 10 }

func (m mirrored) FetchNext() (exposed, listened int, ok bool) {
	_, listened, ok = m.p.PassivePorts(faultproxy.PassiveOptions{Lifetime: time.Millisecond}).FetchNext()
	if !ok {
		return 0, 0, false
	}
	r, err := m.p.Route(faultproxy.RouteOptions{
		Role: faultproxy.Data, Listen: "127.0.0.2:0", Target: fmt.Sprintf("127.0.0.1:%d", listened),
	})
	if err != nil {
		return 0, 0, false
	}
	return r.Port(), listened, true
}

func (l *line) dialSFTP(t *testing.T) (*sftp.Client, error) {
	t.Helper()
	conn, err := ssh.Dial("tcp", l.sftp.Addr().String(), &ssh.ClientConfig{
		User: l.trio.User, Auth: []ssh.AuthMethod{ssh.Password(l.trio.Password)},
		HostKeyCallback: ssh.FixedHostKey(l.trio.SFTP.HostKey()), Timeout: patience,
	})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	client, err := sftp.NewClient(conn)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = client.Close() })
	return client, nil
}

// A client that only tries again gets a file through a line that resets most
// connections; the offset at which it goes on is the server's.
func TestSFTPThroughResets(t *testing.T) {
	l := newLine(t)
	l.sftp.SetPlan(faultproxy.ResetRate(0.8, 5_000, 300_000))
	data := pattern(500_000)
	attempt := func() error {
		client, err := l.dialSFTP(t)
		if err != nil {
			return err
		}
		defer client.Close()
		f, err := client.OpenFile("/a", os.O_WRONLY|os.O_CREATE)
		if err != nil {
			return err
		}
		info, err := f.Stat()
		if err != nil {
			return err
		}
		_, err = f.WriteAt(data[info.Size():], info.Size())
		return errors.Join(err, f.Close())
	}
	tries := 1
	for attempt() != nil && tries < 50 {
		tries++
	}
	l.wantFile(t, "a", data)
	s := l.proxy.Stats(faultproxy.SSH)
	if s.Resets == 0 || int(s.Conns) != tries {
		t.Errorf("%d tries, stats = %+v: the line was too good", tries, s)
	}
}

func TestSFTPReplyLost(t *testing.T) {
	l := newLine(t)
	client, err := l.dialSFTP(t)
	if err != nil {
		t.Fatal(err)
	}
	shot := l.proxy.Arm(faultproxy.Target{Dir: faultproxy.Up},
		faultproxy.Fault{Kind: faultproxy.LoseReply, Then: faultproxy.Reset})
	if err := client.Mkdir("/made"); err == nil || !shot.Fired() {
		t.Errorf("mkdir = %v, fired %v", err, shot.Fired())
	}
	if _, err := os.Stat(filepath.Join(l.root, "made")); err != nil {
		t.Errorf("the server did not act: %v", err)
	}
}

// The proxy passes on session reuse: data connections of one control connection.
func TestFTPSReuseThroughProxy(t *testing.T) {
	l := newLine(t)
	config := l.trio.ClientTLS("127.0.0.1")
	config.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	conn := l.dialFTP(t, l.ftp, ftp.DialWithExplicitTLS(config))
	if err := conn.Stor("/a", bytes.NewReader(pattern(1000))); err != nil {
		t.Fatal(err)
	}
	l.wantFile(t, "a", pattern(1000))
}
