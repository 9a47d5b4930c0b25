package pki_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
)

func newCA(t *testing.T) *pki.CA {
	t.Helper()
	ca, err := pki.NewCA("test authority")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// handshake runs one TLS handshake over loopback TCP and returns both sides'
// errors. A net.Pipe would not do: it has no buffer, and a client that sends an
// alert while the server still writes its flight would block both.
func handshake(t *testing.T, server, client *tls.Config) (clientErr, serverErr error) {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	done := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			done <- err
			return
		}
		defer conn.Close()
		// The client learns of a refused certificate in TLS 1.3 only when it
		// reads, so give it something to read.
		_, err = conn.Write([]byte("x"))
		done <- err
	}()
	raw, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	_ = raw.SetDeadline(time.Now().Add(10 * time.Second))
	conn := tls.Client(raw, client)
	clientErr = conn.Handshake()
	if clientErr == nil {
		_, clientErr = conn.Read(make([]byte, 1))
	}
	return clientErr, <-done
}

func TestServerCertificate(t *testing.T) {
	ca, other := newCA(t), newCA(t)
	good, err := ca.ServerFor("ftp.example.test", "127.0.0.1", "::1")
	if err != nil {
		t.Fatal(err)
	}
	expired, err := ca.Expired("ftp.example.test")
	if err != nil {
		t.Fatal(err)
	}
	future, err := ca.Server(pki.CertOptions{
		Hosts:     []string{"ftp.example.test"},
		NotBefore: time.Now().Add(time.Hour),
		NotAfter:  time.Now().Add(2 * time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}

	tests := []struct {
		name    string
		cert    tls.Certificate
		pool    *x509.CertPool
		server  string
		wantErr any // pointer to the error type expected, nil for success
	}{
		{"name", good, ca.Pool(), "ftp.example.test", nil},
		{"IPv4", good, ca.Pool(), "127.0.0.1", nil},
		{"IPv6", good, ca.Pool(), "::1", nil},
		{"wrong name", good, ca.Pool(), "other.example.test", new(x509.HostnameError)},
		{"wrong IP", good, ca.Pool(), "127.0.0.2", new(x509.HostnameError)},
		{"unknown authority", good, other.Pool(), "ftp.example.test", new(x509.UnknownAuthorityError)},
		{"expired", expired, ca.Pool(), "ftp.example.test", new(x509.CertificateInvalidError)},
		{"not yet valid", future, ca.Pool(), "ftp.example.test", new(x509.CertificateInvalidError)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clientErr, _ := handshake(t,
				&tls.Config{Certificates: []tls.Certificate{tt.cert}},
				&tls.Config{RootCAs: tt.pool, ServerName: tt.server})
			if tt.wantErr == nil {
				if clientErr != nil {
					t.Fatalf("handshake: %v", clientErr)
				}
				return
			}
			if !errors.As(clientErr, tt.wantErr) {
				t.Fatalf("handshake error = %v, want a %T", clientErr, tt.wantErr)
			}
		})
	}
}

func TestClientCertificate(t *testing.T) {
	ca := newCA(t)
	server, err := ca.ServerFor("localhost")
	if err != nil {
		t.Fatal(err)
	}
	client, err := ca.Client(pki.CertOptions{CommonName: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{server},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    ca.Pool(),
	}

	clientErr, serverErr := handshake(t, config,
		&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", Certificates: []tls.Certificate{client}})
	if clientErr != nil || serverErr != nil {
		t.Fatalf("with a client certificate: client %v, server %v", clientErr, serverErr)
	}
	// A server certificate is no client certificate: the key usages differ.
	_, serverErr = handshake(t, config,
		&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", Certificates: []tls.Certificate{server}})
	if serverErr == nil {
		t.Fatal("server accepted a server certificate from a client")
	}
}

func TestWriteTLSFiles(t *testing.T) {
	ca := newCA(t)
	cert, err := ca.ServerFor("localhost")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	caPath, certPath := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem")
	keyPath, bothPath := filepath.Join(dir, "key.pem"), filepath.Join(dir, "both.pem")
	// An old key file that everyone can read must not lend its mode to the new one.
	if err := os.WriteFile(keyPath, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		ca.WritePEM(caPath),
		pki.WriteKeyPair(cert, certPath, keyPath),
		pki.WriteCombined(cert, bothPath),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tls.LoadX509KeyPair(certPath, keyPath); err != nil {
		t.Errorf("key pair: %v", err)
	}
	if _, err := tls.LoadX509KeyPair(bothPath, bothPath); err != nil {
		t.Errorf("combined file: %v", err)
	}
	pem, err := os.ReadFile(caPath)
	if err != nil {
		t.Fatal(err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		t.Error("CA file holds no certificate")
	}
	wantPrivate(t, keyPath)
	wantPrivate(t, bothPath)
}

func wantPrivate(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %v, want 0600", filepath.Base(path), info.Mode().Perm())
	}
}

func TestPublicKeyPin(t *testing.T) {
	ca := newCA(t)
	a, err := ca.ServerFor("localhost")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ca.ServerFor("localhost")
	if err != nil {
		t.Fatal(err)
	}
	pinA, err := pki.PublicKeyPin(a)
	if err != nil {
		t.Fatal(err)
	}
	pinB, err := pki.PublicKeyPin(b)
	if err != nil {
		t.Fatal(err)
	}
	if pinA == pinB {
		t.Error("two keys have one pin")
	}
	if _, err := pki.PublicKeyPin(tls.Certificate{}); err == nil {
		t.Error("pin of a certificate without a key: no error")
	}
}
