package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// least is how many mistakes there are of each area.
var least = map[string]int{
	"session": 10, "upload": 10, "download": 8, "ftp": 10, "sftp": 8, "folder": 8, "retry": 4, "security": 8,
}

// TestListHolds fails when the code has changed under a mistake.
func TestListHolds(t *testing.T) {
	count, names := map[string]int{}, map[string]bool{}
	for _, m := range mistakes() {
		area, _, _ := strings.Cut(m.name, "/")
		count[area]++
		if names[m.name] {
			t.Errorf("%s is there twice", m.name)
		}
		names[m.name] = true
		if m.what == "" || len(m.tests) == 0 {
			t.Errorf("%s does not say what is wrong, or which tests are to notice", m.name)
		}
		for _, pkg := range m.tests {
			if found, err := filepath.Glob(filepath.Join(root, pkg, "*_test.go")); err != nil || len(found) == 0 {
				t.Errorf("%s names %q, which has no tests", m.name, pkg)
			}
		}
		text, err := m.planted(root)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), m.file, text, 0); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
	for area, n := range least {
		if count[area] < n {
			t.Errorf("%d mistakes of %s, want %d", count[area], area, n)
		}
	}
}

func TestListCanFail(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte("package a // one, two two"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ file, old, new, want string }{
		{"a.go", "one", "three", ""},
		{"a.go", "two", "three", "2 times"},
		{"a.go", "four", "three", "0 times"},
		{"a.go", "one", "one", "by itself"},
		{"b.go", "one", "three", "no such file"},
	} {
		m := &mistake{name: "x/y", file: tt.file, old: tt.old, new: tt.new}
		text, err := m.planted(dir)
		switch {
		case tt.want == "":
			if err != nil || string(text) != "package a // three, two two" {
				t.Errorf("%q, %v", text, err)
			}
		case err == nil || !strings.Contains(err.Error(), tt.want):
			t.Errorf("%v: %v, want %q", tt, err, tt.want)
		}
	}
}

func TestVerdict(t *testing.T) {
	for _, tt := range []struct {
		name, lines, by, err string
	}{
		{"all pass", `{"Action":"pass","Package":"m/a","Test":"TestA"}
{"Action":"pass","Package":"m/a"}`, "", ""},
		{"the innermost that failed first", `{"Action":"fail","Package":"m/a","Test":"TestA/b"}
{"Action":"fail","Package":"m/a","Test":"TestA"}
{"Action":"fail","Package":"m/a"}`, "TestA/b in m/a", ""},
		{"a test that hangs", `{"Action":"output","Package":"m/a","Test":"TestA","Output":"panic: test timed out after 1m0s\n"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"\trunning tests:\n"}
{"Action":"output","Package":"m/a","Test":"TestA","Output":"\t\tTestB (1m0s)\n"}
{"Action":"fail","Package":"m/a"}`, "TestB hangs in m/a", ""},
		{"a panic", `{"Action":"run","Package":"m/a","Test":"TestA"}
{"Action":"pass","Package":"m/a","Test":"TestA"}
{"Action":"run","Package":"m/a","Test":"TestB"}
{"Action":"fail","Package":"m/a"}`, "TestB in m/a", ""},
		{"no test at all", `{"Action":"fail","Package":"m/a"}`, "the tests end as a whole in m/a", ""},
		{"does not compile", `{"ImportPath":"m/a","Action":"build-output","Output":"a.go:1: undefined: x\n"}
{"Action":"fail","Package":"m/a","FailedBuild":"m/a"}`, "", "undefined: x"},
		{"no JSON", "go: no", "", "go test -json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := read(strings.NewReader(tt.lines))
			switch {
			case tt.err != "":
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v, want %q", err, tt.err)
				}
			case err != nil || v.noticed != (tt.by != "") || v.noticed && v.by() != tt.by:
				t.Errorf("%+v, %v, want %q", v, err, tt.by)
			}
		})
	}
}
