package ftpxprom

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// alarms are the values of ftpx_alarm's label.
var alarms = [...]string{ftpx.AlarmResetRate, ftpx.AlarmHandshake, ftpx.AlarmAnomalies, ftpx.AlarmCertificate}

// watched are clients that are asked for their health at each scrape.
type watched struct {
	idle, reset, handshake, anomalies *prometheus.Desc

	mu      sync.Mutex // guards what follows
	clients map[*ftpx.Client]ftpx.Client
}

func (w *watched) init(labels prometheus.Labels) {
	desc := func(name, help string, names ...string) *prometheus.Desc {
		return prometheus.NewDesc("ftpx_"+name, help, names, labels)
	}
	w.idle = desc("connections_idle", "Open connections that nobody uses, of all clients and hosts.")
	w.reset = desc("reset_ratio", "Share of connections that were lost while in use.", "host", "protocol")
	w.handshake = desc("handshake_success_ratio", "Share of handshakes that succeeded.", "host", "protocol", "phase")
	w.anomalies = desc("anomalies", "Anomalies of the last 24 hours.", "host", "protocol")
	w.clients = map[*ftpx.Client]ftpx.Client{}
}

// Watch adds what only the client knows to each scrape, see the package's documentation,
// until stop is called, which may be done more than once. It also shows the alarms that are
// not raised, as 0. Where several clients go to the same host, their counts are added up.
func (m *Metrics) Watch(c ftpx.Client) (stop func()) {
	w := &m.watched
	w.mu.Lock()
	defer w.mu.Unlock()
	key := &c
	w.clients[key] = c
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.clients, key)
	}
}

func (w *watched) describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{w.idle, w.reset, w.handshake, w.anomalies} {
		out <- d
	}
}

// health is what is found of one place, over all clients.
type health struct {
	reset     ftpx.Rate
	phases    [3]ftpx.Rate // tcp, tls, ssh
	anomalies int64
	raised    map[string]bool
}

func (w *watched) collect(out chan<- prometheus.Metric, v *vectors) {
	w.mu.Lock()
	var clients []ftpx.Client
	for _, c := range w.clients {
		clients = append(clients, c)
	}
	w.mu.Unlock()
	idle, places := 0, map[place]*health{}
	for _, c := range clients {
		idle += c.Stats().Idle
		for _, h := range c.Health() {
			p := placeOf(h.Host, h.Protocol)
			if places[p] == nil {
				places[p] = &health{raised: map[string]bool{}}
			}
			places[p].add(h)
		}
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	if len(clients) > 0 {
		gauge(w.idle, float64(idle))
	}
	for p, h := range places {
		gauge(w.reset, h.reset.Share(), p.host, p.protocol)
		gauge(w.anomalies, float64(h.anomalies), p.host, p.protocol)
		for i, name := range [...]string{"tcp", "tls", "ssh"} {
			if h.phases[i].Of > 0 { // no handshakes are neither good nor bad
				gauge(w.handshake, h.phases[i].Share(), p.host, p.protocol, name)
			}
		}
		for _, name := range alarms {
			v.alarm.WithLabelValues(p.host, p.protocol, name).Set(number(h.raised[name]))
		}
	}
}

func (h *health) add(o ftpx.HostHealth) {
	join := func(to *ftpx.Rate, r ftpx.Rate) { to.Events, to.Of = to.Events+r.Events, to.Of+r.Of }
	join(&h.reset, o.ResetRate)
	for i, r := range [...]ftpx.Rate{o.TCP, o.TLS, o.SSH} {
		join(&h.phases[i], r)
	}
	h.anomalies += o.Anomalies
	for _, a := range o.Alarms {
		h.raised[a.Alarm] = true
	}
}
