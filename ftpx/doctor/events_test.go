package doctor_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxslog"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

// closing is a connection that ends, as package ftpxslog logs it.
type closing struct {
	host          string
	at, age, idle time.Duration
	inUse         bool
	sent          int64
	kind          string
}

func logOf(list ...closing) string {
	var b bytes.Buffer
	h := slog.NewJSONHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug})
	start := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	for i, c := range list {
		r := slog.NewRecord(start.Add(c.at), slog.LevelDebug, "connection closed", 0)
		r.Add(slog.Group("server", slog.String("host", c.host), slog.String("protocol", "sftp"), slog.String("addr", c.host+":22")),
			slog.Group("conn", slog.Int("id", i+1), slog.String("cause", "error"), slog.Bool("in_use", c.inUse), slog.Duration("age", c.age),
				slog.Duration("idle", c.idle), slog.Int64("sent", c.sent), slog.Int64("received", 1000), slog.Int("operations", 3)))
		if c.kind != "" {
			r.Add(slog.String("error", "read tcp: connection reset by peer"), slog.String("error.kind", c.kind))
		}
		_ = h.Handle(context.Background(), r)
	}
	return b.String()
}

// TestReadEvents: what losses have in common is told; other lines do not disturb.
func TestReadEvents(t *testing.T) {
	const lost = "connection lost"
	series := func(n int, f func(i int) closing) (out []closing) {
		for i := range n {
			c := f(i)
			c.host, c.at, c.kind = "files.example.com", time.Duration(i)*7*time.Minute, lost
			out = append(out, c)
		}
		return out
	}
	for name, c := range map[string]struct {
		list                []closing
		pattern, code, text string
	}{
		"idle": {series(6, func(i int) closing {
			return closing{age: time.Duration(400+300*i) * time.Second, idle: 350*time.Second + time.Duration(i)*time.Second, sent: int64(i * i * 1000)}
		}), "idle", "idle-cut", "about 353 s without a word"},
		"age": {series(5, func(i int) closing {
			return closing{age: time.Hour + time.Duration(i)*time.Second, inUse: true, sent: int64(i*i) << 20}
		}), "age", "", "at an age of about 3602 s"},
		"bytes": {series(5, func(i int) closing {
			return closing{age: time.Duration(1+i*i) * time.Minute, inUse: true, sent: 100<<20 + int64(i)}
		}), "bytes", "", "about 100 MiB"},
		"nothing": {series(5, func(i int) closing {
			return closing{age: time.Duration(1+i*i) * time.Minute, inUse: i%2 == 0, idle: time.Duration(i*i) * time.Minute, sent: int64(i*i*i) << 20}
		}), "", "tcp-loss", "5 at different ages"},
		"few": {series(2, func(int) closing { return closing{} }), "", "", "2 lost, too few"},
		"one moment": {func() []closing {
			l := series(4, func(i int) closing { return closing{age: time.Duration(1+i*i) * time.Minute, inUse: true} })
			for i := range l {
				l[i].at = time.Duration(i) * 100 * time.Millisecond
			}
			return l
		}(), "moment", "", "all 4 at 2026-12-01 08:00:00 UTC"},
	} {
		well := closing{host: "files.example.com", age: time.Hour}
		text := "not JSON at all\n" + logOf(append(c.list, well)...) + `{"msg":"connection closed","server":7}` + "\n" + strings.Repeat("x", 100<<10) + "\n{\"msg\":\"connection clo"
		got, err := doctor.ReadEvents(strings.NewReader(text))
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %+v, %v", name, got, err)
			continue
		}
		g := got[0]
		if g.Pattern != c.pattern || g.Code != c.code || !strings.Contains(g.Fingerprint, c.text) || g.Lost != len(c.list) || g.Closed != len(c.list)+1 || g.Host != "files.example.com" {
			t.Errorf("%s: %+v", name, g)
		}
		if g.Code != "" {
			if _, err := doctor.Explain(g.Code); err != nil {
				t.Error(err)
			}
		}
	}
	var b strings.Builder
	got, err := doctor.ReadEvents(strings.NewReader(logOf(closing{host: "a"}, closing{host: "b", kind: lost}, closing{host: "b", kind: "stalled"}, closing{host: "c", kind: lost})))
	if err != nil || len(got) != 2 || got[0].Host != "b" || got[0].Lost != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := doctor.WriteLosses(&b, got); err != nil || !strings.Contains(b.String(), "sftp b: 2 of 2 connections lost") {
		t.Errorf("%q, %v", b.String(), err)
	}
	for _, text := range []string{"", "nothing\n", fmt.Sprintf("{%q:%q}\n", "msg", "operation done")} {
		if _, err := doctor.ReadEvents(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "level Debug") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestEventsOfClient: what package ftpxslog logs of a client that loses its connections is
// read, and says so.
func TestEventsOfClient(t *testing.T) {
	s := ftpxtest.NewServer(t, ftpx.SFTP)
	var b syncBuffer
	cfg := configOf(t, s, ftpx.SFTP)
	cfg.Hooks = ftpxslog.New(slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug})), nil)
	c, err := ftpx.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if _, err := c.Put(t.Context(), "file", strings.NewReader("content"), nil); err != nil {
			t.Fatal(err)
		}
		if s.Cut() == 0 {
			t.Fatal("there was no connection to cut")
		}
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := doctor.ReadEvents(strings.NewReader(b.String()))
	if err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	if len(got) != 1 || got[0].Host != "127.0.0.1" || got[0].Protocol != "sftp" || got[0].Lost != 4 || got[0].Closed < 5 {
		t.Errorf("%+v\n%s", got, b.String())
	}
}

// syncBuffer is a buffer for several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
