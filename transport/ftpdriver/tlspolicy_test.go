package ftpdriver

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

var classicCurves = []tls.CurveID{tls.X25519, tls.CurveP256}

// TestPostQuantum: with a hybrid all goes well, data connections included;
// without one the login is never sent.
func TestPostQuantum(t *testing.T) {
	for _, p := range []transport.Protocol{transport.FTPS, transport.FTPSImplicit} {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			ep, _ := start(t, p, testserver.FTPOptions{RequireTLSReuse: true})
			ep.RequirePostQuantum = true
			c := dial(t, ep)
			if s := c.Info().Security; !s.PostQuantum || s.Version != "TLS 1.3" || !strings.Contains(s.KeyExchange, "MLKEM") || s.CertificateExpiry.IsZero() || s.HostKey == "" {
				t.Errorf("%+v", s)
			}
			data, got := random(100_000), bytes.Buffer{}
			if _, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), nil); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Retrieve(t.Context(), "f", 0, &got, nil); err != nil || !bytes.Equal(got.Bytes(), data) {
				t.Fatal(err)
			}

			for name, change := range map[string]func(*tls.Config){
				"curves":  func(c *tls.Config) { c.CurvePreferences = classicCurves },
				"TLS 1.2": func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
			} {
				config := serverTLS(t)
				change(config)
				ep, f := startFake(t, p, func(f *fake) { f.config = config })
				ep.RequirePostQuantum = true
				te := wantKind(t, refused(t, ep, f), transport.KindInsecure, 0)
				if !strings.Contains(te.Error(), "RequirePostQuantum") || te.Op != "handshake" {
					t.Error(name, te)
				}
				t.Log(te)
				ep.RequirePostQuantum = false
				if s := dial(t, ep).Info().Security; s.PostQuantum || s.MAC != "" {
					t.Errorf("%s: %+v", name, s)
				}
			}
		})
	}
}

// TestPostQuantumData: a data connection without a hybrid is refused, and carries
// nothing, although the control connection has one.
func TestPostQuantumData(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"STOR", "RETR"} {
		config := serverTLS(t)
		weak := config.Clone()
		weak.CurvePreferences = classicCurves
		got := make(chan int64, 1)
		ep, f := startFake(t, transport.FTPS, func(f *fake) {
			f.config = config
			f.on[verb] = func(s *session, _ string) string {
				s.say("150 ok")
				s.protect = false
				conn := tls.Server(s.accept(), weak)
				_, _ = conn.Write([]byte("not for you"))
				n, _ := io.Copy(io.Discard, conn)
				got <- n
				_ = conn.Close()
				return "426 cut off"
			}
		})
		ep.RequirePostQuantum = true
		c := dial(t, ep)
		var err error
		var out bytes.Buffer
		if verb == "STOR" {
			_, err = c.Store(t.Context(), "f", 0, strings.NewReader("secret"), nil)
		} else {
			_, err = c.Retrieve(t.Context(), "f", 0, &out, nil)
		}
		if err == nil || out.Len() > 0 || <-got > 0 || len(f.file("f")) > 0 {
			t.Error(verb, err, out.Len())
		}
		t.Log(err)
	}
}

// TestCheckHybrid: the second look, for a server that takes what was not offered.
func TestCheckHybrid(t *testing.T) {
	for _, id := range hybrids {
		if err := checkHybrid(tls.ConnectionState{Version: tls.VersionTLS13, CurveID: id}); err != nil {
			t.Error(err)
		}
	}
	for _, id := range append([]tls.CurveID{0}, classicCurves...) {
		err := checkHybrid(tls.ConnectionState{Version: tls.VersionTLS13, CurveID: id})
		var kinded *kindError
		if !errors.As(err, &kinded) || kinded.kind != transport.KindInsecure || !errors.Is(err, errNotHybrid) {
			t.Error(id, err)
		}
	}
	setup, err := newTLSSetup(&transport.Endpoint{Protocol: transport.FTPS, Host: "h", RequirePostQuantum: true})
	if err != nil {
		t.Fatal(err)
	}
	if setup.config.VerifyConnection(tls.ConnectionState{CurveID: tls.X25519}) == nil {
		t.Error("a data connection would not be looked at")
	}
}

func TestRefuseInClear(t *testing.T) {
	ep := &transport.Endpoint{Protocol: transport.FTP, RequirePostQuantum: true}
	if err := refuseInClear(ep); err == nil || !strings.Contains(err.Error(), "RequirePostQuantum") {
		t.Error(err)
	}
	ep.Protocol = transport.FTPS
	if err := refuseInClear(ep); err != nil {
		t.Error(err)
	}
	if err := refuseInClear(&transport.Endpoint{Protocol: transport.FTP}); err != nil {
		t.Error(err)
	}
}

// TestLegacyTLS: suites without AEAD or forward secrecy and versions before 1.2
// are refused with the way out, and taken when the caller insists.
func TestLegacyTLS(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*tls.Config)
		suite  string
	}{
		"CBC": {func(c *tls.Config) {
			c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}
		}, "CBC"},
		"TLS 1.0": {func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 }, "CBC"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := serverTLS(t)
			config.MaxVersion = tls.VersionTLS12
			c.change(config)
			ep, f := startFake(t, transport.FTPS, func(f *fake) { f.config = config })
			te := wantKind(t, refused(t, ep, f), transport.KindInsecure, 0)
			if !strings.Contains(te.Error(), "TLS.LegacyAlgorithms") {
				t.Error(te)
			}
			t.Log(te)
			ep.TLS.LegacyAlgorithms = true
			if s := dial(t, ep).Info().Security; !strings.Contains(s.Cipher, c.suite) {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestSuites(t *testing.T) {
	for _, id := range suites(false) {
		if n := tls.CipherSuiteName(id); !strings.HasPrefix(n, "TLS_ECDHE_") || !strings.Contains(n, "GCM") && !strings.Contains(n, "CHACHA20") {
			t.Error(n)
		}
	}
	if n := len(suites(false)); n != 6 {
		t.Error(n, "suites")
	}
	for _, id := range suites(true) {
		if n := tls.CipherSuiteName(id); strings.Contains(n, "RC4") || strings.Contains(n, "3DES") {
			t.Error(n)
		}
	}
}

func TestTLSVersionMistakes(t *testing.T) {
	for _, c := range []struct {
		ep   transport.Endpoint
		says string
	}{
		{transport.Endpoint{RequirePostQuantum: true, TLS: transport.TLS{Config: &tls.Config{MaxVersion: tls.VersionTLS12}}}, "RequirePostQuantum"},
		{transport.Endpoint{TLS: transport.TLS{Config: &tls.Config{MaxVersion: tls.VersionTLS11}}}, "LegacyAlgorithms"},
		{transport.Endpoint{TLS: transport.TLS{Config: &tls.Config{MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS12}}}, "MinVersion"},
	} {
		c.ep.Protocol, c.ep.Host = transport.FTPS, "127.0.0.1"
		_, err := Dial(t.Context(), &c.ep)
		if te := wantKind(t, err, transport.KindInvalid, 0); !strings.Contains(te.Error(), c.says) || !strings.Contains(te.Error(), "TLS.Config.MaxVersion") {
			t.Error(te)
		}
	}
}

// Plain FTP has no key exchange: with RequirePostQuantum nothing is dialled.
func TestPostQuantumRefusesPlainFTP(t *testing.T) {
	ep := &transport.Endpoint{Protocol: transport.FTP, Host: "127.0.0.1", Port: 1, RequirePostQuantum: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			t.Error("it was dialled")
			return nil, errors.New("refused")
		}}
	if _, err := Dial(t.Context(), ep); transport.KindOf(err) != transport.KindInvalid {
		t.Errorf("%v", err)
	}
}

// TestDataConnectionsOfferWhatWasChosen: keys are made for the one group that the server
// has chosen on the control connection. In TLS 1.2 the list also says on which curves a
// certificate may be, and an OpenSSL with one for ECDSA would have none to show.
func TestDataConnectionsOfferWhatWasChosen(t *testing.T) {
	for version, most := range map[uint16]int{tls.VersionTLS12: 9, tls.VersionTLS13: 1} {
		t.Run(tls.VersionName(version), func(t *testing.T) { offersOnData(t, version, most) })
	}
}

func offersOnData(t *testing.T, version uint16, most int) {
	var mu sync.Mutex
	var offered [][]tls.CurveID
	ep, _ := startFake(t, transport.FTPS, func(f *fake) {
		f.files["f"] = []byte("content")
		f.config = f.config.Clone()
		f.config.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256}
		f.config.MaxVersion = version
		f.config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			mu.Lock()
			defer mu.Unlock()
			offered = append(offered, slices.Clone(hello.SupportedCurves))
			return nil, nil
		}
	})
	c := dial(t, ep)
	if _, err := c.Retrieve(t.Context(), "f", 0, io.Discard, nil); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(offered) != 2 || len(offered[0]) < 2 || !slices.Contains(offered[1], tls.X25519) || len(offered[1]) != min(most, len(offered[0])) {
		t.Errorf("offered %v", offered)
	}
}
