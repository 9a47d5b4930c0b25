package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

type getCmd struct {
	moving
	connection
	Args []string `arg:"" name:"source-dest" help:"Remote files, folders or patterns; then the local file or folder (the current one), or - for standard output."`
}

// Help says how, with examples.
func (*getCmd) Help() string {
	return `A folder is fetched as a whole; with a trailing slash, only its content. Existing
equal files (size and time) are skipped. To resume, run the same command again.
Quote patterns, so that the shell does not expand them.

Examples:

    ftpx get backup:out/report.csv
    ftpx get 'backup:out/*.csv' 'backup:log/**/*.gz' in/
    ftpx get ftpes://u@host/www/ site
    ftpx get backup:dumps/db.sql - | psql`
}

// Run fetches.
func (c *getCmd) Run(w *world) error {
	args, dest := c.Args, "."
	if last, err := cli.ParsePlace(args[len(args)-1]); err != nil {
		return err
	} else if !last.Remote {
		args, dest = args[:len(args)-1], last.Text
	}
	if len(args) == 0 {
		return fmt.Errorf("%w: %s is a local path, and nothing remote is named: write host:%[2]s, or a URL", cli.ErrUsage, dest)
	}
	places, err := remotes(args)
	if err != nil {
		return err
	}
	f, err := w.jobFlags(false)
	if err != nil {
		return err
	}
	if dest == "-" {
		return c.stream(w, f, places)
	}
	single := len(places) == 1 && !places[0].IsFolder() && !isPattern(places[0].Path)
	info, err := os.Stat(dest)
	isDir := err == nil && info.IsDir()
	if err == nil && !isDir && !single {
		return fmt.Errorf("%w: %s is a file, and several may come: name a folder", cli.ErrUsage, dest)
	}
	as := ""
	if single && !isDir && !job.MeansContents(dest) {
		as = dest
	}
	var hosts []cli.Place
	var plans []job.Plan
	var taken names
	for i, p := range places {
		if slices.ContainsFunc(places[:i], func(o cli.Place) bool { return o.Host() == p.Host() }) {
			continue
		}
		var of []cli.Place
		for _, o := range places {
			if o.Host() == p.Host() {
				of = append(of, o)
			}
		}
		hosts = append(hosts, p)
		plans = append(plans, func(ctx context.Context, client ftpx.Client) ([]job.Part, error) {
			return getParts(ctx, &session{Client: client}, of, dest, as, &taken)
		})
	}
	j, err := f.Copy(false, hosts, plans)
	if err != nil {
		return err
	}
	j.From(args...)
	return ended(job.Run(w.ctx, f, w.env, []*job.Job{j}))
}

// getParts says what comes from where. as is the name that a single file gets, "" for its
// own, and taken are the names that are taken.
func getParts(ctx context.Context, s *session, places []cli.Place, dest, as string, taken *names) ([]job.Part, error) {
	var parts []job.Part
	add := func(at string) {
		dir := path.Dir(at)
		i := slices.IndexFunc(parts, func(p job.Part) bool { return p.Names != nil && p.Remote == dir })
		if i < 0 {
			i = len(parts)
			parts = append(parts, job.Part{Local: dest, Remote: dir, Under: dir})
		}
		parts[i].Names = append(parts[i].Names, path.Base(at))
	}
	for _, p := range places {
		if p.IsFolder() && !isPattern(p.Path) {
			parts = append(parts, job.Part{Local: dest, Remote: p.Full(), Under: p.Full()})
			continue
		}
		found, err := s.expand(ctx, p)
		if err != nil {
			parts = append(parts, job.Part{Local: dest, Remote: p.Full(), As: p.Full(), Err: err})
			continue
		}
		for _, at := range found {
			if err := taken.take(path.Base(at), p.At(at), "here"); err != nil {
				return nil, err
			}
			add(at)
		}
	}
	if as == "" {
		return parts, nil
	}
	e, err := s.Stat(ctx, places[0].Full())
	if err != nil && !refusedLook(err) {
		return nil, err
	}
	if !e.IsDir() {
		parts[0].Local, parts[0].As = filepath.Dir(as), filepath.Base(as)
	}
	return parts, nil
}
