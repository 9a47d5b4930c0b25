//go:build linux

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
)

const pageFile = "../../docs/doctor.md"

// TestPage: docs/doctor.md is what the lab writes when all is as it must be.
func TestPage(t *testing.T) {
	have, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	if want := page(expected()); !bytes.Equal(have, want) {
		t.Errorf("docs/doctor.md is not what the code says: run go run ./internal/doctorlab -write docs/doctor.md")
	}
}

// TestScenarios: each names a code that exists, and no two are alike.
func TestScenarios(t *testing.T) {
	seen := map[string]bool{}
	broken, healthy, imitated := 0, 0, 0
	for _, s := range scenarios() {
		if s.want == "" {
			healthy++
		} else if _, err := doctor.Explain(s.want); err != nil {
			t.Errorf("%s: %v", s.name, err)
		} else {
			broken++
		}
		if strings.HasPrefix(s.server, "imitated") {
			imitated++
		}
		if key := s.name + "/" + s.server; seen[key] {
			t.Errorf("%s is there twice", key)
		} else {
			seen[key] = true
		}
	}
	if broken < 30 || healthy < 8 || imitated > broken/3 {
		t.Errorf("%d broken set-ups, %d healthy ones, %d imitated servers", broken, healthy, imitated)
	}
}

// TestVerdict: what is not as it must be is an error.
func TestVerdict(t *testing.T) {
	if err := verdictOn(expected()); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func([]result){
		"not found": func(r []result) {
			for i := range r {
				if r[i].want != "" {
					r[i].found = "other"
				}
			}
		},
		"healthy fails":  func(r []result) { r[0].level = "fail" },
		"a second cause": func(r []result) { r[0].others = []string{"zone"} },
		"remedy in vain": func(r []result) {
			for i := range r {
				if r[i].cured != "" {
					r[i].gone = "fail"
				}
			}
		},
		"could not be run": func(r []result) {
			for i := range r {
				r[i].err = os.ErrClosed
			}
		},
	} {
		r := expected()
		spoil(r)
		if verdictOn(r) == nil {
			t.Errorf("%s: no error", name)
		}
		if bytes.Equal(page(r), page(expected())) && name != "healthy fails" {
			t.Errorf("%s: the page does not show it", name)
		}
	}
}
