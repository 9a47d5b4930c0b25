package tunnel

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func newProxyCA(t *testing.T) *pki.CA {
	t.Helper()
	ca, err := pki.NewCA("proxies")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func startTLSProxy(t *testing.T, ca *pki.CA, p *testserver.ConnectProxy) string {
	t.Helper()
	cert, err := ca.ServerFor("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	return serveUntil(t, func(ctx context.Context, c net.Conn) {
		conn := tls.Server(c, config)
		defer conn.Close()
		p.Serve(ctx, conn)
	})
}

func tlsHop(t *testing.T, ca *pki.CA, addr string) Hop {
	t.Helper()
	h, err := ParseHop("https://user:" + secret + "@" + addr)
	if err != nil {
		t.Fatal(err)
	}
	if ca != nil {
		h.TLS = &tls.Config{RootCAs: ca.Pool()}
	}
	return h
}

func TestHTTPSProxy(t *testing.T) {
	ca := newProxyCA(t)
	proxy := startTLSProxy(t, ca, &testserver.ConnectProxy{User: "user", Password: secret})
	target := echo(t)
	tun := openHops(t, tlsHop(t, ca, proxy))
	roundTrip(t, mustDial(t, tun, target), strings.Repeat("x", 1<<20))
	// TLS within the tunnel of a jump host, and a jump host within TLS.
	j := startJump(t, "jumper", secret)
	roundTrip(t, mustDial(t, openHops(t, j.hop(), tlsHop(t, ca, proxy), j.hop()), target), strings.Repeat("x", 1<<20))

	fails(t, openHops(t, tlsHop(t, nil, proxy)), target, transport.KindCertificate)
	other := tlsHop(t, ca, proxy)
	other.TLS.ServerName = "proxy.example"
	fails(t, openHops(t, other), target, transport.KindCertificate, "proxy.example")
}

// A Close on a line that takes no more bytes must not hang on TLS's goodbye.
func TestHTTPSProxyCloseFreesReader(t *testing.T) {
	ca := newProxyCA(t)
	silent := serve(t, func(c net.Conn) { <-t.Context().Done() })
	conn := mustDial(t, openHops(t, tlsHop(t, ca, startTLSProxy(t, ca, &testserver.ConnectProxy{}))), silent)
	failed := make(chan error)
	go func() { _, err := conn.Read(make([]byte, 1)); failed <- err }()
	conn.Close()
	if err := <-failed; err != net.ErrClosed {
		t.Fatalf("Read under Close: %v", err)
	}
}
