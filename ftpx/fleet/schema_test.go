package fleet

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestSchema: docs/fleet-job.schema.json has the fields of a job and no others, and the very
// patterns and bounds.
func TestSchema(t *testing.T) {
	data, err := os.ReadFile("../../docs/fleet-job.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		AdditionalProperties *bool    `json:"additionalProperties"`
		Required             []string `json:"required"`
		Properties           map[string]struct {
			Enum     []string `json:"enum"`
			MaxItems int      `json:"maxItems"`
			Maximum  int      `json:"maximum"`
		} `json:"properties"`
		Defs map[string]struct {
			Pattern string `json:"pattern"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Job]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		known[name] = true
		if _, ok := schema.Properties[name]; !ok {
			t.Errorf("%s is not in the schema", name)
		}
	}
	for name := range schema.Properties {
		if !known[name] {
			t.Errorf("%s is in the schema, and no field", name)
		}
	}
	p := schema.Properties
	var words []string
	for _, c := range classes() {
		words = append(words, string(c))
	}
	if !slices.Equal(p["class"].Enum, words) || p["after"].MaxItems != maxAfter || p["version"].Maximum != Version {
		t.Errorf("%+v", p)
	}
	if schema.Defs["word"].Pattern != idPattern.String() || schema.Defs["name"].Pattern != namePattern.String() {
		t.Errorf("%+v", schema.Defs)
	}
	if schema.AdditionalProperties == nil || *schema.AdditionalProperties || len(schema.Required) != 3 {
		t.Errorf("%s", data)
	}
	for _, op := range p["op"].Enum {
		j := Job{Op: Op(op), ID: "x", Version: 1, Target: "acme", Class: Normal, Source: "out:a", Dest: "b"}
		switch j.Op {
		case Download:
			j.Source, j.Dest = "a", "out:b"
		case Delete:
			j.Source = ""
		}
		if err := j.Check(); err != nil {
			t.Errorf("%s: %v", op, err)
		}
	}
	for name, patterns := range map[string]func(string) error{
		"class": func(s string) error {
			return (&Job{Version: 1, ID: "x", Target: "a", Op: Delete, Dest: "b", Class: Class(s)}).Check()
		},
		"verify": func(s string) error {
			return (&Job{Version: 1, ID: "x", Target: "a", Op: Delete, Dest: "b", Class: Normal, Verify: s}).Check()
		},
		"delivery": func(s string) error { var j Job; return j.Delivery.UnmarshalText([]byte(s)) },
	} {
		for _, word := range p[name].Enum {
			if err := patterns(word); err != nil {
				t.Errorf("%s %s: %v", name, word, err)
			}
		}
	}
}
