package main

import (
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
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
	j, err := f.Get(places, dest)
	if err != nil {
		return err
	}
	return ended(job.Run(w.ctx, f, w.env, []*job.Job{j}))
}
