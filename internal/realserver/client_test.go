//go:build linux && realserver

package realserver_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jlaffaye/ftp"
	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// Bare clients, to show that the servers work without leaning on the project's
// own code.

// A ftpTLS is how the bare FTP client uses TLS.
type ftpTLS struct {
	mode   realserver.TLSMode
	config *tls.Config
}

// clientTLS returns what fits the server: its authority, a session cache of its
// own, and the name without which the cache would file sessions under the port.
// TLS 1.2 unless asked otherwise: the bare client closes TLS 1.3 data connections
// so that vsftpd loses the end of an upload.
func clientTLS(srv *realserver.Server, mode realserver.TLSMode) ftpTLS {
	return ftpTLS{mode, &tls.Config{
		RootCAs:            srv.CAPool(),
		ServerName:         srv.Host,
		MinVersion:         tls.VersionTLS12,
		MaxVersion:         tls.VersionTLS12,
		ClientSessionCache: tls.NewLRUClientSessionCache(8),
	}}
}

// ftpLogin connects and logs in.
func ftpLogin(ctx context.Context, srv *realserver.Server, t ftpTLS) (*ftp.ServerConn, error) {
	return ftpLoginAs(ctx, srv, t, srv.Password)
}

// ftpLoginAs is ftpLogin with a password of the caller's.
func ftpLoginAs(ctx context.Context, srv *realserver.Server, t ftpTLS, password string) (*ftp.ServerConn, error) {
	opts := []ftp.DialOption{ftp.DialWithContext(ctx), ftp.DialWithTimeout(10 * time.Second)}
	switch t.mode {
	case realserver.TLSAllowed, realserver.TLSRequired:
		opts = append(opts, ftp.DialWithExplicitTLS(t.config))
	case realserver.TLSImplicit:
		opts = append(opts, ftp.DialWithTLS(t.config))
	}
	c, err := ftp.Dial(srv.Addr(), opts...)
	if err != nil {
		return nil, err
	}
	if err := c.Login(srv.User, password); err != nil {
		c.Quit()
		return nil, err
	}
	return c, nil
}

// sshConfig logs in by password and trusts what the server's known_hosts says.
func sshConfig(t *testing.T, srv *realserver.Server) *ssh.ClientConfig {
	t.Helper()
	check, err := knownhosts.New(srv.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	return &ssh.ClientConfig{
		User:            srv.User,
		Auth:            []ssh.AuthMethod{ssh.Password(srv.Password)},
		HostKeyCallback: check,
		Timeout:         10 * time.Second,
	}
}

// roundTrip stores a file over c, checks it on the server's disk and fetches it.
func roundTrip(t *testing.T, srv *realserver.Server, put func(string, io.Reader) error, get func(string) ([]byte, error)) {
	t.Helper()
	want := make([]byte, 100<<10)
	rand.Read(want)
	if err := put("trip.bin", bytes.NewReader(want)); err != nil {
		t.Fatal("upload:", err)
	}
	onDisk, err := os.ReadFile(filepath.Join(srv.Root, "trip.bin"))
	if err != nil || !bytes.Equal(onDisk, want) {
		t.Fatalf("on the server's disk: %d bytes, %v; want the %d bytes sent", len(onDisk), err, len(want))
	}
	got, err := get("trip.bin")
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("download: %d bytes, %v; want the %d bytes sent", len(got), err, len(want))
	}
}

// ftpRoundTrip is roundTrip over FTP.
func ftpRoundTrip(t *testing.T, srv *realserver.Server, mode ftpTLS) {
	t.Helper()
	c, err := ftpLogin(t.Context(), srv, mode)
	if err != nil {
		t.Fatal("login:", err)
	}
	defer c.Quit()
	roundTrip(t, srv, c.Stor, func(name string) ([]byte, error) {
		r, err := c.Retr(name)
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(r)
		if closeErr := r.Close(); err == nil {
			err = closeErr
		}
		return data, err
	})
}

// sftpRoundTrip is roundTrip over SFTP.
func sftpRoundTrip(t *testing.T, srv *realserver.Server, config *ssh.ClientConfig) {
	t.Helper()
	conn, err := ssh.Dial("tcp", srv.Addr(), config)
	if err != nil {
		t.Fatal("login:", err)
	}
	defer conn.Close()
	c, err := sftp.NewClient(conn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	put := func(name string, r io.Reader) error {
		f, err := c.Create(name)
		if err != nil {
			return err
		}
		_, err = f.ReadFrom(r)
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		return err
	}
	get := func(name string) ([]byte, error) {
		f, err := c.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return io.ReadAll(f)
	}
	roundTrip(t, srv, put, get)
}
