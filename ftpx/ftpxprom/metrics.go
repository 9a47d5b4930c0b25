package ftpxprom

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/forecast"
)

// modulePath is where the version in ftpx_build_info comes from.
const modulePath = "github.com/seed01fc2e40/go-ftpx"

// Options change what is exported. The zero value is the defaults.
type Options struct {
	// Buckets are the upper bounds of the classic histograms in seconds, ascending; nil
	// means 1 ms to one hour in 18 steps. Native histograms have none.
	Buckets []float64
	// ConstLabels are added to each series, such as the name of the job. All Metrics of a
	// registry need the same names.
	ConstLabels prometheus.Labels
	// Forecast is the model behind ftpx_forecast_failure_ratio, one of package forecast;
	// "" means [forecast.Default].
	Forecast string
}

// Metrics are the series of any number of clients. They are a [prometheus.Collector]. All
// methods may be called at any time, from several goroutines.
type Metrics struct {
	vectors  *vectors
	gatherer prometheus.Gatherer
	build    *prometheus.Desc
	buildIn  []string // the values of its labels
	watched  watched

	forecastDesc *prometheus.Desc
	model        string
	mu           sync.Mutex // guards forecasts, of which there is one for each place that was dialled
	forecasts    map[place]forecast.Model
}

// New returns metrics and registers them, nil for a registry of their own. The global
// registry is used only if you say so (prometheus.DefaultRegisterer). It fails if the
// options are no good, or if the registry has such metrics already: give one Metrics to all
// clients of a registry, or tell them apart by values of the same ConstLabels.
func New(r prometheus.Registerer, opts *Options) (*Metrics, error) {
	if opts == nil {
		opts = &Options{}
	}
	model := opts.Forecast
	if model == "" {
		model = forecast.Default
	}
	if _, err := forecast.New(model); err != nil {
		return nil, fmt.Errorf("ftpxprom: Options.Forecast: %w", err)
	}
	buckets := opts.Buckets
	if buckets == nil {
		buckets = defaultBuckets
	}
	for i, b := range buckets {
		if math.IsNaN(b) || b <= 0 || i > 0 && b <= buckets[i-1] {
			return nil, fmt.Errorf("ftpxprom: Options.Buckets: %v at %d: give positive seconds, each greater than the one before", b, i)
		}
	}
	m := &Metrics{vectors: newVectors(factory{opts.ConstLabels, slices.Clone(buckets)}), model: model, forecasts: map[place]forecast.Model{}}
	m.build = prometheus.NewDesc("ftpx_build_info", "The version of the module; 1.", []string{"version", "goversion"}, opts.ConstLabels)
	m.buildIn = buildInfo()
	m.forecastDesc = prometheus.NewDesc("ftpx_forecast_failure_ratio", "How likely it is that the next connection fails.", []string{"host", "protocol"}, opts.ConstLabels)
	m.watched.init(opts.ConstLabels)

	if r == nil {
		r = prometheus.NewRegistry()
	}
	if err := r.Register(m); err != nil {
		return nil, fmt.Errorf("ftpxprom: the registry refuses: %s: give one Metrics to all clients, or set Options.ConstLabels", oneLine(err))
	}
	if g, ok := r.(prometheus.Gatherer); ok {
		m.gatherer = g
		return m, nil
	}
	own := prometheus.NewRegistry() // r cannot be read: a registry wrapped with a prefix, say
	if err := own.Register(m); err != nil {
		return nil, fmt.Errorf("ftpxprom: %s", oneLine(err))
	}
	m.gatherer = own
	return m, nil
}

// oneLine is the text of an error without line ends: a registry lists what it found wrong.
func oneLine(err error) string {
	var already prometheus.AlreadyRegisteredError
	if errors.As(err, &already) {
		return "metrics of these names are there already"
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// Handler serves the registry in Prometheus's formats: the one given to [New] if it can be
// read, otherwise these metrics only.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.gatherer, promhttp.HandlerOpts{})
}

// Hooks returns hooks that count. Join them with others by [ftpx.JoinHooks]; they may be
// given to several clients.
func (m *Metrics) Hooks() *ftpx.Hooks {
	return &ftpx.Hooks{
		Operation: m.operation, Attempt: m.attempt, Acquire: m.acquire, Dial: m.dial,
		Host: m.host, Retry: m.retry, Resume: m.resume, Verify: m.verify, Breaker: m.breaker, Limit: m.limit, Progress: m.progress,
		Conn: m.conn, Alarm: m.alarm,
	}
}

// Describe is part of [prometheus.Collector].
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	out <- m.build
	out <- m.forecastDesc
	for _, c := range m.vectors.all() {
		c.Describe(out)
	}
	m.watched.describe(out)
}

// Collect is part of [prometheus.Collector].
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	m.watched.collect(out, m.vectors) // first: it also writes to vectors
	out <- prometheus.MustNewConstMetric(m.build, prometheus.GaugeValue, 1, m.buildIn...)
	m.collectForecasts(out)
	for _, c := range m.vectors.all() {
		c.Collect(out)
	}
}

// buildInfo returns the versions of the module and of Go, as far as the program knows.
func buildInfo() []string {
	version, goVersion := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		goVersion = info.GoVersion
		if info.Main.Path == modulePath && info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, dep := range info.Deps {
			if dep.Path == modulePath {
				version = dep.Version
			}
		}
	}
	return []string{version, goVersion}
}
