package ftpxprom

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// vectors are all series that hooks write to.
type vectors struct {
	operations, attempts, retries, anomalies, resumes *prometheus.CounterVec
	moved, needed                                     *prometheus.CounterVec
	dials, dialFailures, closed, failovers            *prometheus.CounterVec
	dataConns, dataLost                               *prometheus.CounterVec

	duration, dialDuration, wait *prometheus.HistogramVec

	open, limit, breaker, expiry, alarm, success *prometheus.GaugeVec
}

// factory makes vectors with what they have in common.
type factory struct {
	labels  prometheus.Labels
	buckets []float64
}

// defaultBuckets reach from a round trip on the same rack to a file that takes an hour.
var defaultBuckets = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600}

func (f factory) counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ftpx_" + name, Help: help, ConstLabels: f.labels}, labels)
}

func (f factory) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "ftpx_" + name, Help: help, ConstLabels: f.labels}, labels)
}

func (f factory) histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "ftpx_" + name, Help: help, ConstLabels: f.labels, Buckets: f.buckets,
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
	}, labels)
}

func newVectors(f factory) *vectors {
	return &vectors{
		operations: f.counter("operations_total", "Operations that have ended.", "host", "protocol", "op", "outcome"),
		attempts:   f.counter("attempts_total", "Attempts of operations that have ended.", "host", "protocol"),
		retries:    f.counter("retries_total", "Failed attempts that were followed by another.", "host", "protocol", "kind"),
		anomalies: f.counter("anomalies_total", "Attempts and comparisons that failed for the sake of the line or the host.",
			"host", "protocol", "kind"),
		resumes: f.counter("resumes_total", "Transfers that went on from an offset above 0.", "host", "protocol", "proof"),
		moved:   f.counter("payload_bytes_total", "Payload that was moved, what had to be moved again included.", "host", "direction"),
		needed:  f.counter("payload_needed_bytes_total", "Bytes of finished transfers, once each, less what was there already.", "host", "direction"),

		dials:        f.counter("dials_total", "Connections that were begun to be opened.", "host", "protocol"),
		dialFailures: f.counter("dial_failures_total", "Connections that could not be opened.", "host", "protocol", "phase", "kind"),
		closed: f.counter("connections_closed_total", "Connections that have ended; in_use: in the middle of an operation.",
			"host", "protocol", "cause", "in_use"),
		dataConns: f.counter("data_connections_total", "Data connections of FTP that were opened.", "host", "protocol"),
		dataLost: f.counter("data_connections_lost_total", "Data connections of FTP that were lost while their control connection went on.",
			"host", "protocol"),
		failovers: f.counter("failovers_total", "Moves of work to this host.", "host"),

		duration:     f.histogram("operation_duration_seconds", "How long operations took, waiting and retries included.", "host", "protocol", "op"),
		dialDuration: f.histogram("dial_duration_seconds", "How long each phase of opening a connection took; all: together.", "host", "protocol", "phase"),
		wait:         f.histogram("pool_wait_seconds", "How long a connection was waited for, where it was.", "host", "wait"),

		open:    f.gauge("connections", "Connections that are open.", "host", "protocol"),
		limit:   f.gauge("connection_limit", "Connections that the host takes, as far as it has shown.", "host"),
		breaker: f.gauge("breaker_open", "1 while a host that fails is spared.", "host", "protocol"),
		expiry:  f.gauge("certificate_expiry_timestamp_seconds", "When the server's certificate ends.", "host", "protocol"),
		alarm:   f.gauge("alarm", "1 while the alarm is raised.", "host", "protocol", "alarm"),
		success: f.gauge("last_success_timestamp_seconds", "When an operation last succeeded.", "host", "protocol"),
	}
}

func (v *vectors) all() []prometheus.Collector {
	return []prometheus.Collector{v.operations, v.attempts, v.retries, v.anomalies, v.resumes, v.moved, v.needed, v.dials, v.dialFailures,
		v.closed, v.dataConns, v.dataLost, v.failovers, v.duration, v.dialDuration, v.wait, v.open, v.limit, v.breaker, v.expiry, v.alarm, v.success}
}
