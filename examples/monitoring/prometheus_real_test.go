//go:build linux && realserver

package monitoring_test

import (
	"strings"
	"testing"
)

// promtool's own tests of the rules, and what the programs say of the other files.
func TestRulesRealPromtool(t *testing.T) {
	promtool, amtool := program(t, "promtool"), program(t, "amtool")
	output(t, promtool, "check", "config", "prometheus/prometheus.yml")
	output(t, promtool, "check", "rules", rulesFile, alertsFile)
	out := output(t, promtool, "test", "rules", "prometheus/ftpx.rules.test.yml")
	if !strings.Contains(out, "SUCCESS") {
		t.Error(out)
	}
	output(t, amtool, "check-config", "alertmanager/alertmanager.yml")
}
