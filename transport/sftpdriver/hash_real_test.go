//go:build linux && realserver

package sftpdriver

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// dialProFTPD starts a ProFTPD that speaks SFTP (mod_sftp).
func dialProFTPD(t *testing.T) (*client, *realserver.Server) {
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.PrivatePEM("", "")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "host_key")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	srv := realtest.Start(t, realserver.Options{Kind: realserver.ProFTPD, Extra: []string{
		"LoadModule mod_sftp.c", "SFTPEngine on", "SFTPHostKey " + file, "SFTPAuthMethods password"}})
	return dialReal(t, &transport.Endpoint{Protocol: transport.SFTP, Host: srv.Host, Port: srv.Port, User: srv.User,
		Password: transport.Secret(srv.Password), SSH: transport.SSH{HostKeyFingerprints: []string{key.Fingerprint()}}}), srv
}

// ProFTPD's mod_sftp hashes files on the server.
func TestRealCheckFile(t *testing.T) {
	c, _ := dialProFTPD(t)
	caps := c.Info().Caps
	if caps.HashRanges || !caps.HasHash("sha256") {
		t.Fatalf("%+v", caps)
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	if _, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), nil); err != nil {
		t.Fatal(err)
	}
	for _, algo := range caps.Hashes {
		for _, r := range [][2]int64{{0, -1}, {0, int64(len(data))}, {1000, int64(len(data)) - 1000}, {100_000, -1}} {
			part := data[r[0]:]
			if r[1] >= 0 {
				part = part[:r[1]]
			}
			var want []byte
			switch algo {
			case "sha512":
				s := sha512.Sum512(part)
				want = s[:]
			case "sha256":
				s := sha256.Sum256(part)
				want = s[:]
			case "sha1":
				s := sha1.Sum(part)
				want = s[:]
			case "md5":
				s := md5.Sum(part)
				want = s[:]
			}
			got, err := c.Hash(t.Context(), "f", algo, r[0], r[1])
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s of %v: %x, %v; want %x", algo, r, got, err, want)
			}
		}
	}
	// It answers with the digest to the end, whatever length is asked for.
	_, err := c.Hash(t.Context(), "f", "sha256", 1000, 70_000)
	if k := transport.KindOf(err); k != transport.KindUnsupported {
		t.Error(k, err)
	}
	_, err = c.Hash(t.Context(), "missing", "sha256", 0, 10)
	if k := transport.KindOf(err); k != transport.KindNotExist || !c.Usable() {
		t.Error(k, err)
	}
}
