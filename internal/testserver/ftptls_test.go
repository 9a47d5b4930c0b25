package testserver_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/jlaffaye/ftp"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

func TestFTPTLSModes(t *testing.T) {
	ca, err := pki.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.ServerFor("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	start := func(mode testserver.TLSMode) *testserver.FTPServer {
		return startFTP(t, testserver.FTPOptions{TLS: mode, TLSConfig: config})
	}
	client := func(version uint16) *tls.Config {
		return &tls.Config{
			RootCAs: ca.Pool(), ServerName: "127.0.0.1", MinVersion: version, MaxVersion: version,
			ClientSessionCache: tls.NewLRUClientSessionCache(0),
		}
	}
	roundTrip := func(t *testing.T, server *testserver.FTPServer, opts ...ftp.DialOption) {
		t.Helper()
		conn := dialFTP(t, server, opts...)
		if err := conn.Stor("/a", strings.NewReader("hello")); err != nil {
			t.Fatal(err)
		}
		if got := retrieve(t, conn, "/a"); string(got) != "hello" {
			t.Errorf("RETR = %q", got)
		}
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		name := tls.VersionName(version)
		t.Run("explicit "+name, func(t *testing.T) {
			roundTrip(t, start(testserver.ExplicitTLS), ftp.DialWithExplicitTLS(client(version)))
		})
		t.Run("required "+name, func(t *testing.T) {
			roundTrip(t, start(testserver.RequiredTLS), ftp.DialWithExplicitTLS(client(version)))
		})
		t.Run("implicit "+name, func(t *testing.T) {
			roundTrip(t, start(testserver.ImplicitTLS), ftp.DialWithTLS(client(version)))
		})
		t.Run("reuse "+name, func(t *testing.T) {
			server := startFTP(t, testserver.FTPOptions{
				TLS: testserver.ExplicitTLS, TLSConfig: config, RequireTLSReuse: true,
			})
			roundTrip(t, server, ftp.DialWithExplicitTLS(client(version)))
			without := client(version)
			without.ClientSessionCache = nil
			conn := dialFTP(t, server, ftp.DialWithExplicitTLS(without))
			if err := conn.Stor("/b", strings.NewReader("hello")); err == nil {
				t.Error("a data connection without session reuse was served")
			}
		})
	}
	t.Run("explicit allows plain", func(t *testing.T) { roundTrip(t, start(testserver.ExplicitTLS)) })
	t.Run("required refuses plain", func(t *testing.T) {
		conn, err := ftp.Dial(start(testserver.RequiredTLS).Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Quit()
		// jlaffaye/ftp drops the code of this reply.
		if err := conn.Login("user", "password"); err == nil || !strings.Contains(err.Error(), "must use encryption") {
			t.Errorf("login in clear: %v", err)
		}
	})
	t.Run("none refuses AUTH", func(t *testing.T) {
		_, err := ftp.Dial(start(testserver.NoTLS).Addr().String(), ftp.DialWithExplicitTLS(client(tls.VersionTLS13)))
		wantCode(t, "AUTH TLS", err, 500)
	})
	if _, err := testserver.StartFTP(testserver.FTPOptions{Root: t.TempDir(), TLS: testserver.ExplicitTLS}); err == nil {
		t.Error("TLS without a configuration: no error")
	}
}
