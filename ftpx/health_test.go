package ftpx_test

import (
	"bytes"
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
