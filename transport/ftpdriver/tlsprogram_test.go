package ftpdriver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// What a program's own tls.Config says holds for control and data connections, and the
// program's value is not changed.
func TestProgramTLSConfig(t *testing.T) {
	client, err := ca().Client(pki.CertOptions{CommonName: "client"})
	if err != nil {
		t.Fatal(err)
	}
	var shown, verified, looked atomic.Int32
	var keys strings.Builder
	own := &tls.Config{
		RootCAs: ca().Pool(), ServerName: "example.org", MaxVersion: tls.VersionTLS12, NextProtos: []string{"ftp"}, KeyLogWriter: &keys,
		CipherSuites: []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			shown.Add(1)
			return &client, nil
		},
		VerifyConnection:      func(tls.ConnectionState) error { verified.Add(1); return nil },
		VerifyPeerCertificate: func([][]byte, [][]*x509.Certificate) error { looked.Add(1); return nil },
	}
	ep, f := startFake(t, transport.FTPS, func(f *fake) {
		cert, err := ca().ServerFor("example.org")
		if err != nil {
			t.Fatal(err)
		}
		f.config = &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca().Pool()}
	})
	ep.TLS = transport.TLS{Config: own}
	c := dial(t, ep)
	if s := c.Info().Security; s.Version != "TLS 1.2" || !strings.Contains(s.Cipher, "AES_256_GCM") {
		t.Errorf("%+v", s)
	}
	control := verified.Load()
	if _, err := c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil); err != nil || string(f.file("f")) != "x" {
		t.Error(err)
	}
	if control != 1 || verified.Load() != 2 || shown.Load() == 0 || looked.Load() == 0 {
		t.Errorf("verified %d times, then %d; certificate shown %d times; peer's looked at %d times", control, verified.Load(), shown.Load(), looked.Load())
	}
	if !strings.Contains(keys.String(), "CLIENT_RANDOM") {
		t.Error("KeyLogWriter was told nothing")
	}
	if own.ClientSessionCache != nil || own.MinVersion != 0 || own.DynamicRecordSizingDisabled {
		t.Errorf("changed: %+v", own)
	}
}

// A server that the program's own check does not trust gets no password, and no second try.
func TestProgramRefusesServer(t *testing.T) {
	no := errors.New("not in our list")
	for field, change := range map[string]func(*tls.Config){
		"VerifyConnection": func(c *tls.Config) { c.VerifyConnection = func(tls.ConnectionState) error { return no } },
		"VerifyPeerCertificate": func(c *tls.Config) {
			c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return no }
		},
	} {
		t.Run(field, func(t *testing.T) {
			ep, f := startFake(t, transport.FTPS, nil)
			change(ep.TLS.Config)
			te := wantKind(t, refused(t, ep, f), transport.KindCertificate, 0)
			if !errors.Is(te, no) || !strings.Contains(te.Error(), "TLS.Config."+field) {
				t.Error(te)
			}
			if f.count("USER") != 0 {
				t.Error("USER was sent")
			}
		})
	}
	// With every certificate accepted, the program's check still decides.
	ep, f := startFake(t, transport.FTPS, nil)
	ep.TLS = transport.TLS{InsecureSkipVerify: true, Config: &tls.Config{VerifyConnection: func(tls.ConnectionState) error { return no }}}
	wantKind(t, refused(t, ep, f), transport.KindCertificate, 0)
	ep.TLS.Config.VerifyConnection = nil
	dial(t, ep)
}

// Nothing that weakens the connection comes in by a tls.Config. The error names the field,
// and nothing is dialled.
func TestProgramTLSConfigRefused(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for field, tt := range map[string]struct {
		config *tls.Config
		change func(*transport.Endpoint)
		remedy string
	}{
		"InsecureSkipVerify":     {config: &tls.Config{InsecureSkipVerify: true}, remedy: "TLS.CAFile"},
		"ClientSessionCache":     {config: &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(1)}, remedy: "leave it nil"},
		"SessionTicketsDisabled": {config: &tls.Config{SessionTicketsDisabled: true}, remedy: "leave it false"},
		"Renegotiation":          {config: &tls.Config{Renegotiation: tls.RenegotiateOnceAsClient}, remedy: "leave it 0"},
		"NextProtos":             {config: &tls.Config{NextProtos: []string{"h2"}}, remedy: `use "ftp"`},
		"MaxVersion":             {config: &tls.Config{MaxVersion: tls.VersionTLS11}, remedy: "LegacyAlgorithms"},
		"CipherSuites":           {config: &tls.Config{CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}}, remedy: "LegacyAlgorithms"},
		"CipherSuites ":          {config: &tls.Config{CipherSuites: []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}}, remedy: "remove it", change: func(ep *transport.Endpoint) { ep.TLS.LegacyAlgorithms = true }},
		"CurvePreferences":       {config: &tls.Config{CurvePreferences: []tls.CurveID{tls.X25519}}, remedy: "X25519MLKEM768", change: func(ep *transport.Endpoint) { ep.RequirePostQuantum = true }},
	} {
		t.Run(field, func(t *testing.T) {
			ep, f := startFake(t, transport.FTPS, nil)
			ep.TLS = transport.TLS{Config: tt.config}
			if tt.change != nil {
				tt.change(ep)
			}
			te := wantKind(t, refused(t, ep, f), transport.KindInvalid, 0)
			if !strings.Contains(te.Error(), "TLS.Config."+strings.TrimSpace(field)+" ") || !strings.Contains(te.Error(), tt.remedy) {
				t.Error(te)
			}
			if n := len(f.inClear()); n != 0 {
				t.Error(n, "lines were sent")
			}
		})
	}
	for _, file := range []string{empty, empty + ".missing"} {
		ep, f := startFake(t, transport.FTPS, nil)
		ep.TLS.CAFile = file
		if te := wantKind(t, refused(t, ep, f), transport.KindInvalid, 0); !strings.Contains(te.Error(), "TLS.CAFile: ") {
			t.Error(te)
		}
	}
}

// With RequirePostQuantum a program's key exchanges are narrowed to those that qualify.
func TestProgramKeyExchanges(t *testing.T) {
	ep := &transport.Endpoint{Protocol: transport.FTPS, Host: "h", RequirePostQuantum: true,
		TLS: transport.TLS{Config: &tls.Config{CurvePreferences: []tls.CurveID{tls.X25519, tls.SecP256r1MLKEM768}}}}
	config, err := TLSConfig(ep)
	if err != nil {
		t.Fatal(err)
	}
	if len(config.CurvePreferences) != 1 || config.CurvePreferences[0] != tls.SecP256r1MLKEM768 || len(ep.TLS.Config.CurvePreferences) != 2 {
		t.Error(config.CurvePreferences, ep.TLS.Config.CurvePreferences)
	}
}
