package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
)

// listChecks prints all codes.
func listChecks(w *world) error {
	for _, c := range doctor.Checks() {
		asked := ""
		if c.OnRequest {
			asked = " (on request)"
		}
		if _, err := fmt.Fprintf(w.env.Stdout, "%-10s  %-15s  %s%s\n", c.Layer, c.Code, c.Title, asked); err != nil {
			return err
		}
	}
	return nil
}

// explain prints one.
func explain(w *world, code string) error {
	c, err := doctor.Explain(code)
	if err != nil {
		return fmt.Errorf("%w: --explain: %w", cli.ErrUsage, err)
	}
	out := w.env.Stdout
	fmt.Fprintf(out, "%s: %s\n\nlayer:    %s\nsymptom:  %s\nremedy:   %s\n", c.Code, c.Title, c.Layer, c.Symptom, c.Remedy)
	if c.OnRequest {
		fmt.Fprintln(out, "asked by: --scratch, --connections or --idle")
	}
	for _, s := range slices.Sorted(maps.Keys(c.Directives)) {
		fmt.Fprintf(out, "%-17s %s\n", s+":", c.Directives[s])
	}
	return nil
}

// losses prints what a log says of lost connections.
func (c *doctorCmd) losses(w *world) error {
	f, err := os.Open(c.Events)
	if err != nil {
		return fmt.Errorf("%w: --events: %w", cli.ErrUsage, err)
	}
	defer f.Close()
	all, err := doctor.ReadEvents(f)
	if err != nil {
		return fmt.Errorf("%w: --events %s: %w", cli.ErrUsage, c.Events, err)
	}
	if c.Json {
		e := json.NewEncoder(w.env.Stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(all)
	}
	return doctor.WriteLosses(w.env.Stdout, all)
}
