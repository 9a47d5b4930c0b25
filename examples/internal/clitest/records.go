package clitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/seed01fc2e40/go-ftpx/ftpx/jobreport"
)

// schemas are those of a report and of a line of -json.
var schemas = sync.OnceValues(func() (s [2]*jsonschema.Schema, err error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	const name = "job-report.schema.json"
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(jobreport.Schema()))
	if err == nil {
		err = c.AddResource(name, doc)
	}
	if err != nil {
		return s, err
	}
	for i, part := range []string{"", "#/$defs/line"} {
		if s[i], err = c.Compile(name + part); err != nil {
			return s, err
		}
	}
	return s, nil
})

// CheckReport checks a report against the schema, CheckLine a line of -json.
func CheckReport(data []byte) error { return checkSchema(0, data) }

// CheckLine checks a line of -json.
func CheckLine(data []byte) error { return checkSchema(1, data) }

func checkSchema(which int, data []byte) error {
	s, err := schemas()
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return s[which].Validate(v)
}

func scriptReport(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "report FILE")
	ts.Check(CheckReport([]byte(ts.ReadFile(args[0]))))
}

func scriptLines(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "lines FILE")
	n := 0
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if err := CheckLine([]byte(line)); err != nil {
			ts.Fatalf("%v: %s", err, line)
		}
		n++
	}
	if n == 0 {
		ts.Fatalf("no lines")
	}
}

// scriptActions is how a plan is compared with what was done: what and where, whatever
// came of it.
func scriptActions(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "actions FILE OUT")
	var actions []string
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var r struct{ Op, Path string }
		ts.Check(json.Unmarshal([]byte(line), &r))
		if r.Op != "summary" && r.Op != "target" && r.Op != "skip" {
			actions = append(actions, fmt.Sprintf("%s %s\n", r.Op, r.Path))
		}
	}
	slices.Sort(actions)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Join(actions, "")), 0o666))
}

// scriptSame compares names and contents; times of files to the second.
func scriptSame(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "same DIR DIR")
	var trees [2]map[string]string
	for i := range trees {
		trees[i] = map[string]string{}
		dir := ts.MkAbs(args[i])
		ts.Check(filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(dir, name)
			if err != nil || d.IsDir() {
				trees[i][rel] = "a folder"
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			data, err := os.ReadFile(name)
			trees[i][rel] = fmt.Sprint(info.ModTime().Unix(), string(data))
			return err
		}))
	}
	if !maps.Equal(trees[0], trees[1]) {
		for i, tree := range trees {
			for name, v := range tree {
				if trees[1-i][name] != v {
					ts.Logf("%s of %s is not as in %s", name, args[i], args[1-i])
				}
			}
		}
		ts.Fatalf("they differ")
	}
}
