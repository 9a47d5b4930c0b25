package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/user"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx/fleet"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

type fleetCancelCmd struct {
	engine
	ID []string `arg:"" name:"id" help:"Jobs."`
}

// Run cancels jobs.
func (c *fleetCancelCmd) Run(w *world) error {
	return c.with(w, func(ctx context.Context, f *fleet.Fleet) error {
		return eachID(w, c.ID, func(id string) (*fleet.Record, error) { return f.Cancel(ctx, id) })
	})
}

// eachID does something about each job, and goes on after one that fails.
func eachID(w *world, ids []string, do func(id string) (*fleet.Record, error)) error {
	var errs []error
	for _, id := range ids {
		r, err := do(id)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintln(w.env.Stdout, line(r))
	}
	return errors.Join(errs...)
}

type fleetReplayCmd struct {
	engine
	ID            []string      `arg:"" name:"id" optional:"" help:"Jobs."`
	Target        string        `placeholder:"NAME" group:"job" help:"All dead jobs of a target."`
	ResendUnknown bool          `group:"way" help:"Replay jobs that may have been delivered, too: the receiver may get them twice."`
	Within        time.Duration `placeholder:"TIME" group:"way" help:"A new deadline, from now (none)."`
}

// Run replays jobs.
func (c *fleetReplayCmd) Run(w *world) error {
	return c.with(w, func(ctx context.Context, f *fleet.Fleet) error {
		o := &fleet.ReplayOptions{Unknown: c.ResendUnknown}
		if c.Within > 0 {
			o.Deadline = time.Now().Add(c.Within)
		}
		ids := c.ID
		if c.Target != "" {
			dead, err := f.Dead(ctx, c.Target)
			if err != nil {
				return err
			}
			for _, r := range dead {
				ids = append(ids, r.Job.ID)
			}
		} else if len(ids) == 0 {
			return fmt.Errorf("%w: name jobs, or a target with --target", cli.ErrUsage)
		}
		return eachID(w, ids, func(id string) (*fleet.Record, error) { return f.Replay(ctx, id, o) })
	})
}

type fleetPauseCmd struct {
	engine
	Target string `arg:"" help:"Target."`
	Reason string `placeholder:"TEXT" group:"job" help:"Reason to show in the status."`
}

// Run pauses a target.
func (c *fleetPauseCmd) Run(w *world) error {
	return c.with(w, func(ctx context.Context, f *fleet.Fleet) error {
		p := fleet.Pause{Reason: transport.Printable(c.Reason), By: "somebody"}
		if u, err := user.Current(); err == nil {
			p.By = u.Username
		}
		if p.Reason == "" {
			p.Reason = "no reason was given"
		}
		return f.Pause(ctx, c.Target, p)
	})
}

type fleetResumeCmd struct {
	engine
	Target string `arg:"" help:"Target."`
}

// Run resumes a target.
func (c *fleetResumeCmd) Run(w *world) error {
	return c.with(w, func(ctx context.Context, f *fleet.Fleet) error { return f.Resume(ctx, c.Target) })
}

type fleetDrainCmd struct {
	engine
	Worker string `arg:"" optional:"" help:"Name of the worker; default: all."`
}

// Run drains workers.
func (c *fleetDrainCmd) Run(w *world) error {
	return c.with(w, func(_ context.Context, f *fleet.Fleet) error { return f.Drain(c.Worker) })
}

type fleetReconcileCmd struct {
	engine
	Journal string `required:"" placeholder:"FILE" group:"job" help:"The file that submit --journal has written."`
	JSON    bool   `name:"json" group:"show" help:"Print JSON."`
}

// Run submits again what was lost.
func (c *fleetReconcileCmd) Run(w *world) error {
	return c.with(w, func(ctx context.Context, f *fleet.Fleet) error {
		sum, err := f.Reconcile(ctx, c.Journal)
		if c.JSON {
			_ = json.NewEncoder(w.env.Stdout).Encode(sum)
		} else {
			fmt.Fprintf(w.env.Stdout, "%d jobs: %d have ended, %d are known, %d were lost and submitted again, %d lines are damaged\n", sum.Jobs, sum.Ended, sum.Known, sum.Lost, sum.Damaged)
		}
		for id, why := range sum.Errors {
			fmt.Fprintf(w.env.Stderr, "%s: %s: %s\n", w.name, id, why)
		}
		if err == nil && len(sum.Errors) > 0 {
			return exit(cli.ExitSome)
		}
		return err
	})
}
