package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
	"github.com/seed01fc2e40/go-ftpx/ftpx/fleet"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

type fleetSubmitCmd struct {
	engine
	Place []string `arg:"" optional:"" help:"ROOT:PATH TARGET:PATH to upload, TARGET:PATH ROOT:PATH to download, TARGET:PATH TARGET:PATH to copy."`

	Recursive bool   `short:"r" group:"job" help:"Submit a job for each file below a folder of a root; needs --config."`
	Mirror    bool   `group:"job" help:"One job that makes a folder hold what another holds."`
	Delete    bool   `group:"job" help:"Delete TARGET:PATH."`
	File      string `short:"f" placeholder:"FILE" group:"job" help:"JSON jobs, one a line, - for standard input."`
	Config    string `short:"c" placeholder:"FILE" group:"job" help:"TOML file of the roots: size and time of files then become part of the jobs."`

	ID       string   `name:"id" placeholder:"ID" group:"way" help:"The job's id (a hash of what it is)."`
	Class    string   `placeholder:"CLASS" group:"way" help:"urgent, normal or bulk (normal)."`
	Delivery string   `placeholder:"WAY" group:"way" help:"atomic, direct or drop (atomic)."`
	Verify   string   `placeholder:"HOW" group:"way" help:"auto, size or full (the target's)."`
	After    []string `placeholder:"ID" group:"way" help:"Job that must be done before; may be repeated."`
	At       string   `placeholder:"TIME" group:"way" help:"Not before: 2026-01-31T22:00:00Z, or a duration from now, such as 2h."`
	Deadline string   `placeholder:"TIME" group:"way" help:"Dead unless it is done by then, as with --at."`
	Group    string   `placeholder:"WORD" group:"way" help:"Group to show several jobs together."`
	Journal  string   `placeholder:"FILE" group:"way" help:"File in which jobs are kept before they are submitted, for ftpx fleet reconcile."`
	Wait     bool     `group:"show" help:"Wait until the jobs have ended; exit code 0 if all are done."`
	JSON     bool     `name:"json" group:"show" help:"Print JSON lines."`
	Quiet    bool     `short:"q" group:"show" help:"Say nothing unless something fails."`
}

// Help shows examples.
func (*fleetSubmitCmd) Help() string {
	return `A job given twice is one job. What was accepted is stored.

Examples:

    ftpx fleet submit out:2026/a.csv acme:in/a.csv
    ftpx fleet submit -r --config fleet.toml --group night out:2026 acme:in
    ftpx fleet submit --delete acme:in/old.csv --at 2h
    ftpx fleet submit -f jobs.jsonl --journal /var/lib/app/jobs.log --wait`
}

// submitsAtOnce is how many jobs are handed in at once: each waits for the engine's disk.
const submitsAtOnce = 256

// Run hands in jobs and prints their ids.
func (c *fleetSubmitCmd) Run(w *world) error {
	return c.with(w, func(ctx context.Context, f *fleet.Fleet) error {
		s := &submitting{c: c, w: w, f: f}
		if c.Journal != "" {
			var err error
			if s.journal, err = fleet.OpenJournal(c.Journal); err != nil {
				return fmt.Errorf("%w: --journal: %w", cli.ErrUsage, err)
			}
			defer s.journal.Close()
		}
		if c.Wait {
			var err error
			if s.waiter, err = f.NewWaiter(); err != nil {
				return err
			}
			defer s.waiter.Close()
		}
		jobs := make(chan fleet.Job)
		var all sync.WaitGroup
		for range submitsAtOnce {
			all.Go(func() {
				for j := range jobs {
					s.submit(ctx, j)
				}
			})
		}
		err := c.jobs(ctx, f, func(j fleet.Job) error {
			select {
			case jobs <- j:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
		close(jobs)
		all.Wait()
		switch {
		case err != nil:
			return err
		case s.failed > 0 && s.usage == s.failed:
			return exit(cli.ExitUsage)
		case s.failed > 0:
			return exit(cli.ExitSome)
		case c.Wait:
			return s.wait(ctx)
		}
		return nil
	})
}

// submitting is one Run.
type submitting struct {
	c       *fleetSubmitCmd
	w       *world
	f       *fleet.Fleet
	journal *fleet.Journal
	waiter  *fleet.Waiter // nil unless it is to wait

	mu            sync.Mutex // guards what follows, and the output
	ids           []string
	failed, usage int
}

func (s *submitting) submit(ctx context.Context, j fleet.Job) {
	var receipt fleet.Receipt
	var err error
	if s.journal != nil {
		err = s.journal.Add(&j)
	}
	if err == nil {
		receipt, err = s.f.Submit(ctx, j)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed++
		if errors.Is(err, fleet.ErrJob) {
			s.usage++
		}
		fmt.Fprintf(s.w.env.Stderr, "%s: %s %s: %v\n", s.w.name, j.Op, transport.Printable(j.Dest), err)
		return
	}
	s.ids = append(s.ids, receipt.ID)
	switch {
	case s.c.JSON:
		_ = json.NewEncoder(s.w.env.Stdout).Encode(receipt)
	case !s.c.Quiet:
		fmt.Fprintln(s.w.env.Stdout, receipt.ID)
	}
}

// wait waits until all have ended.
func (s *submitting) wait(ctx context.Context) error {
	bad, err := s.waiter.Wait(ctx, s.ids)
	if err != nil {
		return err
	}
	unknown := 0
	for _, r := range bad {
		if r.Unknown {
			unknown++
		}
		fmt.Fprintf(s.w.env.Stderr, "%s: %s\n", s.w.name, line(r))
	}
	switch {
	case len(bad) > 0 && len(bad) == unknown:
		return exit(cli.ExitUnknown)
	case len(bad) > 0:
		return exit(cli.ExitSome)
	}
	return nil
}

// jobs makes the jobs of the command line, one by one.
func (c *fleetSubmitCmd) jobs(ctx context.Context, f *fleet.Fleet, yield func(fleet.Job) error) error {
	if c.File != "" {
		if len(c.Place) > 0 {
			return fmt.Errorf("%w: -f has the jobs: leave the places out", cli.ErrUsage)
		}
		return c.read(yield)
	}
	base, err := c.base()
	if err != nil {
		return err
	}
	if c.Delete {
		target, remote, ok := splitName(strings.Join(c.Place, " "))
		if len(c.Place) != 1 || !ok {
			return fmt.Errorf("%w: --delete: give one TARGET:PATH", cli.ErrUsage)
		}
		base.Op, base.Target, base.Dest = fleet.Delete, target, remote
		return yield(base)
	}
	if len(c.Place) != 2 {
		return fmt.Errorf("%w: give two places, as out:a.csv acme:in/a.csv, or -f FILE; --help tells more", cli.ErrUsage)
	}
	if err := c.places(ctx, f, &base); err != nil {
		return err
	}
	roots, err := c.roots()
	if err != nil {
		return err
	}
	switch {
	case c.Mirror:
		base.Op = fleet.Mirror
	case c.Recursive:
		return each(base, roots, yield)
	case base.Op == fleet.Upload:
		name, rel, _ := splitName(base.Source)
		if at, ok := roots[name]; ok {
			if info, err := os.Stat(filepath.Join(at, filepath.FromSlash(rel))); err == nil {
				base.Size, base.Time = info.Size(), info.ModTime()
			}
		}
	}
	return yield(base)
}

// base is what all jobs of the command line have.
func (c *fleetSubmitCmd) base() (fleet.Job, error) {
	j := fleet.Job{ID: c.ID, Class: fleet.Class(c.Class), Verify: c.Verify, After: c.After, Group: c.Group}
	for _, t := range []struct {
		flag, text string
		to         *time.Time
	}{{"--at", c.At, &j.NotBefore}, {"--deadline", c.Deadline, &j.Deadline}} {
		if t.text == "" {
			continue
		}
		if d, err := time.ParseDuration(t.text); err == nil {
			*t.to = time.Now().Add(d)
		} else if *t.to, err = time.Parse(time.RFC3339, t.text); err != nil {
			return j, fmt.Errorf("%w: %s %q: write 2026-01-31T22:00:00Z, or a duration from now such as 2h", cli.ErrUsage, t.flag, t.text)
		}
	}
	if c.Delivery != "" {
		if err := j.Delivery.UnmarshalText([]byte(c.Delivery)); err != nil {
			return j, fmt.Errorf("%w: --delivery: %w", cli.ErrUsage, err)
		}
	}
	return j, nil
}

func splitName(place string) (name, rest string, ok bool) {
	name, rest, ok = strings.Cut(place, ":")
	return name, rest, ok && fleet.CheckName(name) == nil
}

// places finds out which of the two places is in a root, by the names that workers have.
func (c *fleetSubmitCmd) places(ctx context.Context, f *fleet.Fleet, j *fleet.Job) error {
	from, fromPath, ok := splitName(c.Place[0])
	to, toPath, ok2 := splitName(c.Place[1])
	if !ok || !ok2 {
		return fmt.Errorf("%w: write each place as NAME:PATH, with the name of a root or a target", cli.ErrUsage)
	}
	status, err := f.Status(ctx)
	if err != nil {
		return err
	}
	root := map[string]bool{}
	for _, name := range status.Roots {
		root[name] = true
	}
	target := func(name string) bool { return status.Targets[name] != nil }
	switch {
	case root[from] && target(to):
		j.Op, j.Source, j.Target, j.Dest = fleet.Upload, c.Place[0], to, toPath
	case target(from) && root[to]:
		j.Op, j.Source, j.Target, j.Dest = fleet.Download, fromPath, from, c.Place[1]
	case target(from) && target(to):
		j.Op, j.Source, j.Target, j.Dest = fleet.Copy, c.Place[0], to, toPath
	default:
		return fmt.Errorf("%w: workers do not have %q and %q as a root and a target, or as two targets: ftpx fleet status lists what they have", cli.ErrUsage, from, to)
	}
	return nil
}

// roots are those of the configuration, for what is looked at on this machine.
func (c *fleetSubmitCmd) roots() (map[string]string, error) {
	if c.Config == "" {
		if c.Recursive {
			return nil, fmt.Errorf("%w: -r: give --config FILE, which says where the root is on this machine", cli.ErrUsage)
		}
		return nil, nil
	}
	cfg, err := job.LoadFleet(c.Config)
	if err != nil {
		return nil, fmt.Errorf("%w: --config: %w", cli.ErrUsage, err)
	}
	roots := map[string]string{}
	for _, r := range cfg.Roots {
		roots[r.Name] = r.Path
	}
	return roots, nil
}

// each makes a job for each file below a folder. Links are left out.
func each(base fleet.Job, roots map[string]string, yield func(fleet.Job) error) error {
	name, rel, _ := splitName(base.Source)
	at, ok := roots[name]
	if !ok || base.Op != fleet.Upload {
		return fmt.Errorf("%w: -r: the source must be a folder of a root that --config has", cli.ErrUsage)
	}
	root, err := os.OpenRoot(at)
	if err != nil {
		return fmt.Errorf("%w: root %q: %w", cli.ErrUsage, name, err)
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), path.Clean(rel), func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		j := base
		j.ID, j.Source, j.Dest = "", name+":"+p, path.Join(base.Dest, strings.TrimPrefix(p, path.Clean(rel)))
		j.Size, j.Time = info.Size(), info.ModTime()
		return yield(j)
	})
}

// read makes jobs of JSON lines.
func (c *fleetSubmitCmd) read(yield func(fleet.Job) error) error {
	var in io.Reader = os.Stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return fmt.Errorf("%w: -f: %w", cli.ErrUsage, err)
		}
		defer f.Close()
		in = f
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 4*fleet.MaxJob)
	n := 1
	for ; lines.Scan(); n++ {
		if len(strings.TrimSpace(lines.Text())) == 0 {
			continue
		}
		j, err := fleet.Decode(lines.Bytes())
		if err != nil {
			return fmt.Errorf("%w: %s:%d: %w", cli.ErrUsage, c.File, n, err)
		}
		if err := yield(j); err != nil {
			return err
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("%w: %s:%d: a job has at most %d bytes", cli.ErrUsage, c.File, n, fleet.MaxJob)
	} else if err != nil {
		return fmt.Errorf("%w: %s: %w", cli.ErrUsage, c.File, err)
	}
	return nil
}
