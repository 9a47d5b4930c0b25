package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
)

// metrics is what a probe tells, in Prometheus's text format 0.0.4. probe_success and
// probe_duration_seconds have the blackbox exporter's names, so that its dashboards and
// alerts go on working. Labels hold what the configuration and the checks name, never what a
// server says.
type metrics struct {
	failed bool
	checks []string
}

// levels are the values of ftpx_doctor_check.
var levels = map[doctor.Verdict]int{doctor.OK: 0, doctor.Note: 1, doctor.Warn: 2, doctor.Fail: 3, doctor.Skipped: -1}

// add takes in a report; with an error nothing, or not all, was examined.
func (m *metrics) add(rep *doctor.Report, err error) {
	if err != nil {
		m.failed = true
	}
	if rep == nil {
		return
	}
	m.failed = m.failed || rep.Worst() == doctor.Fail
	for _, t := range rep.Targets {
		for _, f := range t.Findings {
			m.checks = append(m.checks, fmt.Sprintf("ftpx_doctor_check{address=%s,protocol=%s,layer=%s,code=%s} %d\n",
				label(t.Address), label(t.Protocol.String()), label(string(f.Layer)), label(f.Code), levels[f.Verdict]))
		}
	}
}

// text writes all of it. begin is when the run began.
func (m *metrics) text(begin time.Time) []byte {
	var b bytes.Buffer
	success := 1
	if m.failed {
		success = 0
	}
	fmt.Fprintf(&b, "# HELP probe_success Whether nothing fails.\n# TYPE probe_success gauge\nprobe_success %d\n", success)
	fmt.Fprintf(&b, "# HELP probe_duration_seconds How long the examination took.\n# TYPE probe_duration_seconds gauge\nprobe_duration_seconds %g\n", time.Since(begin).Seconds())
	fmt.Fprintf(&b, "# HELP ftpx_doctor_run_timestamp_seconds When it began.\n# TYPE ftpx_doctor_run_timestamp_seconds gauge\nftpx_doctor_run_timestamp_seconds %d\n", begin.Unix())
	if len(m.checks) > 0 {
		fmt.Fprint(&b, "# HELP ftpx_doctor_check What a check came to: 0 well, 1 note, 2 warning, 3 failure, -1 skipped because of a failure.\n# TYPE ftpx_doctor_check gauge\n")
	}
	seen := map[string]bool{}
	for _, line := range slices.Clone(m.checks) {
		series, _, _ := strings.Cut(line, "} ")
		if !seen[series] { // two targets of a job may be one server
			b.WriteString(line)
		}
		seen[series] = true
	}
	return b.Bytes()
}

// label quotes a label's value.
func label(v string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(v) + `"`
}
