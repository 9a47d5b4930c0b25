//go:build linux && realserver && prometheus

package monitoring_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// shorter makes a file of the kit fit for a test of seconds: windows and waits only.
func shorter(t *testing.T, name string, pairs ...string) string {
	t.Helper()
	text := read(t, name)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s has no %q", name, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// webhook is the operator: it keeps what Alertmanager sends.
type webhook struct {
	mu     sync.Mutex // guards states
	states map[string]string
}

func (w *webhook) ServeHTTP(out http.ResponseWriter, q *http.Request) {
	var m struct {
		Alerts []struct {
			Status string
			Labels map[string]string
		}
	}
	if err := json.NewDecoder(q.Body).Decode(&m); err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range m.Alerts {
		w.states[a.Labels["alertname"]+" "+a.Labels["host"]+" "+a.Labels["protocol"]] = a.Status
	}
}

func (w *webhook) is(alert, status string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := w.states[alert]; got != status {
		return fmt.Errorf("%s is %q, want %q; all: %v", alert, got, status, w.states)
	}
	return nil
}

// stack is a Prometheus and an Alertmanager that watch one address.
type stack struct {
	prometheus string // its address
	hook       *webhook
}

func startStack(t *testing.T, target string) *stack {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	s := &stack{prometheus: freePort(t), hook: &webhook{states: map[string]string{}}}
	operator := httptest.NewServer(s.hook)
	t.Cleanup(operator.Close)
	manager := freePort(t)

	write("ftpx.rules.yml", shorter(t, rulesFile, "[1h]", "[30s]", "[24h]", "[60s]"))
	write("ftpx.alerts.yml", shorter(t, alertsFile, "keep_firing_for: 10m", "keep_firing_for: 2s"))
	config := write("prometheus.yml", shorter(t, "prometheus/prometheus.yml", "15s", "1s", "127.0.0.1:9093", manager, "127.0.0.1:9876", target))
	route := write("alertmanager.yml", shorter(t, "alertmanager/alertmanager.yml", "group_wait: 30s", "group_wait: 1s", "group_interval: 5m", "group_interval: 1s",
		"http://127.0.0.1:9095/alerts", operator.URL))

	start(t, nil, program(t, "prometheus-alertmanager"), "--config.file", route, "--storage.path", filepath.Join(dir, "am"),
		"--web.listen-address", manager, "--cluster.listen-address", "")
	start(t, nil, program(t, "prometheus"), "--config.file", config, "--storage.tsdb.path", filepath.Join(dir, "tsdb"), "--web.listen-address", s.prometheus,
		"--rules.alert.resend-delay", "1s")
	return s
}

// query evaluates an expression now and returns its values.
func (s *stack) query(expr string) ([]float64, error) {
	b, err := fetch("http://" + s.prometheus + "/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return nil, err
	}
	var values []float64
	for _, r := range answer.Data.Result {
		v, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
		if err != nil {
			return nil, err
		}
		if !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	if values == nil {
		return nil, errors.New("no data")
	}
	return values, nil
}

// A real Prometheus and Alertmanager watch examples/metrics, which probes a real server
// through a line that resets 12.7 % of connections: the alarm reaches the operator, every
// panel shows something, and the alarm ends with the faults. Windows are seconds here.
func TestAlertReal(t *testing.T) {
	program(t, "prometheus")
	program(t, "prometheus-alertmanager")
	// The server ends sessions in the pauses, so that each round of probes opens
	// connections anew, and some of them are hit. It also has a limit, to be found.
	srv := realtest.Start(t, realserver.Options{Kind: realserver.ProFTPD, TLS: realserver.TLSRequired, IdleTimeout: 2 * time.Second, MaxPerHost: 7})
	proxy := faultproxy.New(faultproxy.Options{Seed: 1})
	defer proxy.Close()
	// What is reset has said some thousand bytes: login is done.
	faults := faultproxy.First(faultproxy.ResetRate(0.127, 4500, 7500), nthRefused(9))
	route, err := proxy.Route(faultproxy.RouteOptions{Role: faultproxy.Control, Target: srv.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	metrics := filepath.Join(t.TempDir(), "metrics")
	output(t, "go", "build", "-o", metrics, "../metrics")
	// More probes than connections, so that some wait; files larger than those that share.
	address := freePort(t)
	start(t, []string{"FTPX_PASSWORD=" + srv.Password}, metrics, "-metrics", address, "-every", "4s", "-parallel", "24", "-max-conns", "14",
		"-size", "400000", "-window", "1m", "-ca-file", srv.CAFile, "ftpes://"+srv.User+"@"+route.Addr().String()+"/")
	s := startStack(t, address)
	alert := "FtpxResetRate 127.0.0.1 ftps"

	eventually(t, "a healthy start", func() error {
		if _, err := fetch("http://" + address + "/readyz"); err != nil {
			return err
		}
		_, err := s.query(`job_host_protocol:ftpx_reset:ratio`)
		return err
	})
	if err := s.hook.is(alert, ""); err != nil {
		t.Fatalf("before the faults: %v", err)
	}
	route.SetPlan(faults)
	eventually(t, "the alarm", func() error { return s.hook.is(alert, "firing") })
	if v, err := s.query(`ALERTS{alertname="FtpxResetRate",alertstate="firing"}`); err != nil || len(v) != 1 {
		t.Errorf("%v, %v", v, err)
	}
	for _, p := range panels(t) {
		for _, target := range p.Targets {
			expr := strings.NewReplacer("$job", ".*", "$host", ".*", "$__rate_interval", "30s").Replace(target.Expr)
			eventually(t, fmt.Sprintf("panel %q, %s", p.Title, expr), func() error { _, err := s.query(expr); return err })
		}
	}
	route.SetPlan(nil)
	defer func() {
		if t.Failed() {
			b, _ := fetch("http://" + address + "/metrics")
			t.Logf("the program says:\n%s", strings.Join(regexp.MustCompile(`(?m)^ftpx_(connections|retries|dial_failures).*$`).FindAllString(string(b), -1), "\n"))
		}
	}()
	eventually(t, "the end of the alarm", func() error { return s.hook.is(alert, "resolved") })
}

// nthRefused refuses one connection in n, so that dials fail too.
func nthRefused(n int64) faultproxy.Plan {
	return func(i faultproxy.ConnInfo) faultproxy.Fault {
		if i.RoleSeq%n == 0 {
			return faultproxy.Refused()
		}
		return faultproxy.Fault{}
	}
}
