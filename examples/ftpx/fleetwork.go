package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/fleet"
	"github.com/seed01fc2e40/go-ftpx/ftpx/fleet/fleetserver"
)

// worker is embedded in the commands that work.
type worker struct {
	Config  string `short:"c" required:"" placeholder:"FILE" group:"how" help:"TOML file of targets and roots, see docs/fleet.md."`
	Name    string `placeholder:"NAME" group:"how" help:"The worker's name, in place of the file's (made of host and process)."`
	Check   bool   `group:"how" help:"Check the file, and do nothing else."`
	Metrics string `placeholder:"HOST:PORT" group:"show" help:"Serve /metrics, /status and /ready there (nowhere)."`
	JSON    bool   `name:"json" group:"show" help:"Print a JSON line for each job that ends."`
	Quiet   bool   `short:"q" group:"show" help:"Say nothing unless something fails."`
}

// load reads the configuration. ok is false if that was all.
func (o *worker) load(w *world) (cfg *job.Fleet, ok bool, err error) {
	cfg, err = job.LoadFleet(o.Config)
	var p job.Problems
	switch {
	case errors.As(err, &p):
		return nil, false, exit(job.Fail(w.name, w.env, err))
	case err != nil:
		return nil, false, fmt.Errorf("%w: --config: %w", cli.ErrUsage, err)
	case o.Check:
		fmt.Fprintf(w.env.Stdout, "%d targets, %d roots\n", len(cfg.Partners), len(cfg.Roots))
		return nil, false, nil
	}
	if o.Name != "" {
		cfg.Name = o.Name
	}
	return cfg, true, nil
}

// work runs a worker until it is told to end.
func (o *worker) work(w *world, nc *nats.Conn, cfg *job.Fleet, f *fleet.Fleet) error {
	var wk *fleet.Worker
	opts := fleet.WorkerOptions{Name: cfg.Name, Connections: cfg.Connections, Spool: cfg.Spool, Tries: cfg.Tries, Grace: cfg.Grace,
		OnEvent: func(e fleet.Event) { o.tell(w, wk, e) }}
	for i := range cfg.Partners {
		p := &cfg.Partners[i]
		opts.Targets = append(opts.Targets, fleet.Target{Name: p.Name, Connections: p.Connections,
			Open: func(ctx context.Context, tune func(*ftpx.Options)) (ftpx.Client, error) {
				return p.Open(ctx, w.env, tune)
			}})
	}
	for _, r := range cfg.Roots {
		opts.Roots = append(opts.Roots, fleet.Root{Name: r.Name, Path: r.Path})
	}
	var err error
	if wk, err = fleet.NewWorker(f, opts); err != nil {
		return fmt.Errorf("%w: %w", cli.ErrUsage, err)
	}
	if err := watched(w.ctx, w, o.Metrics, f, wk); err != nil {
		return err
	}
	nc.SetDisconnectErrHandler(func(_ *nats.Conn, err error) {
		if err != nil {
			fmt.Fprintf(w.env.Stderr, "%s: the engine is away: %v\n", w.name, err)
		}
	})
	nc.SetReconnectHandler(func(*nats.Conn) { o.say(w, "the engine is back") })
	err = wk.Run(w.ctx)
	if w.ctx.Err() != nil {
		return nil // told to end, and it has
	}
	return err
}

func (o *worker) say(w *world, format string, args ...any) {
	if !o.Quiet {
		fmt.Fprintf(w.env.Stderr, w.name+": "+format+"\n", args...)
	}
}

// tell says what the worker has done.
func (o *worker) tell(w *world, wk *fleet.Worker, e fleet.Event) {
	switch r := e.Record; {
	case e.What == "ready":
		o.say(w, "worker %s is ready", wk.Name())
	case r != nil && o.JSON && r.State.Ended():
		_ = json.NewEncoder(w.env.Stdout).Encode(r)
	case r != nil && (r.State == fleet.Dead || e.Err != nil):
		fmt.Fprintf(w.env.Stderr, "%s: %s\n", w.name, line(r))
	case r != nil:
		o.say(w, "%s", line(r))
	case e.Err != nil:
		fmt.Fprintf(w.env.Stderr, "%s: %s: %s: %s\n", w.name, e.Target, e.What, cli.Words(e.Err))
	}
}

type fleetWorkCmd struct {
	worker
	engine
	Replicas int `placeholder:"N" group:"how" help:"How many servers of a cluster keep each job (default: existing setting; 3 in a cluster)."`
	Shards   int `placeholder:"N" group:"how" help:"How many streams the targets are spread over (default: existing setting; 1)."`
}

// Run works until a signal, or until it is drained.
func (c *fleetWorkCmd) Run(w *world) error {
	cfg, ok, err := c.load(w)
	if !ok {
		return err
	}
	nc, err := c.connect(w)
	if err != nil {
		return err
	}
	defer nc.Close()
	f, err := fleet.Open(w.ctx, nc, &fleet.Options{Replicas: c.Replicas, Shards: c.Shards})
	if err != nil {
		return err
	}
	return c.work(w, nc, cfg, f)
}

type fleetServeCmd struct {
	worker
	Store    string        `required:"" placeholder:"DIR" group:"how" help:"Folder of the engine's store."`
	Listen   string        `placeholder:"HOST:PORT" group:"how" help:"Where other programs reach the engine (nowhere). Beyond loopback with --cert, --key, and $$FTPX_NATS_USER or --client-ca."`
	Cert     string        `placeholder:"FILE" group:"login" help:"PEM file of the engine's certificate."`
	Key      string        `placeholder:"FILE" group:"login" help:"PEM file of its key."`
	ClientCa string        `placeholder:"FILE" group:"login" help:"PEM file of authorities; clients must have a certificate by one of them."`
	Remember time.Duration `placeholder:"TIME" group:"how" help:"How long the record of a job is kept (720h)."`
	NoWorker bool          `group:"how" help:"Run only the engine."`
}

// Run serves and works until a signal.
func (c *fleetServeCmd) Run(w *world) error {
	cfg, ok, err := c.load(w)
	if !ok {
		return err
	}
	o := fleetserver.Options{Store: c.Store, Listen: c.Listen, Cert: c.Cert, Key: c.Key, ClientCA: c.ClientCa}
	if user := w.env.Getenv("FTPX_NATS_USER"); user != "" && c.Listen != "" {
		o.Users = map[string]string{user: w.env.Getenv("FTPX_NATS_PASSWORD")}
	}
	s, err := fleetserver.Start(o)
	if err != nil {
		return fmt.Errorf("%w: %w", cli.ErrUsage, err)
	}
	defer s.Close()
	nc, err := s.Connect(natsOptions(w)...)
	if err != nil {
		return err
	}
	defer nc.Close()
	f, err := fleet.Open(w.ctx, nc, &fleet.Options{Remember: c.Remember})
	if err != nil {
		return err
	}
	if addr := s.Addr(); addr != "" {
		c.say(w, "listening on %s", addr)
	}
	if c.NoWorker {
		<-w.ctx.Done()
		return nil
	}
	return c.work(w, nc, cfg, f)
}
