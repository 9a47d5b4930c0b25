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
		o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Limits: ftpx.Limits{Rate: 1 << 20, Transfers: 2}}
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

// The time that a vault takes is not the silence of a host or a protocol, and
// whoever waits for it can give up.
func TestSlowCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memconn.New(memconn.Options{Password: "pw"})
		asked := 0
		var chosen ftpx.Protocol
		o := ftpx.Options{Standbys: []ftpx.Standby{{Host: "b"}}, Credentials: func(ctx context.Context, r ftpx.CredentialRequest) (ftpx.Credential, error) {
			asked++
			time.Sleep(time.Minute)
			return ftpx.Credential{Password: "pw"}, nil
		}, Hooks: &ftpx.Hooks{
			Host: func(_ context.Context, i ftpx.HostInfo) { t.Errorf("it moved: %+v", i) },
			Protocol: func(_ context.Context, i ftpx.ProtocolInfo) {
				if i.Chosen {
					chosen = i.Protocol
				}
			},
		}}
		ftpx.SetConnect(&o, s.Dial)
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if asked != 1 || chosen != ftpx.SFTP {
			t.Errorf("asked %d times, chose %v", asked, chosen)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := memconn.New(memconn.Options{})
		hold := make(chan struct{})
		var asked atomic.Int32
		o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Credentials: func(context.Context, ftpx.CredentialRequest) (ftpx.Credential, error) {
			if asked.Add(1) == 1 {
				return ftpx.Credential{Password: "old"}, nil
			}
			<-hold
			return ftpx.Credential{Password: "new"}, nil
		}}
		want := atomic.Value{}
		want.Store(ftpx.Secret("old"))
		ftpx.SetConnect(&o, func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
			if ep.Password != want.Load().(ftpx.Secret) {
				return nil, ep.Fail("login", "", transport.KindAuth, errors.New("no"))
			}
			return s.Dial(ctx, ep)
		})
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		want.Store(ftpx.Secret("new"))
		s.Cut()
		patient, hasty := make(chan error, 1), make(chan error, 1)
		go func() { patient <- c.Ping(t.Context()) }()
		synctest.Wait() // it is asking
		begin := time.Now()
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			hasty <- c.Ping(ctx)
		}()
		if err := <-hasty; !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		close(hold)
		if err := <-patient; err != nil || asked.Load() != 2 {
			t.Errorf("%v, asked %d times", err, asked.Load())
		}
	})
}

// A limit of a few bytes a second moves a little several times a second, and a
// transfer's own limit holds besides the client's.
func TestLimitOfATransfer(t *testing.T) {
	for _, rate := range []int64{1000, 100 << 10} {
		synctest.Test(t, func(t *testing.T) {
			s := memconn.New(memconn.Options{})
			o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Limits: ftpx.Limits{Rate: 1 << 20}, Timeouts: ftpx.Timeouts{Stall: 3 * time.Second}}
			ftpx.SetConnect(&o, s.Dial)
			c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			data := content(int(rate) * 20)
			var last time.Time
			var longest time.Duration
			begin := time.Now()
			_, err = c.Put(t.Context(), "f", bytes.NewReader(data), &ftpx.PutOptions{MaxRate: rate, Progress: func(ftpx.ProgressInfo) {
				if !last.IsZero() {
					longest = max(longest, time.Since(last))
				}
				last = time.Now()
			}})
			if took := time.Since(begin); err != nil || took < 18*time.Second || took > 22*time.Second {
				t.Errorf("%v: 20 s worth of bytes took %v", err, took)
			}
			if longest > time.Second {
				t.Errorf("nothing moved for %v", longest)
			}
			begin = time.Now()
			var got bytes.Buffer
			if _, err := c.Get(t.Context(), "f", &got, &ftpx.GetOptions{MaxRate: rate}); err != nil || !bytes.Equal(got.Bytes(), data) {
				t.Error(err)
			}
			if took := time.Since(begin); took < 18*time.Second || took > 22*time.Second {
				t.Errorf("20 s worth of bytes took %v to fetch", took)
			}
		})
	}
}

// A deadline that would pass meanwhile is not a reason to give up before.
func TestLimitKeepsToTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memconn.New(memconn.Options{})
		o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Limits: ftpx.Limits{Rate: 64 << 10}}
		ftpx.SetConnect(&o, s.Dial)
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		_, err = c.Put(ctx, "f", bytes.NewReader(content(2<<20)), nil)
		if took := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || took != 10*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}
