package ftpx_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// watched is a client of a server in memory, whose connections end idle between two calls,
// so that each call has one of its own.
type watched struct {
	ftpx.Client
	server *memconn.Server

	mu     sync.Mutex // guards alarms
	alarms []ftpx.AlarmInfo
}

func newWatched(t *testing.T, change func(*ftpx.Options)) *watched {
	w := &watched{server: memconn.New(memconn.Options{})}
	w.server.Files().Write("there", bytes.Repeat([]byte("x"), 100_000), time.Unix(1e9, 0))
	opts := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Connect: w.server.Dial, Hooks: &ftpx.Hooks{Alarm: func(i ftpx.AlarmInfo) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.alarms = append(w.alarms, i)
	}}}
	if change != nil {
		change(&opts)
	}
	var err error
	w.Client, err = ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
	must(t, err)
	return w
}

// gets makes n downloads, each on a connection of its own, one each three minutes.
func (w *watched) gets(t *testing.T, n int) {
	t.Helper()
	for range n {
		must(t, errOf(w.Get(t.Context(), "there", io.Discard, nil)))
		time.Sleep(3 * time.Minute) // the connection has ended
	}
}

func (w *watched) told() []ftpx.AlarmInfo {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]ftpx.AlarmInfo(nil), w.alarms...)
}

// TestResetAlarm: one connection in eight that is reset raises the alarm once, and it is
// cleared once when that has ended; a healthy client raises none.
func TestResetAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched(t, func(o *ftpx.Options) { o.Alarms.Window, o.Alarms.Anomalies = 24*time.Hour, 100_000 })
		defer w.Close()
		w.gets(t, 200) // ten hours
		if a := w.told(); len(a) > 0 {
			t.Fatalf("healthy: %+v", a)
		}
		rnd := rand.New(rand.NewPCG(1, 1))
		w.server.Inject(func(op memconn.OpInfo) memconn.Fault {
			if op.Step == memconn.StepData && rnd.Float64() < 0.127 {
				return memconn.Fault{Do: memconn.LostBefore}
			}
			return memconn.Fault{}
		})
		w.gets(t, 100)
		a := w.told()
		if len(a) != 1 || !a[0].Raised || a[0].Alarm != ftpx.AlarmResetRate || a[0].Host != "h" || a[0].Protocol != ftpx.SFTP || a[0].Events < 3 || a[0].Value <= 0.005 {
			t.Fatalf("%+v", a)
		}
		h := w.Health()
		if len(h) != 1 || len(h[0].Alarms) != 1 || h[0].ResetRate.Events < 10 || h[0].ResetRate.Share() < 0.02 || h[0].Cut.Losses < 10 || h[0].Anomalies < 10 || h[0].Retries < 10 {
			t.Errorf("%+v", h)
		}
		w.server.Inject(nil)
		time.Sleep(30 * time.Hour)
		if a = w.told(); len(a) != 2 || a[1].Raised || a[1].Since != a[0].At {
			t.Errorf("%+v", a)
		}
		if h := w.Health(); len(h[0].Alarms) != 0 {
			t.Errorf("%+v", h)
		}
	})
}

// TestHandshakeAlarm: a host that does not let us in.
func TestHandshakeAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched(t, nil)
		defer w.Close()
		w.gets(t, 1)
		w.server.SetDown(transport.KindUnreachable)
		if err := w.Ping(t.Context()); err == nil {
			t.Fatal("it was reached")
		}
		a := w.told()
		if len(a) != 1 || a[0].Alarm != ftpx.AlarmHandshake || a[0].Phase != "tcp" {
			t.Fatalf("%+v", a)
		}
		h := w.Health()[0]
		if h.TCP.Of-h.TCP.Events < 9 || h.SSH.Share() != 1 || h.LastSuccess.IsZero() {
			t.Errorf("%+v", h)
		}
		w.server.SetDown(transport.KindUnknown)
		w.gets(t, 60)
		if a = w.told(); len(a) != 2 || a[1].Raised {
			t.Errorf("%+v", a)
		}
	})
}

// TestRefusedLoginIsNoHandshake: neither that nor a caller who gives up.
func TestRefusedLoginIsNoHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched(t, nil)
		defer w.Close()
		time.Sleep(3 * time.Minute)
		w.server.SetDown(transport.KindAuth)
		for range 5 {
			_ = w.Ping(t.Context())
		}
		w.server.SetDown(transport.KindTimeout)
		for range 5 {
			ctx, cancel := contextFor(t, time.Second)
			_ = w.Ping(ctx)
			cancel()
		}
		h := w.Health()[0]
		if a := w.told(); len(a) > 0 || h.TCP.Share() != 1 || h.SSH.Share() != 1 || h.Anomalies != 0 {
			t.Errorf("%+v, %+v", a, h)
		}
	})
}

// TestHealthOfTransfers: what was moved, and what did not have to be.
func TestHealthOfTransfers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched(t, nil)
		defer w.Close()
		w.server.Inject(func(op memconn.OpInfo) memconn.Fault {
			if op.Step == memconn.StepData && op.Offset == 64<<10 && op.Conn == 1 {
				return memconn.Fault{Do: memconn.LostBefore}
			}
			return memconn.Fault{}
		})
		must(t, errOf(w.Get(t.Context(), "there", io.Discard, nil)))
		h := w.Health()[0]
		if h.BytesMoved != 100_000 || h.BytesSaved != 64<<10 || h.Retries != 1 || h.Available != (ftpx.Rate{Events: 1, Of: 1}) || h.Minutes[59].Bytes != 100_000 || h.Minutes[59].Lost != 1 {
			t.Errorf("%+v", h)
		}
		if h.ResetRate != (ftpx.Rate{Events: 1, Of: 2}) { // one is open
			t.Errorf("%+v", h.ResetRate)
		}
	})
}

// TestRetryWithoutConnection: a retry of an attempt that had no connection counts for the host
// that was tried last, in the protocol that it speaks.
func TestRetryWithoutConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := map[string]*memconn.Server{}
		for _, name := range []string{"first", "second"} {
			servers[name] = memconn.New(memconn.Options{Protocol: ftpx.FTPS})
		}
		want, all, last := map[string]int64{}, int64(0), ""
		opts := ftpx.Options{
			Protocols: []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS}, Standbys: []ftpx.Standby{{Host: "second"}},
			Connect: func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
				return servers[ep.Host].Dial(ctx, ep)
			},
			Hooks: &ftpx.Hooks{
				Attempt: func(context.Context, ftpx.AttemptInfo) (context.Context, func(ftpx.AttemptEnd)) {
					return nil, func(e ftpx.AttemptEnd) {
						if e.Err != nil && e.Conn == 0 {
							want[e.Host]++
							last = e.Host
						}
					}
				},
				Retry: func(context.Context, ftpx.RetryInfo) { all++ },
			}}
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "first", User: "u", Options: opts})
		must(t, err)
		defer c.Close()
		servers["first"].SetDown(transport.KindUnreachable)
		servers["first"].Cut()
		must(t, c.Ping(t.Context())) // the second one speaks FTPS too
		servers["second"].SetDown(transport.KindUnreachable)
		servers["second"].Cut()
		if err := c.Ping(t.Context()); err == nil {
			t.Fatal("somebody was reached")
		}
		want[last]-- // the last one was not followed by another
		got, other := map[string]int64{}, int64(0)
		for _, h := range c.Health() {
			if h.Protocol == ftpx.FTPS {
				got[h.Host] = h.Retries
			} else {
				other += h.Retries
			}
		}
		if all < 3 || other != 0 || got["first"] != want["first"] || got["second"] != want["second"] || got["first"]+got["second"] != all {
			t.Errorf("of %d retries: %v, in another protocol %d; want %v", all, got, other, want)
		}
	})
}

// TestLostDataConnections: FTP's data connections are connections: those used, and those
// lost while the control connection goes on, are in the reset rate and raise its alarm.
func TestLostDataConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conns, lost := 0, 0
		w := newWatched(t, func(o *ftpx.Options) {
			o.Protocols, o.Alarms.Anomalies = []ftpx.Protocol{ftpx.FTPS}, 100_000
			o.Hooks.Attempt = func(context.Context, ftpx.AttemptInfo) (context.Context, func(ftpx.AttemptEnd)) {
				return nil, func(e ftpx.AttemptEnd) { conns, lost = conns+e.DataConns, lost+e.DataLost }
			}
		})
		defer w.Close()
		get := func() {
			must(t, errOf(w.Get(t.Context(), "there", io.Discard, nil)))
			time.Sleep(10 * time.Second)
		}
		for range 100 {
			get()
		}
		h := w.Health()[0]
		if a := w.told(); len(a) > 0 || conns != 100 || lost != 0 || h.ResetRate != (ftpx.Rate{Events: 0, Of: 101}) {
			t.Fatalf("healthy: %+v, %+v, %d of %d", a, h.ResetRate, lost, conns)
		}
		n := 0
		w.server.Inject(func(op memconn.OpInfo) memconn.Fault {
			if op.Step == memconn.StepData && op.Offset == 64<<10 {
				if n++; n%8 == 0 {
					return memconn.Fault{Do: memconn.Refuse, Kind: transport.KindLost, Code: 426, Text: "Connection reset by peer"}
				}
			}
			return memconn.Fault{}
		})
		for range 40 {
			get()
		}
		h = w.Health()[0]
		if a := w.told(); len(a) != 1 || !a[0].Raised || a[0].Alarm != ftpx.AlarmResetRate {
			t.Errorf("%+v", a)
		}
		if lost != 5 || conns != 145 || h.ResetRate != (ftpx.Rate{Events: 5, Of: 146}) || h.Cut.Losses != 5 || w.Stats().Open != 1 {
			t.Errorf("%+v, %d of %d, %+v", h.ResetRate, lost, conns, h.Cut)
		}
	})
}

// TestHealthyHour: 1 reset in 1,000 connections raises nothing, on either protocol.
func TestHealthyHour(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
		t.Run(p.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWatched(t, func(o *ftpx.Options) { o.Protocols = []ftpx.Protocol{p} })
				defer w.Close()
				n, resets := 0, 0
				w.server.Inject(func(op memconn.OpInfo) memconn.Fault {
					if op.Step == memconn.StepData && op.Offset == 64<<10 { // in the middle, so that it was in use
						if n++; n == 300 {
							resets++
							return memconn.Fault{Do: memconn.LostBefore}
						}
					}
					return memconn.Fault{}
				})
				for range 1000 {
					must(t, errOf(w.Get(t.Context(), "there", io.Discard, nil)))
					if p == ftpx.SFTP {
						w.server.Cut() // idle, so that each file has a connection of its own
					}
					time.Sleep(3600 * time.Millisecond)
				}
				h := w.Health()[0]
				time.Sleep(2 * time.Hour)
				if a := w.told(); len(a) > 0 || resets != 1 || h.ResetRate.Events != 1 || h.ResetRate.Of < 950 {
					t.Errorf("%+v, %d resets, %+v", a, resets, h.ResetRate)
				}
			})
		})
	}
}

// TestAlarmOptions: what is out of range is told, with its field and what to write.
func TestAlarmOptions(t *testing.T) {
	for field, a := range map[string]ftpx.Alarms{
		"Window":      {Window: time.Second},
		"Window ":     {Window: 25 * time.Hour},
		"ResetRate":   {ResetRate: -0.1},
		"ResetRate ":  {ResetRate: 1.5},
		"Handshake":   {Handshake: -1},
		"Handshake ":  {Handshake: 98},
		"Anomalies":   {Anomalies: -1},
		"Certificate": {Certificate: -time.Hour},
	} {
		_, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: ftpx.Options{Alarms: a}})
		if err == nil || ftpx.KindOf(err) != transport.KindInvalid || !strings.Contains(err.Error(), "Options.Alarms."+strings.TrimSpace(field)+" is ") || !strings.Contains(err.Error(), ": use ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", field, err)
		}
	}
}
