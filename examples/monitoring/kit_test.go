package monitoring_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"

	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxprom"
)

// The files of the kit.
const (
	rulesFile     = "prometheus/ftpx.rules.yml"
	alertsFile    = "prometheus/ftpx.alerts.yml"
	dashboardFile = "grafana/ftpx.json"
	templateFile  = "zabbix/ftpx.yaml"
)

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// exported are the names of all series that package ftpxprom has, with those that a
// classic histogram makes of one.
func exported(t *testing.T) []string {
	t.Helper()
	m, err := ftpxprom.New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		m.Describe(descs)
	}()
	var names []string
	fqName := regexp.MustCompile(`fqName: "([a-z_]+)"`)
	for d := range descs {
		name := fqName.FindStringSubmatch(d.String())[1]
		names = append(names, name)
		if strings.HasSuffix(name, "_seconds") {
			names = append(names, name+"_bucket", name+"_count", name+"_sum")
		}
	}
	return names
}

type rule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
	For                 string
	KeepFiringFor       string `yaml:"keep_firing_for"`
}

func rules(t *testing.T, name string) []rule {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	d := yaml.NewDecoder(strings.NewReader(read(t, name)))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var all []rule
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// panel is one of the dashboard's.
type panel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ H, W, X, Y int }
	Targets []struct{ Expr string }
}

func panels(t *testing.T) []panel {
	t.Helper()
	var d struct {
		SchemaVersion int
		Panels        []panel
	}
	if err := json.Unmarshal([]byte(read(t, dashboardFile)), &d); err != nil {
		t.Fatal(err)
	}
	if d.SchemaVersion < 36 || len(d.Panels) == 0 {
		t.Fatalf("schema %d, %d panels", d.SchemaVersion, len(d.Panels))
	}
	return d.Panels
}

// series finds the names of series in an expression.
var series = regexp.MustCompile(`\b(?:[a-z_]+:)?ftpx_[a-z_]+(?::[a-z_]+)?\b`)

// Every series that the kit asks for is exported by the library or recorded by a rule.
func TestSeriesExist(t *testing.T) {
	known := exported(t)
	texts := map[string]string{}
	for _, r := range rules(t, rulesFile) {
		known = append(known, r.Record)
		texts["rule "+r.Record] = r.Expr
	}
	for _, r := range rules(t, alertsFile) {
		texts["alert "+r.Alert] = r.Expr
	}
	for _, p := range panels(t) {
		for _, target := range p.Targets {
			texts["panel "+p.Title] += target.Expr + "\n"
		}
	}
	for _, pattern := range regexp.MustCompile(`'(ftpx_[^']*)'`).FindAllStringSubmatch(read(t, templateFile), -1) {
		texts["zabbix "+pattern[1]] = pattern[1]
	}
	if len(texts) < 40 {
		t.Fatalf("%d expressions found", len(texts))
	}
	used := map[string]bool{}
	for where, expr := range texts {
		names := series.FindAllString(expr, -1)
		if len(names) == 0 && where != "panel Is it well?" && where != "panel Work" && where != "panel Connections" {
			t.Errorf("%s: no series in %q", where, expr)
		}
		for _, name := range names {
			used[name] = true
			if !slices.Contains(known, name) {
				t.Errorf("%s asks for %s, which nobody exports", where, name)
			}
		}
	}
	for _, r := range rules(t, rulesFile) {
		if !used[r.Record] {
			t.Errorf("nobody uses %s", r.Record)
		}
	}
}

func TestAlertsSayWhatToDo(t *testing.T) {
	for _, r := range rules(t, alertsFile) {
		if r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s has no severity, summary or description", r.Alert)
		}
	}
}

func TestDashboard(t *testing.T) {
	seen := map[int]bool{}
	all := panels(t)
	for i, p := range all {
		if p.ID == 0 || seen[p.ID] {
			t.Errorf("%s: id %d is there twice, or missing", p.Title, p.ID)
		}
		seen[p.ID] = true
		g := p.GridPos
		if g.X < 0 || g.W < 1 || g.X+g.W > 24 || g.H < 1 {
			t.Errorf("%s does not fit: %+v", p.Title, g)
		}
		for _, o := range all[:i] {
			q := o.GridPos
			if g.X < q.X+q.W && q.X < g.X+g.W && g.Y < q.Y+q.H && q.Y < g.Y+g.H {
				t.Errorf("%s lies over %s", p.Title, o.Title)
			}
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%s shows nothing", p.Title)
		}
	}
}
