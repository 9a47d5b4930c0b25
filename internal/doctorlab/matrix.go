//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
)

// printMatrix writes a line for each set-up, and the reports of those that are not as they
// must be.
func printMatrix(w io.Writer, results []result) {
	fmt.Fprintf(w, "%-42s %-26s %-16s %-16s %-5s %-6s %s\n", "set-up", "server", "expected", "found first", "alone", "cured", "time")
	for _, r := range results {
		want, found := r.want, r.found
		if want == "" {
			want = "(healthy)"
		}
		if found == "" {
			found = "(nothing)"
		}
		if r.err != nil {
			found = "ERROR"
		}
		alone := "yes"
		if len(r.others) > 0 {
			alone = "NO"
		}
		cured := r.gone
		if r.cured == "" {
			cured = "-"
		}
		mark := ""
		if !r.good() {
			mark = "  <--"
		}
		fmt.Fprintf(w, "%-42s %-26s %-16s %-16s %-5s %-6s %.1fs%s\n", r.name, r.server, want, found, alone, cured, r.took.Seconds(), mark)
	}
	for _, r := range results {
		if r.good() {
			continue
		}
		fmt.Fprintf(w, "\n--- %s\n", r.name)
		if r.err != nil {
			fmt.Fprintln(w, r.err)
		}
		if len(r.others) > 0 {
			fmt.Fprintln(w, "blamed besides:", strings.Join(r.others, ", "))
		}
		if r.gone != "" && r.gone != "yes" {
			fmt.Fprintln(w, "after the remedy:", r.gone)
		}
		fmt.Fprint(w, r.report)
	}
	c := count(results)
	fmt.Fprintf(w, "\n%d broken set-ups: %d found and first; %d of %d remedies mend; %d others blamed. %d healthy: %d without a failure.\n",
		c.broken, c.first, c.mended, c.remedies, c.blamed, c.healthy, c.well)
}

// counts sums results up.
type counts struct{ broken, first, remedies, mended, blamed, healthy, well int }

func count(results []result) (c counts) {
	for _, r := range results {
		c.blamed += len(r.others)
		if r.want == "" {
			c.healthy++
			if r.err == nil && r.level != "fail" {
				c.well++
			}
			continue
		}
		c.broken++
		if r.err == nil && r.found == r.want {
			c.first++
		}
		if r.cured != "" {
			c.remedies++
			if r.gone == "yes" {
				c.mended++
			}
		}
	}
	return c
}

// leastFound is the share of broken set-ups whose cause must be found, and first.
const leastFound = 0.95

// verdictOn is the error of results that are not good enough.
func verdictOn(results []result) error {
	c := count(results)
	switch {
	case float64(c.first) < leastFound*float64(c.broken):
		return fmt.Errorf("of %d causes %d were found first", c.broken, c.first)
	case c.well < c.healthy:
		return fmt.Errorf("of %d healthy servers %d were called broken", c.healthy, c.healthy-c.well)
	case c.blamed > 0:
		return fmt.Errorf("%d second causes were blamed", c.blamed)
	case c.mended < c.remedies:
		return fmt.Errorf("of %d remedies %d did not mend", c.remedies, c.remedies-c.mended)
	}
	return nil
}
