package monitoring_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// What a template for Zabbix 6.0 may have, as far as ours has it. Fields that are not
// here are an error.
type (
	zTag  struct{ Tag, Value string }
	zStep struct {
		Type               string
		Parameters         []string
		ErrorHandler       string `yaml:"error_handler"`
		ErrorHandlerParams string `yaml:"error_handler_params"`
	}
	zTrigger struct {
		UUID, Expression, Name, Opdata, Priority, Description string
	}
	zItem struct {
		UUID, Name, Type, Key, Delay, History, Trends, Units, Description, Timeout, URL string
		ValueType                                                                       string `yaml:"value_type"`
		Valuemap                                                                        struct{ Name string }
		Preprocessing                                                                   []zStep
		MasterItem                                                                      struct{ Key string } `yaml:"master_item"`
		Tags                                                                            []zTag
		Triggers                                                                        []zTrigger
		TriggerPrototypes                                                               []zTrigger `yaml:"trigger_prototypes"`
	}
	zDiscovery struct {
		UUID, Name, Type, Key, Delay, Lifetime string
		ItemPrototypes                         []zItem              `yaml:"item_prototypes"`
		MasterItem                             struct{ Key string } `yaml:"master_item"`
		MacroPaths                             []struct {
			Macro string `yaml:"lld_macro"`
			Path  string
		} `yaml:"lld_macro_paths"`
		Preprocessing []zStep
	}
	zTemplate struct {
		UUID, Template, Name, Description string
		Groups                            []struct{ Name string }
		Items                             []zItem
		DiscoveryRules                    []zDiscovery `yaml:"discovery_rules"`
		Macros                            []struct{ Macro, Value, Description string }
		Valuemaps                         []struct {
			UUID, Name string
			Mappings   []struct{ Value, Newvalue string }
		}
	}
)

// The template against the rules of the format that can be checked without a Zabbix:
// fields, types, parameters, version 4 UUIDs, and that all that is referred to is there.
func TestZabbixTemplate(t *testing.T) {
	var file struct {
		Export struct {
			Version, Date string
			Groups        []struct{ UUID, Name string }
			Templates     []zTemplate
		} `yaml:"zabbix_export"`
	}
	text := read(t, templateFile)
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	if file.Export.Version != "6.0" || len(file.Export.Templates) != 1 || len(file.Export.Templates[0].DiscoveryRules) != 1 {
		t.Fatalf("version %s, %d templates", file.Export.Version, len(file.Export.Templates))
	}
	uuids := regexp.MustCompile(`uuid: (\S+)`).FindAllStringSubmatch(text, -1)
	version4 := regexp.MustCompile(`^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$`)
	seen := map[string]bool{}
	for _, m := range uuids {
		if seen[m[1]] || !version4.MatchString(m[1]) {
			t.Errorf("uuid %s is there twice, or none of version 4", m[1])
		}
		seen[m[1]] = true
	}
	template := file.Export.Templates[0]
	lld := template.DiscoveryRules[0]
	keys := map[string]bool{}
	all := slices.Concat(template.Items, lld.ItemPrototypes)
	for _, i := range all {
		if i.UUID == "" || i.Name == "" || keys[i.Key] {
			t.Errorf("item %q: no uuid, no name, or a key that is there twice", i.Key)
		}
		keys[i.Key] = true
	}
	for _, i := range all {
		switch i.Type {
		case "HTTP_AGENT":
			if i.URL == "" {
				t.Errorf("%s has no URL", i.Key)
			}
		case "DEPENDENT":
			if i.Delay != "0" || !keys[i.MasterItem.Key] || len(i.Preprocessing) == 0 {
				t.Errorf("%s: delay %q, master %q, %d steps", i.Key, i.Delay, i.MasterItem.Key, len(i.Preprocessing))
			}
		default:
			t.Errorf("%s: type %q", i.Key, i.Type)
		}
		if !slices.Contains([]string{"", "FLOAT", "CHAR", "TEXT", "UNSIGNED"}, i.ValueType) {
			t.Errorf("%s: value type %q", i.Key, i.ValueType)
		}
		for _, s := range i.Preprocessing {
			checkStep(t, i.Key, s)
		}
		for _, tr := range slices.Concat(i.Triggers, i.TriggerPrototypes) {
			checkTrigger(t, template.Name, tr, keys)
		}
	}
	for _, p := range lld.ItemPrototypes {
		for _, m := range lld.MacroPaths {
			if !strings.Contains(p.Key, m.Macro) {
				t.Errorf("%s does not have %s in its key", p.Key, m.Macro)
			}
		}
	}
	var macros []string
	for _, m := range template.Macros {
		macros = append(macros, m.Macro)
	}
	for _, m := range regexp.MustCompile(`\{\$[A-Z.]+\}`).FindAllString(text, -1) {
		if !slices.Contains(macros, m) {
			t.Errorf("%s is not defined", m)
		}
	}
	for _, want := range []string{">{$FTPX.RESET.MAX}", "<{$FTPX.HANDSHAKE.MIN}", ">{$FTPX.ANOMALIES.MAX}"} {
		if !strings.Contains(text, want) {
			t.Errorf("no trigger with %s", want)
		}
	}
}

func checkStep(t *testing.T, key string, s zStep) {
	t.Helper()
	many := map[string]int{"PROMETHEUS_PATTERN": 3, "PROMETHEUS_TO_JSON": 1, "MULTIPLIER": 1, "CHANGE_PER_SECOND": 1, "SIMPLE_CHANGE": 1}
	if n, ok := many[s.Type]; !ok || len(s.Parameters) != n {
		t.Errorf("%s: step %s with %d parameters", key, s.Type, len(s.Parameters))
		return
	}
	if s.Type != "PROMETHEUS_PATTERN" {
		return
	}
	switch of, arg := s.Parameters[1], s.Parameters[2]; of {
	case "value":
		if arg != "" {
			t.Errorf("%s: value with %q", key, arg)
		}
	case "label":
		if arg == "" {
			t.Errorf("%s: label without a name", key)
		}
	case "function":
		if !slices.Contains([]string{"sum", "min", "max", "avg", "count"}, arg) {
			t.Errorf("%s: function %q", key, arg)
		}
	default:
		t.Errorf("%s: %q", key, of)
	}
}

func checkTrigger(t *testing.T, template string, tr zTrigger, keys map[string]bool) {
	t.Helper()
	if tr.UUID == "" || !slices.Contains([]string{"INFO", "WARNING", "AVERAGE", "HIGH", "DISASTER"}, tr.Priority) {
		t.Errorf("%s: uuid %q, priority %q", tr.Name, tr.UUID, tr.Priority)
	}
	found := regexp.MustCompile(`\(/([^/]+)/([a-z.]+(?:\[[^\]]*\])?)`).FindAllStringSubmatch(tr.Expression, -1)
	if len(found) == 0 {
		t.Errorf("%s asks for no item: %s", tr.Name, tr.Expression)
	}
	for _, f := range found {
		if f[1] != template || !keys[f[2]] {
			t.Errorf("%s asks for %s of %s, which is not there", tr.Name, f[2], f[1])
		}
	}
}
