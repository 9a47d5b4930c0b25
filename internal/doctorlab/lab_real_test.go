//go:build linux && realserver

package main

import (
	"bytes"
	"os"
	"regexp"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// TestLab runs all set-ups, in a process in namespaces of its own, and compares the page
// with what came of them.
func TestLab(t *testing.T) {
	realtest.Require(t, append(realserver.Kinds(), realserver.AsyncSSH)...)
	if os.Getenv(insideEnv) == "" {
		if err := again("-test.run=^TestLab$", "-test.v", "-test.timeout=5m"); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := furnish(); err != nil {
		t.Fatal(err)
	}
	l, err := newLab(false)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	results := l.runAll(t.Context(), regexp.MustCompile(""))
	printMatrix(os.Stdout, results)
	if err := verdictOn(results); err != nil {
		t.Error(err)
	}
	have, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, page(results)) {
		t.Error("docs/doctor.md is not what came of the set-ups: run go run ./internal/doctorlab -write docs/doctor.md")
	}
}
