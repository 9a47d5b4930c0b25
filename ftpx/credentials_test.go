package ftpx_test

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A password that was replaced is asked for once more, by however many
// connections notice it, and a wrong one is not tried a third time.
func TestCredentialsAreAskedAgainOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memconn.New(memconn.Options{Password: "new"})
		var asked atomic.Int32
		answer := atomic.Value{}
		answer.Store(ftpx.Secret("old"))
		o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Credentials: func(_ context.Context, r ftpx.CredentialRequest) (ftpx.Credential, error) {
			n := asked.Add(1)
			if (n == 1) != (r.Refused == nil) || r.Host != "h" || r.User != "u" {
				t.Errorf("asked for the %d. time: %+v", n, r)
			}
			if n > 1 {
				answer.Store(ftpx.Secret("new"))
			}
			return ftpx.Credential{Password: answer.Load().(ftpx.Secret)}, nil
		}}
		ftpx.SetConnect(&o, s.Dial)
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for i := range 20 {
			go func() {
				if _, err := c.Put(t.Context(), string(rune('a'+i)), bytes.NewReader(content(1000)), nil); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		if asked.Load() != 2 {
			t.Errorf("asked %d times, want 2", asked.Load())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := memconn.New(memconn.Options{Password: "new"})
		asked := 0
		o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Credentials: func(context.Context, ftpx.CredentialRequest) (ftpx.Credential, error) {
			asked++
			return ftpx.Credential{Password: "wrong"}, nil
		}}
		ftpx.SetConnect(&o, s.Dial)
		if _, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o}); transport.KindOf(err) != transport.KindAuth {
			t.Errorf("%v", err)
		}
		if asked != 2 || s.Stats().Dials != 2 {
			t.Errorf("asked %d times, dialled %d", asked, s.Stats().Dials)
		}
		no := errors.New("the vault is closed")
		o.Credentials = func(context.Context, ftpx.CredentialRequest) (ftpx.Credential, error) { return ftpx.Credential{}, no }
		if _, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o}); !errors.Is(err, no) || s.Stats().Dials != 2 {
			t.Errorf("%v, dialled %d", err, s.Stats().Dials)
		}
	})
}

// A limit holds over all transfers of a client together, and no more than so
// many are under way.
func TestLimitsOfAClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memconn.New(memconn.Options{})
		o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, MaxRate: 1 << 20, MaxTransfers: 2}
		ftpx.SetConnect(&o, s.Dial)
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		begin := time.Now()
		for i := range 6 {
			go func() {
				name := string(rune('a' + i))
				if _, err := c.Put(t.Context(), name, bytes.NewReader(content(1<<20)), nil); err != nil {
					t.Error(err)
				}
				var got bytes.Buffer
				if _, err := c.Get(t.Context(), name, &got, nil); err != nil || got.Len() != 1<<20 {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		time.Sleep(5900 * time.Millisecond)
		if open := s.Stats().MostOpen; open > 2 {
			t.Errorf("%d connections for two transfers at once", open)
		}
		if moved := s.Stats().Received + s.Stats().Sent; moved > 6<<20 {
			t.Errorf("%d bytes within 5.9 s at 1 MiB a second", moved)
		}
		for s.Stats().Sent < 6<<20 && time.Since(begin) < time.Minute {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(begin); took > 13*time.Second {
			t.Errorf("12 MiB at 1 MiB a second took %v", took)
		}
	})
}
