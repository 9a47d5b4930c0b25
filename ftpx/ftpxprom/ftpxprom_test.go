package ftpxprom_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"math"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxprom"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// registered returns metrics and what they are in.
func registered(t *testing.T, opts *ftpxprom.Options) (*ftpxprom.Metrics, *prometheus.Registry) {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	m, err := ftpxprom.New(r, opts)
	if err != nil {
		t.Fatal(err)
	}
	return m, r
}

// series gathers everything as "name{label=value,...}" without host and protocol.
func series(t *testing.T, r prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				if n := l.GetName(); n != "host" && n != "protocol" {
					labels = append(labels, n+"="+l.GetValue())
				}
			}
			name := f.GetName()
			if labels != nil {
				name += "{" + strings.Join(labels, ",") + "}"
			}
			all[name] += valueOf(m)
		}
	}
	return all
}

func valueOf(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.Counter.GetValue()
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	}
	return float64(m.Histogram.GetSampleCount())
}

// A job on a line that refuses, resets and comes back, counted and compared with what the
// client says.
func TestWholeJob(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
		t.Run(p.String(), func(t *testing.T) {
			m, r := registered(t, nil)
			srv := ftpxtest.NewServer(t, p)
			o := srv.Options()
			o.Hooks = m.Hooks()
			c, err := ftpx.Open(t.Context(), srv.URL(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Watch(c)()
			srv.ResetAfter(300 << 10)
			data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
			if _, err := c.Put(t.Context(), "secret-name", bytes.NewReader(data), nil); err != nil {
				t.Error(err)
			}
			if _, err := c.Get(t.Context(), "secret-name", io.Discard, nil); err != nil {
				t.Error(err)
			}
			if _, err := c.Stat(t.Context(), "missing"); err == nil {
				t.Error("what is missing is there")
			}
			stats := c.Stats()
			raised := 0.0
			for _, h := range c.Health() {
				for _, a := range h.Alarms {
					if a.Alarm == ftpx.AlarmResetRate {
						raised = 1
					}
				}
			}
			if raised == 0 {
				t.Error("most connections were lost, and nothing is raised")
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			got := series(t, r)
			for name, want := range map[string]float64{
				"ftpx_operations_total{op=put,outcome=done}":               1,
				"ftpx_operations_total{op=stat,outcome=failed}":            1,
				"ftpx_operation_duration_seconds{op=put}":                  1,
				"ftpx_dials_total":                                         float64(stats.Dials),
				"ftpx_dial_duration_seconds{phase=all}":                    float64(stats.Dials),
				"ftpx_retries_total{kind=connection_lost}":                 float64(stats.Retries),
				"ftpx_anomalies_total{kind=connection_lost}":               float64(stats.Retries),
				"ftpx_connections":                                         0,
				"ftpx_payload_needed_bytes_total{direction=up}":            1 << 20,
				"ftpx_payload_needed_bytes_total{direction=down}":          1 << 20,
				"ftpx_breaker_open":                                        0,
				"ftpx_alarm{alarm=reset-rate}":                             raised,
				"ftpx_connections_closed_total{cause=closed,in_use=false}": 1,
			} {
				if got[name] != want {
					t.Errorf("%s is %v, want %v", name, got[name], want)
				}
			}
			if v, ok := got["ftpx_alarm{alarm=reset-rate}"]; !ok || v != raised {
				t.Errorf("the alarm of the reset rate is %v, the client says %v", v, raised)
			}
			resumes := 0.0
			for name, n := range got {
				if strings.HasPrefix(name, "ftpx_resumes_total") {
					resumes += n
				}
			}
			if resumes != float64(stats.Resumes) || resumes == 0 {
				t.Errorf("%v resumes, the client says %d", resumes, stats.Resumes)
			}
			up := got["ftpx_payload_bytes_total{direction=up}"]
			if up < 1<<20 || up < float64(stats.BytesSent) || up > 2*float64(stats.BytesSent) {
				t.Errorf("%v bytes up, the client says %d", up, stats.BytesSent)
			}
			if age := float64(time.Now().Unix()) - got["ftpx_last_success_timestamp_seconds"]; age < -1 || age > 300 {
				t.Errorf("last success %v s ago", age)
			}
			if end := got["ftpx_certificate_expiry_timestamp_seconds"]; (end > float64(time.Now().Unix())) != (p == ftpx.FTPS) {
				t.Errorf("certificate ends at %v", end)
			}
			if f := got["ftpx_forecast_failure_ratio"]; !(f > 0 && f < 1) {
				t.Errorf("forecast %v", f)
			}
			body := httptest.NewRecorder()
			m.Handler().ServeHTTP(body, httptest.NewRequest("GET", "/metrics", nil))
			for _, secret := range []string{"secret-name", "missing", srv.User, srv.Password, srv.Root} {
				if strings.Contains(strings.ReplaceAll(body.Body.String(), `host="user`, ""), `"`+secret) {
					t.Errorf("%q is in a label", secret)
				}
			}
			if !strings.Contains(body.Body.String(), `ftpx_dials_total{host="127.0.0.1",protocol="`+p.String()+`"}`) {
				t.Errorf("no dials in\n%.2000s", body.Body)
			}
		})
	}
}

// Names and units as Prometheus wants them, and help for each.
func TestLint(t *testing.T) {
	m, r := registered(t, nil)
	everything(m.Hooks())
	problems, err := testutil.GatherAndLint(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// everything calls each hook once, so that each series is there.
func everything(h *ftpx.Hooks) {
	lost := &transport.Error{Kind: transport.KindLost}
	ctx, finish := h.Operation(context.Background(), ftpx.OperationInfo{ID: 1, Op: "upload", Host: "h"})
	_, waited := h.Acquire(ctx, ftpx.AcquireInfo{Host: "h", Wait: ftpx.WaitSlot})
	waited(ftpx.AcquireEnd{})
	_, tried := h.Attempt(ctx, ftpx.AttemptInfo{})
	_, dialled := h.Dial(ctx, ftpx.DialInfo{ID: 1, Conn: 1, Host: "h", Protocol: ftpx.FTPS})
	dialled(ftpx.DialEnd{Phases: []ftpx.DialPhase{{Name: "tls"}}, Err: lost})
	tried(ftpx.AttemptEnd{Host: "h", Protocol: ftpx.FTPS, DataConns: 3, DataLost: 1, Err: lost})
	h.Host(ctx, ftpx.HostInfo{Host: "h"})
	h.Retry(ctx, ftpx.RetryInfo{Err: lost})
	h.Resume(ctx, ftpx.ResumeInfo{Proof: "tail", Offset: 5})
	h.Progress(ctx, ftpx.ProgressInfo{Offset: 8})
	h.Verify(ctx, ftpx.VerifyInfo{Err: errors.New("differs")})
	h.Breaker(ctx, ftpx.BreakerInfo{Host: "h", Protocol: ftpx.FTPS, Open: true})
	h.Limit(ctx, ftpx.LimitInfo{Host: "h", Conns: 4})
	h.Conn(ftpx.ConnInfo{Host: "h", Protocol: ftpx.FTPS, Cause: ftpx.CauseReset, InUse: true})
	h.Alarm(ftpx.AlarmInfo{Host: "h", Protocol: ftpx.FTPS, Alarm: ftpx.AlarmResetRate, Raised: true})
	finish(ftpx.OperationEnd{Result: ftpx.Result{Outcome: ftpx.Done, Size: 10, Kept: 5, Moved: 7, Protocol: ftpx.FTPS, Duration: time.Second}, Host: "h"})
}

func TestEachHookCounts(t *testing.T) {
	m, r := registered(t, nil)
	everything(m.Hooks())
	got := series(t, r)
	for name, want := range map[string]float64{
		"ftpx_operations_total{op=upload,outcome=done}":            1,
		"ftpx_attempts_total":                                      1,
		"ftpx_retries_total{kind=connection_lost}":                 1,
		"ftpx_anomalies_total{kind=connection_lost}":               1,
		"ftpx_anomalies_total{kind=proof_failed}":                  1,
		"ftpx_resumes_total{proof=tail}":                           1,
		"ftpx_payload_bytes_total{direction=up}":                   7, // 3 by progress, 4 more by the result
		"ftpx_payload_needed_bytes_total{direction=up}":            5,
		"ftpx_dial_failures_total{kind=connection_lost,phase=tls}": 1,
		"ftpx_dial_failures_total{kind=unreachable,phase=tcp}":     0,
		"ftpx_connections_closed_total{cause=reset,in_use=true}":   1,
		"ftpx_connections_closed_total{cause=stalled,in_use=true}": 0,
		"ftpx_data_connections_total":                              3,
		"ftpx_data_connections_lost_total":                         1,
		"ftpx_connection_limit":                                    4,
		"ftpx_pool_wait_seconds{wait=slot}":                        1,
		"ftpx_breaker_open":                                        1,
		"ftpx_failovers_total":                                     1,
		"ftpx_alarm{alarm=reset-rate}":                             1,
		"ftpx_alarm{alarm=handshake}":                              0,
	} {
		v, ok := got[name]
		if !ok || v != want {
			t.Errorf("%s is %v, want %v", name, v, want)
		}
	}
	if t.Failed() {
		t.Log(slices.Sorted(maps.Keys(got)))
	}
}

func TestHistogramsAreClassicAndNative(t *testing.T) {
	m, r := registered(t, &ftpxprom.Options{Buckets: []float64{0.5, 2}})
	everything(m.Hooks())
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "ftpx_operation_duration_seconds" {
			continue
		}
		h := f.Metric[0].Histogram
		if len(h.Bucket) != 2 || h.GetSchema() == 0 || len(h.PositiveSpan) == 0 {
			t.Errorf("%v", h)
		}
		return
	}
	t.Error("no such histogram")
}

// stub is a client of which only health is known.
type stub struct {
	ftpx.Client
	health []ftpx.HostHealth
	idle   int
}

func (s stub) Health() []ftpx.HostHealth { return s.health }
func (s stub) Stats() ftpx.Stats         { return ftpx.Stats{Idle: s.idle} }

func TestWatch(t *testing.T) {
	m, r := registered(t, nil)
	one := stub{idle: 2, health: []ftpx.HostHealth{{Host: "h", Protocol: ftpx.SFTP, ResetRate: ftpx.Rate{Events: 1, Of: 10}, TCP: ftpx.Rate{Events: 9, Of: 10},
		SSH: ftpx.Rate{Events: 4, Of: 8}, Anomalies: 3, Alarms: []ftpx.AlarmInfo{{Alarm: ftpx.AlarmAnomalies}}}}}
	other := stub{idle: 1, health: []ftpx.HostHealth{{Host: "h", Protocol: ftpx.SFTP, ResetRate: ftpx.Rate{Events: 0, Of: 10}, Anomalies: 4}}}
	stop := m.Watch(one)
	stopOther := m.Watch(other)
	got := series(t, r)
	for name, want := range map[string]float64{
		"ftpx_connections_idle": 3, "ftpx_reset_ratio": 0.05, "ftpx_handshake_success_ratio{phase=tcp}": 0.9, "ftpx_handshake_success_ratio{phase=ssh}": 0.5,
		"ftpx_anomalies": 7, "ftpx_alarm{alarm=anomalies}": 1, "ftpx_alarm{alarm=certificate}": 0,
	} {
		if v, ok := got[name]; !ok || math.Abs(v-want) > 1e-12 {
			t.Errorf("%s is %v, want %v", name, v, want)
		}
	}
	if _, ok := got["ftpx_handshake_success_ratio{phase=tls}"]; ok {
		t.Error("a ratio of no handshakes")
	}
	stop()
	stop()
	stopOther()
	if _, ok := series(t, r)["ftpx_anomalies"]; ok {
		t.Error("watched after stop")
	}
}

func TestBadInput(t *testing.T) {
	full := prometheus.NewRegistry()
	first := &ftpxprom.Options{ConstLabels: prometheus.Labels{"job": "first"}}
	if _, err := ftpxprom.New(full, first); err != nil {
		t.Fatal(err)
	}
	fresh := prometheus.NewRegistry
	for _, c := range []struct {
		r    prometheus.Registerer
		o    *ftpxprom.Options
		want string
	}{
		{full, first, "ftpxprom: the registry refuses: metrics of these names are there already: give one Metrics to all clients, or set Options.ConstLabels"},
		{fresh(), &ftpxprom.Options{Forecast: "lstm"}, `ftpxprom: Options.Forecast: forecast: unknown model "lstm": use one of`},
		{fresh(), &ftpxprom.Options{Buckets: []float64{1, 1}}, "ftpxprom: Options.Buckets: 1 at 1: give positive seconds"},
		{fresh(), &ftpxprom.Options{Buckets: []float64{math.NaN()}}, "ftpxprom: Options.Buckets: NaN at 0"},
		{fresh(), &ftpxprom.Options{ConstLabels: prometheus.Labels{"host": "x"}}, "ftpxprom: the registry refuses: "},
	} {
		_, err := ftpxprom.New(c.r, c.o)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	if _, err := ftpxprom.New(full, &ftpxprom.Options{ConstLabels: prometheus.Labels{"job": "second"}}); err != nil {
		t.Errorf("other labels: %v", err)
	}
}

// Without a registry there is one of its own, and never the global one; one that cannot be
// read does not keep the handler from working.
func TestRegistries(t *testing.T) {
	m, err := ftpxprom.New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := ftpxprom.New(prometheus.WrapRegistererWithPrefix("app_", prometheus.NewRegistry()), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*ftpxprom.Metrics{m, wrapped} {
		body := httptest.NewRecorder()
		m.Handler().ServeHTTP(body, httptest.NewRequest("GET", "/metrics", nil))
		if !strings.Contains(body.Body.String(), "ftpx_build_info{") {
			t.Errorf("%d: %s", body.Code, body.Body)
		}
	}
	global, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range global {
		if strings.HasPrefix(f.GetName(), "ftpx_") {
			t.Errorf("%s is in the global registry", f.GetName())
		}
	}
}
