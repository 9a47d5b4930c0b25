package status

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const evil = `<img src=x onerror=alert(1)>"'&` + "\u202e\x1b[31m"

// stub is a client of which only health is known.
type stub struct {
	ftpx.Client
	health []ftpx.HostHealth
}

func (s stub) Health() []ftpx.HostHealth { return s.health }
func (s stub) Stats() ftpx.Stats         { return ftpx.Stats{} }

func newStatus(t *testing.T, name string) *Status {
	t.Helper()
	s, err := New(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// get asks a handler as a browser on this machine would.
func get(t *testing.T, s *Status, path string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// full is a host with all that can be shown.
func full(host string, now time.Time) ftpx.HostHealth {
	h := ftpx.HostHealth{
		Host: host, Protocol: ftpx.FTPS, Window: time.Hour, ResetRate: ftpx.Rate{Events: 127, Of: 1000},
		TCP: ftpx.Rate{Events: 99, Of: 100}, TLS: ftpx.Rate{Events: 9, Of: 10}, Anomalies: 51, Retries: 128, Goodput: 5 << 20,
		Available: ftpx.Rate{Events: 58, Of: 60}, CertificateExpiry: now.AddDate(0, 0, 10), LastSuccess: now.Add(-time.Second),
		Alarms: []ftpx.AlarmInfo{{Alarm: ftpx.AlarmResetRate, Host: host, Protocol: ftpx.FTPS, Raised: true, Since: now.Add(-time.Minute),
			Value: 0.127, Threshold: 0.005, Events: 127, Of: 1000}},
		Cut: ftpx.Cut{Losses: 64, Line: "deliberate", Common: []ftpx.CutPattern{{By: "idle", Low: 348, High: 352, Losses: 60}, {By: "direction", Value: "up", Losses: 50}}},
	}
	for i := range 60 {
		h.Minutes = append(h.Minutes, ftpx.HealthMinute{Start: now.Add(time.Duration(i-59) * time.Minute), Used: 20, Lost: int64(i % 4), Bytes: int64(i) << 20, Busy: 30 * time.Second})
	}
	return h
}

func TestPage(t *testing.T) {
	s := newStatus(t, "job")
	defer s.Watch(stub{health: []ftpx.HostHealth{full("files.example.com", time.Now())}})()
	page := text(t, get(t, s, "/"))
	for _, want := range []string{
		"<title>job - 1 alarm</title>", "files.example.com", "12.70 % (127 of 1000)", "tcp 99.00 % (99 of 100), tls 90.00 % (9 of 10)", "5.0 MiB/s",
		"64; in common: idle 348 to 352 s (60), direction up (50); deliberate", "12.70 % of connections lost in use (127 of 1000); the threshold is 0.50 %",
		"<polyline points=\"3,59.0 ", "2 of 20 lost", "up to 15.0 %", `<noscript><meta http-equiv="refresh"`, "No transfer.",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
}

// Every text that comes from outside is text on the page.
func TestHostileNames(t *testing.T) {
	s := newStatus(t, evil)
	h := full(evil, time.Now())
	h.Cut.Common[0].By, h.Cut.Common[1].Value, h.Cut.Line = evil, evil, evil
	h.Alarms[0].Alarm = evil
	defer s.Watch(stub{health: []ftpx.HostHealth{h}})()
	ctx, finish := s.live.operation(t.Context(), ftpx.OperationInfo{Op: "download", Remote: evil})
	s.live.progress(ctx, ftpx.ProgressInfo{Offset: 5, Size: 10})
	s.lost.conn(ftpx.ConnInfo{Host: evil, Cause: ftpx.CauseReset, Direction: evil})
	answer := get(t, s, "/")
	page := text(t, answer)
	if strings.Contains(page, "<img") || strings.Contains(page, "onerror=alert(1)>") {
		t.Errorf("a name is markup:\n%s", page)
	}
	if strings.ContainsAny(page, "\x1b\u202e\x00\r") {
		t.Errorf("a control character is on the page: %q", page)
	}
	if n := strings.Count(page, "&lt;img src=x onerror=alert(1)&gt;"); n < 8 {
		t.Errorf("the name is shown %d times", n)
	}
	if got := answer.Header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; script-src 'self';") || strings.Contains(got, "unsafe") {
		t.Errorf("policy %q", got)
	}
	finish(ftpx.OperationEnd{})
	if strings.Contains(text(t, get(t, s, "/")), "<table>\n<thead><tr><th>File") {
		t.Error("the transfer has ended and is shown")
	}
}

// The page needs nothing that its own policy forbids.
func TestPageKeepsItsPolicy(t *testing.T) {
	s := newStatus(t, "job")
	defer s.Watch(stub{health: []ftpx.HostHealth{full("h", time.Now())}})()
	page := text(t, get(t, s, "/"))
	for _, bad := range []string{"style=", "<style", "onclick", "<script>", "http://", "https://", "data:"} {
		if strings.Contains(page, bad) {
			t.Errorf("%q is on the page", bad)
		}
	}
	for path, kind := range map[string]string{"/static/style.css": "text/css; charset=utf-8", "/static/live.js": "text/javascript; charset=utf-8"} {
		if r := get(t, s, path); r.StatusCode != 200 || r.Header.Get("Content-Type") != kind || r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", path, r.StatusCode, r.Header)
		}
		if !strings.Contains(page, `"`+path+`"`) {
			t.Errorf("the page does not use %s", path)
		}
	}
	for _, path := range []string{"/other", "/static/../serve.go"} {
		if r := get(t, s, path); r.StatusCode == 200 {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}

func TestReady(t *testing.T) {
	now := time.Now()
	host := func(name string, success, failure time.Duration) ftpx.HostHealth {
		h := ftpx.HostHealth{Host: name, Protocol: ftpx.SFTP}
		if success != 0 {
			h.LastSuccess = now.Add(-success)
		}
		if failure != 0 {
			h.LastFailure = now.Add(-failure)
		}
		return h
	}
	for _, c := range []struct {
		name   string
		health []ftpx.HostHealth
		want   string
	}{
		{"nothing yet", nil, "a client has not reached its host yet"},
		{"never reached", []ftpx.HostHealth{host("a", 0, time.Second)}, `"a" has not been reached yet`},
		{"well", []ftpx.HostHealth{host("a", time.Second, time.Hour)}, ""},
		{"nothing to do for a day", []ftpx.HostHealth{host("a", 24*time.Hour, 25*time.Hour)}, ""},
		{"a failure just now", []ftpx.HostHealth{host("a", time.Minute, time.Second)}, ""},
		{"away", []ftpx.HostHealth{host("a", 10*time.Minute, time.Second)}, `"a" was last reached 10m0s ago`},
		{"away, the standby is well", []ftpx.HostHealth{host("0 standby", time.Second, 0), host("a", 10*time.Minute, time.Second)}, `"a" was last reached 10m0s ago`},
		{"one protocol away", []ftpx.HostHealth{host("a", 10*time.Minute, time.Second), host("a", time.Second, 0)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStatus(t, "job")
			if r := get(t, s, "/readyz"); r.StatusCode != 503 || text(t, r) != "no client is open\n" {
				t.Errorf("without a client: %d", r.StatusCode)
			}
			s.live.operation(t.Context(), ftpx.OperationInfo{Op: "ping", Host: "a"})
			stop := s.Watch(stub{health: c.health})
			if got := s.ready(now); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if r := get(t, s, "/readyz"); (r.StatusCode == 200) != (c.want == "") {
				t.Errorf("%d for %q", r.StatusCode, c.want)
			}
			if r := get(t, s, "/healthz"); r.StatusCode != 200 || text(t, r) != "ok\n" {
				t.Errorf("healthz: %d", r.StatusCode)
			}
			stop()
		})
	}
}

// A whole server: a real client's transfer is seen while it is under way, metrics are
// served, and other names and methods are refused.
func TestServe(t *testing.T) {
	s := newStatus(t, "job")
	at, stop, err := s.Serve(t.Context(), "-metrics", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	defer http.DefaultClient.CloseIdleConnections()
	fetch := func(path, host string) (int, string) {
		t.Helper()
		q, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+at.String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			q.Host = host
		}
		r, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		return r.StatusCode, text(t, r)
	}
	srv := ftpxtest.NewServer(t, ftpx.SFTP)
	o := srv.Options()
	o.Hooks = s.Hooks()
	c, err := ftpx.Open(t.Context(), srv.URL(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	defer s.Watch(c)()
	var during string
	source := &looking{left: 1 << 20, look: func() { _, during = fetch("/", "localhost:80") }}
	if _, err := c.Put(t.Context(), "<b>name", source, nil); err != nil {
		t.Error(err)
	}
	if !strings.Contains(during, "<bdi>&lt;b&gt;name</bdi>") {
		t.Errorf("the transfer is not shown while it is under way:\n%s", during)
	}
	if code, body := fetch("/metrics", ""); code != 200 || !strings.Contains(body, `ftpx_operations_total{host="127.0.0.1",op="put",outcome="done",protocol="sftp"} 1`) {
		t.Errorf("metrics: %d %.500s", code, body)
	}
	for host, want := range map[string]int{"evil.example.com": 421, "evil.example.com:9876": 421, "localhost": 200, "[::1]:9876": 200, "127.0.0.1": 200} {
		if code, body := fetch("/", host); code != want {
			t.Errorf("%s: %d, want %d: %.100s", host, code, want, body)
		}
	}
	r, err := http.Post("http://"+at.String()+"/", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", r.StatusCode)
	}
	stop()
	if _, err := net.Dial("tcp", at.String()); err == nil {
		t.Error("it listens after stop")
	}
}

// looking is a source that looks around when it is read for the first time.
type looking struct {
	left int
	look func()
}

func (l *looking) Read(p []byte) (int, error) {
	if l.look != nil {
		look := l.look
		l.look = nil
		look()
	}
	n := min(len(p), l.left)
	if l.left -= n; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func TestServeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, stop, err := newStatus(t, "job").Serve(ctx, "-metrics", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	stop() // waits, and goleak sees what does not end
}

func TestBadAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, want := range map[string]string{
		taken.Addr().String(): "another program listens there: choose another port, or port 0 for any",
		"nonsense":            "write it as host:port, such as 127.0.0.1:9876",
		"127.0.0.1:99999":     "write it as host:port",
		"192.0.2.1:9876":      "this machine has no such address: use 127.0.0.1",
	} {
		_, _, err := newStatus(t, "job").Serve(t.Context(), "-metrics", address)
		if err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("-metrics %q: ", address)) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
}

// Many transfers are counted, and few shown.
func TestManyTransfers(t *testing.T) {
	s := newStatus(t, "job")
	var ends []func(ftpx.OperationEnd)
	for i := range 200 {
		_, end := s.live.operation(t.Context(), ftpx.OperationInfo{Op: "upload", Local: fmt.Sprint("file ", i)})
		ends = append(ends, end)
	}
	if page := text(t, get(t, s, "/")); strings.Count(page, "<bdi>") != shownTransfers || !strings.Contains(page, "and 180 more") || !strings.Contains(page, "file 19<") {
		t.Errorf("%s", page)
	}
	for _, end := range ends {
		end(ftpx.OperationEnd{})
	}
	if _, many := s.live.oldest(1); many != 0 {
		t.Errorf("%d transfers after all have ended", many)
	}
	for i := range 3 * keptLosses {
		s.lost.conn(ftpx.ConnInfo{Conn: uint64(i), Cause: ftpx.CauseReset})
		s.lost.conn(ftpx.ConnInfo{Cause: ftpx.CauseClosed})
	}
	if list := s.lost.newest(); len(list) != keptLosses || list[0].Conn != 3*keptLosses-1 {
		t.Errorf("%d losses kept", len(list))
	}
}
