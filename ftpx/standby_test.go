package ftpx_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestStandbyOfItsOwn: a standby may be another server altogether: port, user, password,
// host key, certificate and its name.
func TestStandbyOfItsOwn(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
		t.Run(p.String(), func(t *testing.T) {
			a, b := ftpxtest.NewServer(t, p), ftpxtest.NewServer(t, p)
			var mu sync.Mutex
			var seen []transport.Endpoint
			o := *a.Options()
			other := b.Options()
			trust := other.TLS
			trust.Config = trust.Config.Clone()
			trust.Config.ServerName = "localhost"
			o.Standbys = []ftpx.Standby{{Host: "127.0.0.1", Ports: other.Ports, User: b.User, Password: other.Password, SSH: &other.SSH, TLS: &trust}}
			connect := ftpx.DialDriver
			o.Connect = func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
				mu.Lock()
				seen = append(seen, *ep)
				mu.Unlock()
				return connect(ctx, ep)
			}
			c, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.1", User: a.User, Options: o})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			a.Down()
			if _, err := c.Put(t.Context(), "f", strings.NewReader("x"), nil); err != nil {
				t.Fatal(err)
			}
			wantFile(t, filepath.Join(b.Root, "f"), []byte("x"))
			last := seen[len(seen)-1]
			if last.User != b.User || last.TLS.Config.ServerName != "localhost" || last.SSH.Keyring == nil || last.Port != b.Port(p) {
				t.Errorf("%+v", last)
			}
			// Without its own trust the standby is not taken for the primary.
			o.Standbys[0].SSH, o.Standbys[0].TLS = nil, nil
			o.Retry = retry.Policy{MaxAttempts: 1}
			if c, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.1", User: a.User, Options: o}); err == nil || ftpx.KindOf(err) != ftpx.KindHostKey && ftpx.KindOf(err) != ftpx.KindCertificate {
				if err == nil {
					c.Close()
				}
				t.Errorf("a standby that nobody vouches for: %v", err)
			}
		})
	}
}

// TestStandbyCredentials: the password belongs to its user. A standby with a user of its own and
// no password, which logs in by key, is not shown that of the first host's.
func TestStandbyCredentials(t *testing.T) {
	for _, tt := range []struct {
		standby        ftpx.Standby
		user, password string
	}{
		{ftpx.Standby{}, "u", "first"},
		{ftpx.Standby{User: "v"}, "v", ""},
		{ftpx.Standby{Password: "second"}, "u", "second"},
		{ftpx.Standby{User: "v", Password: "second"}, "v", "second"},
	} {
		synctest.Test(t, func(t *testing.T) {
			tt.standby.Host = "b"
			var shown []string
			o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Password: "first", Standbys: []ftpx.Standby{tt.standby}}
			s := memconn.New(memconn.Options{})
			ftpx.SetConnect(&o, func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
				if ep.Host == "a" {
					return nil, &transport.Error{Op: "dial", Kind: transport.KindUnreachable, Err: errors.New("down")}
				}
				shown = append(shown, ep.User, ep.Password.Reveal())
				return s.Dial(ctx, ep)
			})
			c, err := ftpx.New(t.Context(), ftpx.Config{Host: "a", User: "u", Options: o})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if !slices.Equal(shown, []string{tt.user, tt.password}) {
				t.Errorf("%+v: shown %q", tt.standby, shown)
			}
		})
	}
}

// TestStandbyKeysAreRead: a standby's key file that is not there shows at once.
func TestStandbyKeysAreRead(t *testing.T) {
	s := ftpxtest.NewServer(t, ftpx.SFTP)
	o := s.Options()
	ssh := o.SSH
	ssh.IdentityFiles = []string{filepath.Join(t.TempDir(), "no-such-key")}
	o.Standbys = []ftpx.Standby{{Host: "standby.example.com", SSH: &ssh}}
	c, err := ftpx.Open(t.Context(), s.URL(), o)
	if err == nil {
		c.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "no-such-key") || !strings.Contains(err.Error(), "standby.example.com") {
		t.Errorf("%v", err)
	}
}

// TestBothHostsAreNamed: when no host works the error names each, and why, also those that
// the last attempt left to themselves.
func TestBothHostsAreNamed(t *testing.T) {
	onPair(t, func(_, _ *memconn.Options, o *ftpx.Options) { o.Retry.MaxAttempts = 3 }, func(t *testing.T, p *pair, _ bool) {
		for _, s := range []*memconn.Server{p.a, p.b} {
			s.SetDown(transport.KindUnreachable)
			s.Cut()
		}
		for range 3 { // the breakers open
			_, err := p.Stat(t.Context(), "f")
			var spent *retry.Error
			var hosts *ftpx.HostsError
			if !errors.As(err, &spent) || !errors.As(spent.Last(), &hosts) || len(hosts.Hosts) != 2 || len(hosts.Errs) != 2 {
				t.Errorf("%v", err)
			}
			if text := err.Error(); !strings.Contains(text, "a: ") || !strings.Contains(text, "b: ") || ftpx.KindOf(err) != ftpx.KindUnreachable {
				t.Errorf("%v (%v)", err, ftpx.KindOf(err))
			}
		}
	})
}
