//go:build linux

package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
)

// intro is the page's beginning, which no table tells.
//
//go:embed intro.md
var intro string

// page makes docs/doctor.md of the checks and of what came of the set-ups. Nothing in it
// depends on ports or times, so that two runs make the same page.
func page(results []result) []byte {
	var b bytes.Buffer
	b.WriteString(intro)
	writeChecks(&b, results)
	writeRemedies(&b)
	writeLab(&b, results)
	return b.Bytes()
}

func writeChecks(b *bytes.Buffer, results []result) {
	shown, real := map[string]int{}, map[string]bool{}
	for _, r := range results {
		shown[r.want]++
		real[r.want] = real[r.want] || !strings.Contains(r.server, "imitated")
	}
	fmt.Fprint(b, "\n## The checks\n\nIn the order in which they are made. \"Shown by\" is the number of set-ups of the lab, below, in which the code was found.\n\n")
	fmt.Fprint(b, "| layer | code | what | symptom | needs | shown by |\n|---|---|---|---|---|---|\n")
	var never, imitated []string
	for _, c := range doctor.Checks() {
		needs := c.Needs
		if needs == "" {
			needs = "-"
		}
		if c.OnRequest {
			needs += ", on request"
		}
		fmt.Fprintf(b, "| %s | `%s` | %s | %s | %s | %d |\n", c.Layer, c.Code, cell(c.Title), cell(c.Symptom), needs, shown[c.Code])
		switch code := "`" + c.Code + "`"; {
		case shown[c.Code] == 0:
			never = append(never, code)
		case !real[c.Code]:
			imitated = append(imitated, code)
		}
	}
	if len(imitated) > 0 {
		fmt.Fprintf(b, "\nShown by an imitated server, firewall or name server alone, after what is known of real ones: %s.\n", strings.Join(imitated, ", "))
	}
	if len(never) > 0 {
		fmt.Fprintf(b, "\nNo set-up shows %s: take what they say with care.\n", strings.Join(never, ", "))
	}
}

func writeRemedies(b *bytes.Buffer) {
	fmt.Fprint(b, "\n## Remedies and directives\n\nDirectives of vsftpd, ProFTPD, Pure-FTPd and sshd that the lab applies are marked in its table. Those of FileZilla Server, IIS and\nAWS Transfer are from their documentation and were not tried.\n\n")
	fmt.Fprint(b, "| code | remedy | directives |\n|---|---|---|\n")
	for _, c := range doctor.Checks() {
		var ds []string
		for _, s := range slices.Sorted(maps.Keys(c.Directives)) {
			ds = append(ds, fmt.Sprintf("%s: `%s`", s, c.Directives[s]))
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", c.Code, cell(c.Remedy), cell(strings.Join(ds, "; ")))
	}
}

func writeLab(b *bytes.Buffer, results []result) {
	c := count(results)
	fmt.Fprintf(b, "\n## The lab\n\n    go run ./internal/doctorlab\n\nbreaks servers on purpose, as root, in a network namespace of its own, and compares what the doctor says with what was broken. The\ncause must come first, no second cause may be blamed, and after the remedy the finding must be gone. The last run: of %d broken set-ups\nthe cause was found, and first, in %d; %d of %d remedies mend; of %d healthy servers %d were called well. \"Imitated\" is a server or a\nfirewall of a few lines, for what none of the servers does.\n\n",
		c.broken, c.first, c.mended, c.remedies, c.healthy, c.well)
	fmt.Fprint(b, "| set-up | server | code | found first | remedy applied | gone after it |\n|---|---|---|---|---|---|\n")
	for _, r := range results {
		code, first := "`"+r.want+"`", "yes"
		if r.want == "" {
			code, first = "(healthy)", "nothing, as it should be"
		}
		if r.err != nil || r.found != r.want || len(r.others) > 0 {
			first = "NO"
		}
		cured, gone := "-", "-"
		if r.cured != "" {
			cured, gone = cell(r.cured), r.gone
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", cell(r.name), cell(r.server), code, first, cured, gone)
	}
}

// cell keeps a text within a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(text)
}

// expected are the results of a run in which all is as it must be.
func expected() []result {
	var out []result
	for _, s := range scenarios() {
		r := result{scenario: s, found: s.want}
		if s.cured != "" {
			r.gone = "yes"
		}
		out = append(out, r)
	}
	return out
}
