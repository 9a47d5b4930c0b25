package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx/forecast"
)

// The marks between which docs/forecast.md holds the tables.
const (
	beginMark = "<!-- made by go run ./internal/forecastbench -write docs/forecast.md -->\n"
	endMark   = "<!-- end of what is made -->\n"
)

// tables returns the text of the document, and what must not be in it.
func tables(all []result) (text string, problems error) {
	var b strings.Builder
	c := choose(all)
	fmt.Fprint(&b, "### Over all histories but the control\n\n")
	chosen(&b, c)
	fmt.Fprint(&b, "\n### Histories\n\n")
	histories(&b, all)
	fmt.Fprint(&b, "\n### Scores\n\n")
	report(&b, all)
	for _, name := range []string{forecast.BaseRate, forecast.Default} {
		fmt.Fprintf(&b, "\n### Calibration of %s, all histories together\n\n", name)
		calibration(&b, all, slices.Index(c.names, name))
	}
	for _, r := range all {
		for i := range r.scores {
			if r.source.control && r.beats(i) {
				problems = errors.Join(problems, fmt.Errorf("%s claims to beat the base rate on the control %q: it cannot", c.names[i], r.source.name))
			}
		}
	}
	if got := c.names[c.simplest]; got != forecast.Default {
		problems = errors.Join(problems, fmt.Errorf("forecast.Default is %q, but the tables choose %q: change one of them", forecast.Default, got))
	}
	return b.String(), problems
}

// between returns what a document holds before, between and after the marks.
func between(doc string) (before, made, after string, err error) {
	before, rest, ok := strings.Cut(doc, beginMark)
	made, after, ok2 := strings.Cut(rest, endMark)
	if !ok || !ok2 {
		return "", "", "", fmt.Errorf("no lines %q and %q", strings.TrimSpace(beginMark), strings.TrimSpace(endMark))
	}
	return before, made, after, nil
}

// rewrite puts the tables between the marks of a file.
func rewrite(file, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("-write: %w", err)
	}
	before, _, after, err := between(string(old))
	if err != nil {
		return fmt.Errorf("-write %s: %w", file, err)
	}
	return os.WriteFile(file, []byte(before+beginMark+"\n"+text+"\n"+endMark+after), 0o644)
}
