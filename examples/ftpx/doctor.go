package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
)

type doctorCmd struct {
	connection
	Scratch  string        `placeholder:"DIR" group:"tests" help:"Write too: a fresh folder in this remote one, which is removed at the end. Resuming is proven both ways."`
	Idle     time.Duration `placeholder:"TIME" group:"tests" help:"Keep a session idle this long, such as 6m, to find timeouts."`
	CertSoon time.Duration `placeholder:"TIME" group:"tests" help:"How much time a certificate must have left (504h, which is 21 days)."`
	Config   string        `placeholder:"FILE" group:"tests" help:"Configuration of jobs: examine their servers, by the jobs' names."`

	Json    bool   `group:"show" help:"Print the report as JSON (docs/doctor-report.schema.json)."`
	All     bool   `group:"show" help:"Show passed checks, too."`
	Strict  bool   `group:"show" help:"Exit with 1 for warnings, too."`
	List    bool   `group:"show" help:"List the checks, and connect to nothing."`
	Explain string `placeholder:"CODE" group:"show" help:"Say what a code means, and what to do about it."`
	Events  string `placeholder:"FILE" group:"show" help:"Read a log of package ftpxslog (JSON, level debug), and say how connections were lost."`
	Listen  string `placeholder:"ADDR" group:"show" help:"Serve /probe?target=NAME to Prometheus, with --config."`

	Place []string `arg:"" optional:"" help:"Server to examine, as host:, user@host: or a URL; with --config names of jobs."`
}

// Help shows examples.
func (*doctorCmd) Help() string {
	return `Says which layer fails, what was seen, and what to change. It reads only and logs in
once; --connections N opens so many connections to find the server's limit. Fix the first
failure: what depends on it is not examined.

Examples:

    ftpx doctor batch@files.example.com:
    ftpx doctor --json ftpes://shop@partner.example.com
    ftpx doctor --scratch in/test --connections 8 --idle 6m backup:
    ftpx doctor --config jobs.toml nightly
    ftpx doctor --listen 127.0.0.1:9877 --config jobs.toml
    ftpx doctor --explain mtu-hole
    ftpx doctor --events transfers.log

Exit codes: 0 nothing fails, 1 something does, 2 bad usage, 3 no session could be opened,
4 the login was refused, 5 the server's identity did not verify.`
}

// Run examines.
func (c *doctorCmd) Run(w *world) error {
	switch {
	case c.List:
		return listChecks(w)
	case c.Explain != "":
		return explain(w, c.Explain)
	case c.Events != "":
		return c.losses(w)
	}
	opt, err := c.options()
	if err != nil {
		return err
	}
	if c.Listen != "" {
		return c.serve(w, opt)
	}
	servers, err := c.servers(w)
	if err != nil {
		return err
	}
	code := cli.ExitDone
	for _, s := range servers {
		rep, err := s.examine(w.ctx, w.env, opt)
		if rep != nil && len(rep.Targets) > 0 {
			if perr := c.print(w, rep); perr != nil {
				return perr
			}
		}
		if err != nil {
			return asUsage(err)
		}
		if n := exitOf(rep, c.Strict); code == cli.ExitDone {
			code = n
		} else if n != code && n != cli.ExitDone {
			code = cli.ExitSome
		}
	}
	if code != cli.ExitDone {
		return exit(code)
	}
	return nil
}

// asUsage marks what the caller must change.
func asUsage(err error) error {
	var scratch *doctor.ScratchError
	if errors.As(err, &scratch) {
		return fmt.Errorf("%w: %w", cli.ErrUsage, err)
	}
	return err
}

// options are those of the run.
func (c *doctorCmd) options() (*doctor.Options, error) {
	o := &doctor.Options{Scratch: c.Scratch, Idle: c.Idle, CertSoon: c.CertSoon}
	if c.Connections != "" {
		n, err := strconv.Atoi(c.Connections)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%w: --connections %q: use a number from 1 on", cli.ErrUsage, c.Connections)
		}
		o.Connections = n
	}
	if c.Listen != "" && c.Config == "" {
		return nil, fmt.Errorf("%w: --listen needs --config FILE: its jobs are what may be asked for", cli.ErrUsage)
	}
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", cli.ErrUsage, err)
	}
	return o, nil
}

// server is what is examined in one run.
type server struct {
	name  string
	reach func(context.Context, cli.Env) (ftpx.Config, func(), error)
}

func (s *server) examine(ctx context.Context, env cli.Env, opt *doctor.Options) (*doctor.Report, error) {
	cfg, end, err := s.reach(ctx, env)
	if err != nil {
		return nil, err
	}
	defer end()
	return doctor.Run(ctx, cfg, opt)
}

// servers are those that the arguments name.
func (c *doctorCmd) servers(w *world) ([]server, error) {
	if c.Config != "" {
		return jobServers(c.Config, c.Place)
	}
	if len(c.Place) == 0 {
		return nil, fmt.Errorf("%w: no server is named: write host:, user@host: or a URL", cli.ErrUsage)
	}
	places, err := remotes(c.Place)
	if err != nil {
		return nil, err
	}
	var out []server
	for _, p := range places {
		out = append(out, server{name: p.Host(), reach: func(ctx context.Context, env cli.Env) (ftpx.Config, func(), error) {
			return w.reach(ctx, env, p)
		}})
	}
	return out, nil
}

// jobServers are the servers of a configuration's jobs, of all or of those that are named.
func jobServers(file string, names []string) ([]server, error) {
	jobs, err := job.Load(file, "")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", cli.ErrUsage, err)
	}
	if jobs, err = job.Select(jobs, names); err != nil {
		return nil, err
	}
	var out []server
	for _, j := range jobs {
		for i := range j.Targets {
			out = append(out, server{name: j.Name, reach: j.Targets[i].Reach})
		}
	}
	return out, nil
}

// print writes a report.
func (c *doctorCmd) print(w *world, rep *doctor.Report) error {
	if c.Json {
		e := json.NewEncoder(w.env.Stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(rep)
	}
	return rep.WriteText(w.env.Stdout, c.All || c.Verbose)
}

// loginCodes are failures of the login itself.
var loginCodes = map[string]bool{"login-refused": true, "login-policy": true, "ssh-keys": true, "tls-required": true}

// exitOf is the exit code of a report, by what failed first.
func exitOf(rep *doctor.Report, strict bool) int {
	t, f := rep.First()
	switch {
	case f == nil || f.Verdict == doctor.Note:
		return cli.ExitDone
	case f.Verdict == doctor.Warn && !strict:
		return cli.ExitDone
	case f.Verdict == doctor.Warn:
		return cli.ExitSome
	case f.Layer == doctor.Identity:
		return cli.ExitIdentity
	case loginCodes[f.Code]:
		return cli.ExitLogin
	case !t.LoggedIn:
		return cli.ExitConnect
	}
	return cli.ExitSome
}
