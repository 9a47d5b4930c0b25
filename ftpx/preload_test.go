package ftpx_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// encryptedKey writes a private key under the passphrase "open sesame".
func encryptedKey(t *testing.T) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// A passphrase that takes a minute to type is asked for before the protocols are
// raced, so that FTPS does not win for it.
func TestTypingAPassphraseIsNoSilence(t *testing.T) {
	key := encryptedKey(t)
	synctest.Test(t, func(t *testing.T) {
		asked, dials := 0, 0
		o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS}, SSH: transport.SSH{
			IdentityFiles: []string{key},
			Passphrase: func(string) (transport.Secret, error) {
				if asked++; dials > 0 {
					t.Error("the server was dialled before the passphrase was typed")
				}
				time.Sleep(time.Minute)
				return "open sesame", nil
			},
		}}
		s := memconn.New(memconn.Options{})
		ftpx.SetConnect(&o, func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
			dials++
			return s.Dial(ctx, ep)
		})
		var chosen ftpx.Protocol
		o.Hooks = &ftpx.Hooks{Protocol: func(_ context.Context, i ftpx.ProtocolInfo) {
			if i.Chosen {
				chosen = i.Protocol
			}
		}}
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if chosen != ftpx.SFTP || asked != 1 {
			t.Errorf("chose %v, asked %d times", chosen, asked)
		}
	})
}

func TestPostQuantumAndPlainFTPExcludeEachOther(t *testing.T) {
	o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP, ftpx.FTP}, AllowPlaintext: true, RequirePostQuantum: true}
	_, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
	if err == nil || !strings.Contains(err.Error(), "RequirePostQuantum") || transport.KindOf(err) != transport.KindInvalid {
		t.Errorf("%v", err)
	}
}

// RequirePostQuantum reaches the drivers, whichever protocol is spoken.
func TestPostQuantumReachesTheDrivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memconn.New(memconn.Options{})
		o := ftpx.Options{RequirePostQuantum: true}
		ftpx.SetConnect(&o, func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
			if !ep.RequirePostQuantum {
				t.Errorf("%v was dialled without it", ep.Protocol)
			}
			return s.Dial(ctx, ep)
		})
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	})
}
