//go:build linux && realserver

package realserver_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// modes lists what each FTP server can do.
var modes = []struct {
	kind   realserver.Kind
	mode   realserver.TLSMode
	strict bool // demands TLS session reuse
}{
	{realserver.VSFTPD, realserver.TLSOff, false},
	{realserver.VSFTPD, realserver.TLSAllowed, false},
	{realserver.VSFTPD, realserver.TLSRequired, true},
	{realserver.VSFTPD, realserver.TLSImplicit, true},
	{realserver.ProFTPD, realserver.TLSOff, false},
	{realserver.ProFTPD, realserver.TLSAllowed, false},
	{realserver.ProFTPD, realserver.TLSRequired, true},
	{realserver.ProFTPD, realserver.TLSImplicit, true},
	{realserver.PureFTPd, realserver.TLSOff, false},
	{realserver.PureFTPd, realserver.TLSAllowed, false},
	{realserver.PureFTPd, realserver.TLSRequired, false},
}

func TestFTPServersInEveryMode(t *testing.T) {
	for _, m := range modes {
		t.Run(fmt.Sprintf("%s/%s", m.kind, m.mode), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: m.kind, TLS: m.mode, RequireReuse: m.strict})
			ftpRoundTrip(t, srv, clientTLS(srv, m.mode))

			if m.mode == realserver.TLSImplicit {
				return // a plain client would wait for a greeting until one side tires
			}
			plain, err := ftpLogin(t.Context(), srv, ftpTLS{mode: realserver.TLSOff})
			if err == nil {
				plain.Quit()
			}
			if open := m.mode == realserver.TLSOff || m.mode == realserver.TLSAllowed; open != (err == nil) {
				t.Errorf("plain login: %v; want success: %v", err, open)
			}
		})
	}
}

// TestReuseIsDemanded shows that RequireReuse reaches the server: a client
// without a session cache can log in, but not move data.
func TestReuseIsDemanded(t *testing.T) {
	for _, kind := range []realserver.Kind{realserver.VSFTPD, realserver.ProFTPD} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(fmt.Sprintf("%s/%s", kind, tls.VersionName(version)), func(t *testing.T) {
				srv := realtest.Start(t, realserver.Options{Kind: kind, TLS: realserver.TLSRequired, RequireReuse: true})
				client := clientTLS(srv, realserver.TLSRequired)
				client.config.MinVersion, client.config.MaxVersion = version, version
				for _, cache := range []bool{true, false} {
					if !cache {
						client.config.ClientSessionCache = nil
					}
					c, err := ftpLogin(t.Context(), srv, client)
					if err != nil {
						t.Fatal(err)
					}
					_, err = c.NameList(".")
					c.Quit()
					if cache != (err == nil) {
						t.Errorf("listing with session cache %v: %v", cache, err)
					}
				}
			})
		}
	}
}

// TestTLSVersionBounds shows which versions a server can be confined to.
func TestTLSVersionBounds(t *testing.T) {
	versions := []uint16{tls.VersionTLS12, tls.VersionTLS13}
	for _, kind := range realserver.FTPKinds() {
		for _, only := range versions {
			t.Run(fmt.Sprintf("%s/%s", kind, tls.VersionName(only)), func(t *testing.T) {
				srv := realtest.Start(t, realserver.Options{
					Kind: kind, TLS: realserver.TLSRequired, MinTLS: only, MaxTLS: only,
				})
				for _, offered := range versions {
					client := clientTLS(srv, realserver.TLSRequired)
					client.config.MinVersion, client.config.MaxVersion = offered, offered
					c, err := ftpLogin(t.Context(), srv, client)
					if err == nil {
						c.Quit()
					}
					if (offered == only) != (err == nil) {
						t.Errorf("client offers %s: %v", tls.VersionName(offered), err)
					}
				}
			})
		}
	}
}

func TestIPv6(t *testing.T) {
	for _, kind := range realserver.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: kind, Listen: "::1"})
			if kind == realserver.OpenSSH {
				sftpRoundTrip(t, srv, sshConfig(t, srv))
				return
			}
			ftpRoundTrip(t, srv, ftpTLS{})
		})
	}
}

func TestUnsupportedOptionsAreRefused(t *testing.T) {
	for _, opt := range []realserver.Options{
		{Kind: realserver.PureFTPd, TLS: realserver.TLSImplicit},
		{Kind: realserver.PureFTPd, TLS: realserver.TLSRequired, RequireReuse: true},
		{Kind: realserver.OpenSSH, TLS: realserver.TLSRequired},
		{Kind: realserver.VSFTPD, Digest: true},
		{Kind: realserver.ProFTPD, SSH: realserver.SSHOptions{MaxSessions: 1}},
	} {
		srv, err := realserver.Start(t.Context(), opt)
		if !errors.Is(err, realserver.ErrUnsupported) {
			t.Errorf("%+v: %v; want ErrUnsupported", opt, err)
		}
		if err == nil {
			srv.Close()
		}
	}
}
