package doctor_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

const schemaFile = "../../docs/doctor-report.schema.json"

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func valid(s *jsonschema.Schema, data []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// TestSchema: reports of servers that are well, refuse the login and are gone are as the
// schema says, and with a part missing, a part more or a wrong value they are not.
func TestSchema(t *testing.T) {
	sch := schema(t)
	s := ftpxtest.NewServer(t)
	check := func(r *doctor.Report, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := valid(sch, data); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		return data
	}
	cfg := configOf(t, s, ftpx.FTPS)
	well := check(doctor.Run(t.Context(), cfg, nil))
	cfg.Password = "wrong"
	check(doctor.Run(t.Context(), cfg, nil))
	s.Down()
	check(doctor.Run(t.Context(), cfg, nil))

	for change, spoil := range map[string]func(m map[string]any){
		"no targets":       func(m map[string]any) { delete(m, "targets") },
		"another version":  func(m map[string]any) { m["version"] = 2 },
		"a part more":      func(m map[string]any) { m["more"] = 1 },
		"a wrong verdict":  func(m map[string]any) { finding(m)["verdict"] = "perhaps" },
		"a wrong protocol": func(m map[string]any) { target(m)["protocol"] = "smb" },
		"a wrong code":     func(m map[string]any) { finding(m)["code"] = "No Such" },
		"no reason":        func(m map[string]any) { finding(m)["verdict"] = "skipped" },
		"no evidence":      func(m map[string]any) { delete(finding(m), "evidence") },
	} {
		var m map[string]any
		if err := json.Unmarshal(well, &m); err != nil {
			t.Fatal(err)
		}
		spoil(m)
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if valid(sch, data) == nil {
			t.Errorf("taken with %s: %s", change, data)
		}
	}
}

func target(m map[string]any) map[string]any { return m["targets"].([]any)[0].(map[string]any) }
func finding(m map[string]any) map[string]any {
	return target(m)["findings"].([]any)[0].(map[string]any)
}
