//go:build linux && realserver

package realserver_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// selfSigned makes a certificate that is its own authority.
func selfSigned(t *testing.T, until time.Time) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "client"},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// TestCertificateFromOptions serves an expired certificate.
func TestCertificateFromOptions(t *testing.T) {
	for _, kind := range realserver.FTPKinds() {
		t.Run(string(kind), func(t *testing.T) {
			expired := selfSigned(t, time.Now().Add(-time.Hour))
			srv := realtest.Start(t, realserver.Options{
				Kind: kind, TLS: realserver.TLSRequired, Certificate: expired,
			})
			client := clientTLS(srv, realserver.TLSRequired)
			client.config.RootCAs = x509.NewCertPool()
			client.config.RootCAs.AddCert(expired.Leaf)
			c, err := ftpLogin(t.Context(), srv, client)
			if err == nil {
				c.Quit()
			}
			var invalid x509.CertificateInvalidError
			if !errors.As(err, &invalid) || invalid.Reason != x509.Expired {
				t.Errorf("%v; want a complaint about an expired certificate", err)
			}
		})
	}
}

// TestClientCertificateIsDemanded logs in with and without one.
func TestClientCertificateIsDemanded(t *testing.T) {
	for _, kind := range []realserver.Kind{realserver.VSFTPD, realserver.ProFTPD} {
		t.Run(string(kind), func(t *testing.T) {
			cert := selfSigned(t, time.Now().Add(time.Hour))
			file := filepath.Join(t.TempDir(), "clients.pem")
			text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
			srv := realtest.Start(t, realserver.Options{
				Kind: kind, TLS: realserver.TLSRequired, RequireReuse: true, ClientCAFile: file,
			})
			client := clientTLS(srv, realserver.TLSRequired)
			if c, err := ftpLogin(t.Context(), srv, client); err == nil {
				c.Quit()
				t.Error("a client without a certificate got in")
			}
			client.config.Certificates = []tls.Certificate{*cert}
			ftpRoundTrip(t, srv, client)
		})
	}
}
