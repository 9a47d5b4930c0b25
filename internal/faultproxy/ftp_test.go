package faultproxy_test

import (
	"bytes"
	"crypto/tls"
	"testing"

	"github.com/jlaffaye/ftp"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

func TestFTPThroughProxy(t *testing.T) {
	l := newLine(t)
	data := pattern(1 << 20)
	for name, tt := range map[string]struct {
		route  *faultproxy.Route
		option ftp.DialOption
	}{
		"plain":    {l.ftp, ftp.DialWithTimeout(waitLimit)},
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
