package main

import (
	"fmt"
	"slices"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
)

type putCmd struct {
	moving
	connection
	Args []string `arg:"" name:"source-dest" help:"Local files, folders, patterns, or - for standard input; then the remote file or folder."`
}

// Help says how, with examples.
func (*putCmd) Help() string {
	return `A folder is sent as a whole; with a trailing slash, only its content. DEST is a
folder if it ends in a slash or is one; it is created. Existing equal files (size
and time) are skipped. To resume, run the same command again.

Examples:

    ftpx put report.csv backup:in/
    ftpx put *.csv pictures batch@files.example.com:in
    ftpx put -n --exclude '*.tmp' site/ ftpes://u@host/www
    pg_dump db | ftpx put - backup:dumps/db.sql`
}

// Run sends.
func (c *putCmd) Run(w *world) error {
	if len(c.Args) < 2 {
		return fmt.Errorf("%w: missing argument: remote file or folder, as host:in/", cli.ErrUsage)
	}
	names, last := c.Args[:len(c.Args)-1], c.Args[len(c.Args)-1]
	dest, err := cli.ParsePlace(last)
	if err != nil {
		return err
	}
	for _, n := range names {
		p, err := cli.ParsePlace(n)
		switch {
		case err == nil && p.Remote && !dest.Remote && n != names[0]:
			return fmt.Errorf("%w: %s is remote and %s is local: the place to send to comes last", cli.ErrUsage, n, last)
		case err == nil && p.Remote && !dest.Remote:
			return fmt.Errorf("%w: %s is remote and %s is local: ftpx get fetches", cli.ErrUsage, n, last)
		case err == nil && p.Remote:
			return fmt.Errorf("%w: %s is remote, as %s is: between two servers, get it first", cli.ErrUsage, n, last)
		}
	}
	if !dest.Remote {
		return fmt.Errorf("%w: the last argument, %s, is a local path: write host:%[2]s, or a URL", cli.ErrUsage, last)
	}
	f, err := w.jobFlags(false)
	if err != nil {
		return err
	}
	if slices.Contains(names, "-") {
		return c.stream(w, f, names, dest)
	}
	j, err := f.Put(names, dest)
	if err != nil {
		return err
	}
	return ended(job.Run(w.ctx, f, w.env, []*job.Job{j}))
}

// ended makes an error of an exit code that was told of.
func ended(code int) error {
	if code == cli.ExitDone {
		return nil
	}
	return exit(code)
}
