package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/drill"
)

type drillCmd struct {
	Scenario []string      `placeholder:"NAME" group:"tests" help:"What to rehearse: primary-dies, reset-12.7, flood, stall, cert-expires; may be repeated (all)."`
	Config   string        `placeholder:"FILE" group:"tests" help:"Configuration of jobs: rehearse on the servers of JOB, in place of embedded ones."`
	Scratch  string        `placeholder:"DIR" group:"tests" help:"Remote folder to write in, with --config; it exists on each host, and is as before at the end."`
	Rto      time.Duration `default:"15s" placeholder:"TIME" group:"tests" help:"How long nothing may arrive (${default})."`
	Rpo      int64         `placeholder:"BYTES" group:"tests" help:"How many acknowledged bytes may be missing afterwards (0)."`
	Json     bool          `group:"show" help:"Print the report as JSON."`
	Html     string        `placeholder:"FILE" group:"show" help:"Write the report as a page, to a file that does not exist."`
	Job      string        `arg:"" optional:"" help:"Job whose servers are used, with --config."`
}

// Help shows examples.
func (*drillCmd) Help() string {
	return `Rehearses failures: moves files, breaks the line on this side, and measures how long
nothing arrived and what is missing afterwards. Servers are never harmed.

Examples:

    ftpx drill --rto 15s --rpo 0
    ftpx drill --scenario primary-dies --html drill.html
    ftpx drill --config jobs.toml --scratch in/test nightly

Exit codes: 0 every scenario kept to --rto and --rpo, 1 one did not, 2 bad usage.`
}

// Run rehearses.
func (c *drillCmd) Run(w *world) (err error) {
	o := &drill.Options{RTO: c.Rto, RPO: c.Rpo, Scratch: c.Scratch}
	if len(c.Scenario) > 0 {
		if o.Scenarios, err = drill.Select(c.Scenario); err != nil {
			return fmt.Errorf("%w: --scenario: %w", cli.ErrUsage, err)
		}
	}
	switch {
	case c.Rto <= 0 || c.Rpo < 0:
		return fmt.Errorf("%w: --rto %v, --rpo %d: use a time above 0, and bytes from 0 on", cli.ErrUsage, c.Rto, c.Rpo)
	case c.Config == "" && (c.Scratch != "" || c.Job != ""):
		return fmt.Errorf("%w: --scratch and JOB belong to --config FILE: give that, or leave them out for embedded servers", cli.ErrUsage)
	case c.Config != "" && c.Job == "":
		return fmt.Errorf("%w: no job is named: write ftpx drill --config %s JOB", cli.ErrUsage, c.Config)
	}
	page, err := c.page()
	if err != nil {
		return err
	}
	if page != nil {
		defer func() { err = errors.Join(err, page.end(err == nil || errors.As(err, new(exit)))) }()
	}
	if c.Config != "" {
		servers, err := jobServers(c.Config, []string{c.Job})
		if err != nil {
			return err
		}
		if len(servers) > 1 {
			return fmt.Errorf("%w: job %s has %d targets: make a job with the one to rehearse", cli.ErrUsage, c.Job, len(servers))
		}
		cfg, end, err := servers[0].reach(w.ctx, w.env)
		if err != nil {
			return err
		}
		defer end()
		o.Config = &cfg
	}
	rep, err := drill.Run(w.ctx, o)
	if err != nil && (rep == nil || len(rep.Scenarios) == 0) {
		if w.ctx.Err() == nil {
			err = fmt.Errorf("%w: %w", cli.ErrUsage, err)
		}
		return err
	}
	if perr := c.print(w, rep, page); perr != nil {
		return perr
	}
	if err != nil {
		return err
	}
	if !rep.Passed {
		return exit(cli.ExitSome)
	}
	return nil
}

func (c *drillCmd) print(w *world, rep *drill.Report, page *newFile) error {
	if page != nil {
		if err := rep.WriteHTML(page); err != nil {
			return err
		}
	}
	if !c.Json {
		return rep.WriteText(w.env.Stdout)
	}
	e := json.NewEncoder(w.env.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(rep)
}

// newFile is a file that did not exist, and does not if what is to be in it fails.
type newFile struct {
	io.Writer
	f *os.File
}

func (c *drillCmd) page() (*newFile, error) {
	if c.Html == "" {
		return nil, nil
	}
	f, err := os.OpenFile(c.Html, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%w: --html %s: the file exists: remove it, or give another name", cli.ErrUsage, c.Html)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: --html: %w", cli.ErrUsage, err)
	}
	return &newFile{Writer: f, f: f}, nil
}

func (n *newFile) end(keep bool) error {
	err := n.f.Close()
	if !keep {
		err = errors.Join(err, os.Remove(n.f.Name()))
	}
	return err
}
