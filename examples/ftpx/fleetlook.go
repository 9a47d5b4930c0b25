package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/fleet"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// what says what a job does, with names as they are.
func what(r *fleet.Record) string {
	j := &r.Job
	_, _, fromRoot := splitName(j.Source)
	switch {
	case j.Op == fleet.Download, j.Op == fleet.Mirror && !fromRoot:
		return fmt.Sprintf("%s %s:%s to %s", j.Op, j.Target, j.Source, j.Dest)
	case j.Op == fleet.Delete || j.Source == "":
		return fmt.Sprintf("%s %s:%s", j.Op, j.Target, j.Dest)
	}
	return fmt.Sprintf("%s %s to %s:%s", j.Op, j.Source, j.Target, j.Dest)
}

// line is a record for people.
func line(r *fleet.Record) string {
	text := fmt.Sprintf("%s %s (%s)", r.State, what(r), r.Job.ID)
	if !r.Until.IsZero() && r.State == fleet.Waiting {
		text += " until " + r.Until.Local().Format(time.DateTime)
	}
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	return transport.Printable(text)
}

type fleetStatusCmd struct {
	engine
	ID    []string `arg:"" name:"id" optional:"" help:"Jobs to show, in place of the whole fleet."`
	Group string   `placeholder:"WORD" group:"job" help:"Show the jobs of a group."`
	JSON  bool     `name:"json" group:"show" help:"Print JSON."`
}

// Run prints what the fleet is at.
func (c *fleetStatusCmd) Run(w *world) error {
	return c.with(w, func(ctx context.Context, f *fleet.Fleet) error {
		show := func(r *fleet.Record) error {
			if c.JSON {
				return json.NewEncoder(w.env.Stdout).Encode(r)
			}
			_, err := fmt.Fprintln(w.env.Stdout, line(r))
			return err
		}
		if c.Group != "" {
			return f.Records(ctx, c.Group, show)
		}
		for _, id := range c.ID {
			r, err := f.Record(ctx, id)
			if err != nil {
				return err
			}
			if err := show(r); err != nil {
				return err
			}
		}
		if len(c.ID) > 0 {
			return nil
		}
		s, err := f.Status(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(w.env.Stdout).Encode(s)
		}
		return c.print(w, s)
	})
}

func (c *fleetStatusCmd) print(w *world, s *fleet.Status) error {
	fmt.Fprintf(w.env.Stdout, "engine: NATS %s, replicas %d, %d bytes\n", s.Server, s.Replicas, s.Bytes)
	for _, u := range s.Unproven {
		fmt.Fprintln(w.env.Stdout, "unproven:", u)
	}
	t := tabwriter.NewWriter(w.env.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "TARGET\tCLASS\tQUEUED\tRUNNING\tWAITING\tDEAD\tOLDEST\tCONNECTIONS\t")
	for _, name := range slices.Sorted(maps.Keys(s.Targets)) {
		at := s.Targets[name]
		for _, class := range []fleet.Class{fleet.Urgent, fleet.Normal, fleet.Bulk} {
			k := at.Classes[class]
			if *k == (fleet.ClassStatus{}) && class != fleet.Normal {
				continue
			}
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%v\t%d of %d\t\n", name, class, k.Queued, k.Running, k.Waiting, k.Dead, k.Oldest.Round(time.Second), at.Held, at.Connections)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(s.Targets)) {
		at := s.Targets[name]
		if p := at.Pause; p != nil {
			fmt.Fprintf(w.env.Stdout, "%s is paused since %s by %s: %s\n", name, p.At.Local().Format(time.DateTime), transport.Printable(p.By), transport.Printable(p.Reason))
		}
		if d := at.Down; d != nil {
			fmt.Fprintf(w.env.Stdout, "%s is down, tried again at %s: %s\n", name, d.Until.Local().Format(time.TimeOnly), transport.Printable(d.Reason))
		}
	}
	return nil
}

type fleetTailCmd struct {
	engine
	JSON bool `name:"json" group:"show" help:"Print JSON lines."`
}

// Run prints events until a signal.
func (c *fleetTailCmd) Run(w *world) error {
	return c.with(w, func(ctx context.Context, f *fleet.Fleet) error {
		return f.Follow(ctx, func(t fleet.Told) {
			switch {
			case c.JSON:
				_ = json.NewEncoder(w.env.Stdout).Encode(t)
			case t.Record != nil:
				fmt.Fprintln(w.env.Stdout, line(t.Record))
			default:
				fmt.Fprintln(w.env.Stdout, transport.Printable(t.What+" "+t.Target))
			}
		})
	})
}

type fleetDeadCmd struct {
	engine
	Target string `arg:"" optional:"" help:"Target; default: all."`
	JSON   bool   `name:"json" group:"show" help:"Print JSON lines."`
}

// Run lists dead jobs.
func (c *fleetDeadCmd) Run(w *world) error {
	return c.with(w, func(ctx context.Context, f *fleet.Fleet) error {
		dead, err := f.Dead(ctx, c.Target)
		for _, r := range dead {
			if c.JSON {
				_ = json.NewEncoder(w.env.Stdout).Encode(r)
			} else {
				fmt.Fprintln(w.env.Stdout, line(r))
			}
		}
		return err
	})
}
