package ftpxprom

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/forecast"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func (m *Metrics) acquire(_ context.Context, i ftpx.AcquireInfo) (context.Context, func(ftpx.AcquireEnd)) {
	return nil, func(e ftpx.AcquireEnd) {
		m.vectors.wait.WithLabelValues(i.Host, string(i.Wait)).Observe(e.Duration.Seconds())
	}
}

func (m *Metrics) dial(_ context.Context, i ftpx.DialInfo) (context.Context, func(ftpx.DialEnd)) {
	p := placeOf(i.Host, i.Protocol)
	m.begin(p)
	began := time.Now()
	return nil, func(e ftpx.DialEnd) {
		v := m.vectors
		v.dials.WithLabelValues(p.host, p.protocol).Inc()
		for _, phase := range e.Phases {
			v.dialDuration.WithLabelValues(p.host, p.protocol, phase.Name).Observe(phase.Duration.Seconds())
		}
		v.dialDuration.WithLabelValues(p.host, p.protocol, "all").Observe(e.Duration.Seconds())
		if counts(e.Err) {
			m.learn(p, began, e.Err != nil)
		}
		if e.Err != nil {
			phase := e.Failed()
			if phase == "" {
				phase = "none"
			}
			v.dialFailures.WithLabelValues(p.host, p.protocol, phase, kindOf(e.Err)).Inc()
			return
		}
		v.open.WithLabelValues(p.host, p.protocol).Inc()
		if s := e.Info.Security; s != nil && !s.CertificateExpiry.IsZero() {
			v.expiry.WithLabelValues(p.host, p.protocol).Set(float64(s.CertificateExpiry.Unix()))
		}
	}
}

// counts reports whether the end of a dial says anything about the line or the host: a
// refused login or a caller that gave up does not.
func counts(err error) bool {
	switch transport.KindOf(err) {
	case transport.KindCanceled, transport.KindInvalid, transport.KindLocal, transport.KindAuth, transport.KindHostKey,
		transport.KindCertificate, transport.KindInsecure:
		return err == nil
	}
	return true
}

// begin makes, for a place that is new, the series whose first increase must not be missed:
// Prometheus takes a counter that appears with the value 1 for one that has always been 1.
func (m *Metrics) begin(p place) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.forecasts[p] != nil {
		return
	}
	m.forecasts[p], _ = forecast.New(m.model) // New has tried the name
	v := m.vectors
	for _, cause := range []ftpx.Cause{ftpx.CauseReset, ftpx.CauseEOF, ftpx.CauseStalled} {
		v.closed.WithLabelValues(p.host, p.protocol, string(cause), "true")
	}
	v.dataConns.WithLabelValues(p.host, p.protocol)
	v.dataLost.WithLabelValues(p.host, p.protocol)
	for _, k := range []transport.Kind{transport.KindLost, transport.KindStalled, transport.KindTruncated, transport.KindBusy} {
		v.anomalies.WithLabelValues(p.host, p.protocol, label(k.String()))
	}
	phases := []string{"tcp", "tls"}
	switch p.protocol {
	case ftpx.SFTP.String():
		phases[1] = "ssh"
	case ftpx.FTP.String():
		phases = phases[:1]
	}
	for _, phase := range phases {
		for _, k := range []transport.Kind{transport.KindLost, transport.KindTimeout, transport.KindUnreachable} {
			v.dialFailures.WithLabelValues(p.host, p.protocol, phase, label(k.String()))
		}
	}
	v.failovers.WithLabelValues(p.host)
	v.open.WithLabelValues(p.host, p.protocol)
	v.breaker.WithLabelValues(p.host, p.protocol)
	for _, name := range alarms {
		v.alarm.WithLabelValues(p.host, p.protocol, name)
	}
}

// learn tells the forecast of a place, which begin has made, how a connection has ended.
func (m *Metrics) learn(p place, at time.Time, failed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forecasts[p].Learn(at, failed)
}

func (m *Metrics) collectForecasts(out chan<- prometheus.Metric) {
	for p, probability := range m.predict(time.Now()) {
		out <- prometheus.MustNewConstMetric(m.forecastDesc, prometheus.GaugeValue, probability, p.host, p.protocol)
	}
}

func (m *Metrics) predict(at time.Time) map[place]float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[place]float64, len(m.forecasts))
	for p, model := range m.forecasts {
		all[p] = model.Predict(at)
	}
	return all
}
