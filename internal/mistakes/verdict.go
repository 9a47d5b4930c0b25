package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// overlay writes the changed file, and what tells the go command of it.
func (p *planter) overlay(dir string, m *mistake) (name string, err error) {
	text, err := m.planted(p.root)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, text, 0o600); err != nil {
		return "", err
	}
	file := filepath.Join(p.root, filepath.FromSlash(m.file))
	b, err := json.Marshal(map[string]map[string]string{"Replace": {file: changed}})
	if err != nil {
		return "", err
	}
	name = filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, b, 0o600)
}

// module is what the paths of its packages begin with.
const module = "github.com/seed01fc2e40/go-ftpx/"

// verdict is what tests say.
type verdict struct {
	noticed bool
	pkg     string
	test    string // the first that failed, "" where a package failed without one
	hung    bool   // a test ran until the bound
}

// by says in words what noticed.
func (v *verdict) by() string {
	test := v.test
	if test == "" {
		test = "the tests end as a whole"
	}
	if v.hung {
		test += " hangs"
	}
	return test + " in " + strings.TrimPrefix(v.pkg, module)
}

// event is a line of go test -json, see go doc test2json and go help buildjson.
type event struct {
	Action, Package, Test, Output, FailedBuild, ImportPath string
}

// running finds the tests that a binary lists which has run for too long.
var running = regexp.MustCompile(`^\s+(Test\S*) \(\d`)

// read reads the output of go test -json. The error is one of building.
func read(r io.Reader) (v verdict, err error) {
	var built strings.Builder
	last := "" // that has begun and not ended: a panic ends it without a word
	for in := json.NewDecoder(r); ; {
		var e event
		if err := in.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return v, fmt.Errorf("go test -json: %w", err)
		}
		if e.Action == "run" {
			last = e.Test
		} else if e.Test == last && (e.Action == "pass" || e.Action == "skip") {
			last = ""
		}
		switch {
		case e.Action == "build-output":
			built.WriteString(e.Output)
		case e.Action == "output" && strings.HasPrefix(e.Output, "panic: test timed out"):
			v.hung = true
		case e.Action == "output" && v.hung && v.test == "":
			if found := running.FindStringSubmatch(e.Output); found != nil {
				v.pkg, v.test = e.Package, found[1]
			}
		case e.Action == "fail" && e.FailedBuild != "":
			return v, fmt.Errorf("it does not compile:\n%s", strings.TrimSpace(built.String()))
		case e.Action == "fail":
			if v.noticed = true; v.test == "" {
				v.pkg, v.test = e.Package, cmp.Or(e.Test, last)
			}
		}
	}
	return v, nil
}
