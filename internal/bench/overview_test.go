//go:build linux

package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestOverview(t *testing.T) {
	var b bytes.Buffer
	overview(&b, []verdict{
		{"s/sftp/up", "at least 1.5 times as fast as OpenSSH sftp", "2.00 times OpenSSH sftp", true},
		{"s/sftp/up", "more than 1 times as fast as pkg/sftp", "0.50 times pkg/sftp", false},
		{"s/ftp/up", "at most 11 times the time of 1,000", "6.2 times", true},
	})
	for _, want := range []string{"    s/sftp/up                        0.50  ==  |                            pkg/sftp\n", "| s | 3 | 2 |\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
	if strings.Contains(b.String(), "s/ftp/up") {
		t.Errorf("a goal without a peer is in the picture:\n%s", &b)
	}
}

// TestPublishedOverview: docs/benchmarks.md opens with the overview of its own goals.
func TestPublishedOverview(t *testing.T) {
	text, err := os.ReadFile("../../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []verdict
	for _, m := range regexp.MustCompile(`(?m)^\| ([^|]+/[^|]+) \| ([^|]+) \| ([^|]+) \| (met|\*\*not met\*\*) \|$`).FindAllStringSubmatch(string(text), -1) {
		all = append(all, verdict{m[1], m[2], m[3], m[4] == "met"})
	}
	if len(all) < 50 {
		t.Fatalf("only %d goals were found", len(all))
	}
	var want bytes.Buffer
	overview(&want, all)
	if !bytes.HasPrefix(text, append([]byte(title), want.Bytes()...)) {
		t.Errorf("docs/benchmarks.md does not open with\n%s%s", title, &want)
	}
}
