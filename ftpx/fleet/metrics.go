package fleet

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
)

// WriteMetrics writes what a fleet and a worker are at in Prometheus' text format. Labels are
// names out of the configuration, and nothing that a server says. status may be nil where the
// engine is away, and stats where there is no worker.
func WriteMetrics(w io.Writer, status *Status, stats *Stats) error {
	m := &metrics{}
	if status != nil {
		m.fleet(status)
	}
	if stats != nil {
		m.worker(stats)
	}
	_, err := w.Write(m.Bytes())
	return err
}

type metrics struct{ bytes.Buffer }

func (m *metrics) family(name, kind, help string) {
	fmt.Fprintf(m, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (m *metrics) value(name, labels string, v float64) {
	if labels != "" {
		labels = "{" + labels + "}"
	}
	fmt.Fprintf(m, "%s%s %s\n", name, labels, strconv.FormatFloat(v, 'g', -1, 64))
}

func (m *metrics) fleet(s *Status) {
	names := slices.Sorted(maps.Keys(s.Targets))
	m.family("ftpx_fleet_jobs", "gauge", "Jobs of a target by class and state.")
	m.each(s, names, func(at string, c *ClassStatus) {
		for _, v := range []struct {
			state State
			n     int
		}{{Queued, c.Queued}, {Running, c.Running}, {Waiting, c.Waiting}, {Dead, c.Dead}} {
			m.value("ftpx_fleet_jobs", fmt.Sprintf("%s,state=%q", at, v.state), float64(v.n))
		}
	})
	m.family("ftpx_fleet_oldest_job_seconds", "gauge", "Age of the oldest job that is queued or running.")
	m.each(s, names, func(at string, c *ClassStatus) { m.value("ftpx_fleet_oldest_job_seconds", at, c.Oldest.Seconds()) })
	m.family("ftpx_fleet_redelivered_jobs", "gauge", "Jobs that are with a worker which was not the first.")
	m.each(s, names, func(at string, c *ClassStatus) { m.value("ftpx_fleet_redelivered_jobs", at, float64(c.Redelivered)) })
	for _, g := range []struct {
		name, help string
		of         func(*TargetStatus) int
	}{
		{"ftpx_fleet_connections", "Connections that a target allows.", func(t *TargetStatus) int { return t.Connections }},
		{"ftpx_fleet_connections_held", "Connections that workers may have open.", func(t *TargetStatus) int { return t.Held }},
		{"ftpx_fleet_target_paused", "1 if a target is paused.", func(t *TargetStatus) int { return btoi(t.Pause != nil) }},
		{"ftpx_fleet_target_down", "1 if a target cannot be reached.", func(t *TargetStatus) int { return btoi(t.Down != nil) }},
	} {
		m.family(g.name, "gauge", g.help)
		for _, name := range names {
			m.value(g.name, fmt.Sprintf("target=%q", name), float64(g.of(s.Targets[name])))
		}
	}
	m.family("ftpx_fleet_store_bytes", "gauge", "Bytes of jobs in the store.")
	m.value("ftpx_fleet_store_bytes", "", float64(s.Bytes))
}

func (m *metrics) each(s *Status, names []string, do func(labels string, c *ClassStatus)) {
	for _, name := range names {
		for _, class := range classes() {
			do(fmt.Sprintf("target=%q,class=%q", name, class), s.class(name, class))
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (m *metrics) worker(s *Stats) {
	m.family("ftpx_fleet_worker_jobs_total", "counter", "Tries of jobs by how they ended.")
	for _, v := range []struct {
		end string
		n   int64
	}{{"done", s.Done}, {"dead", s.Dead}, {"cancelled", s.Cancelled}, {"again", s.Again}} {
		m.value("ftpx_fleet_worker_jobs_total", fmt.Sprintf("end=%q", v.end), float64(v.n))
	}
	for _, c := range []struct {
		name, help string
		n          int64
	}{
		{"ftpx_fleet_worker_duplicates_total", "Messages dropped because their job is elsewhere or has ended.", s.Duplicates},
		{"ftpx_fleet_worker_redelivered_total", "Jobs taken over.", s.Redelivered},
		{"ftpx_fleet_worker_lost_total", "Jobs given up because the engine was silent.", s.Lost},
		{"ftpx_fleet_worker_logins_total", "Attempts to log in.", s.Logins},
		{"ftpx_fleet_worker_logins_refused_total", "Logins that the server refused.", s.Refused},
		{"ftpx_fleet_worker_moved_bytes_total", "Payload moved, what had to be moved again included.", s.Moved},
		{"ftpx_fleet_worker_needed_bytes_total", "Payload of jobs that are done, less what was there.", s.Needed},
	} {
		m.family(c.name, "counter", c.help)
		m.value(c.name, "", float64(c.n))
	}
	m.family("ftpx_fleet_worker_connections", "gauge", "Connections that this worker holds, or asks for.")
	m.value("ftpx_fleet_worker_connections", "", float64(s.Held))
	m.family("ftpx_fleet_worker_running", "gauge", "Jobs that this worker does now.")
	m.value("ftpx_fleet_worker_running", "", float64(s.Running))
}
