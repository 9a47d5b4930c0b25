package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
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
		if p, err := cli.ParsePlace(n); err == nil && p.Remote && !dest.Remote {
			return fmt.Errorf("%w: %s is remote and %s is local: ftpx get fetches", cli.ErrUsage, n, last)
		} else if err == nil && p.Remote {
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
	sources, err := findSources(names)
	if err != nil {
		return err
	}
	j, err := f.Copy(true, []cli.Place{dest}, []job.Plan{func(ctx context.Context, client ftpx.Client) ([]job.Part, error) {
		return putParts(ctx, client, sources, dest, c.Delivery == "drop")
	}})
	if err != nil {
		return err
	}
	j.From(names...)
	return ended(job.Run(w.ctx, f, w.env, []*job.Job{j}))
}

// source is a local file or folder to be sent.
type source struct {
	dir  string // the folder that it is in, or is
	name string // in it, "" for what is in the folder
	file bool
}

// findSources looks at all sources before anything is sent.
func findSources(args []string) (sources []source, err error) {
	var taken names
	for _, arg := range args {
		names := []string{arg}
		if _, err := os.Lstat(arg); err != nil && isPattern(arg) {
			// The shell did not know it as a pattern, or it was quoted.
			if names, err = doublestar.FilepathGlob(arg); err != nil || len(names) == 0 {
				return nil, fmt.Errorf("%w: %s matches nothing", cli.ErrUsage, arg)
			}
			names = slices.DeleteFunc(names, func(n string) bool { return hidden(n) && !hidden(arg) })
		}
		for _, name := range names {
			s, err := findSource(name)
			if err != nil {
				return nil, err
			}
			if s.name != "" {
				if err := taken.take(s.name, name, "there"); err != nil {
					return nil, err
				}
			}
			sources = append(sources, s)
		}
	}
	return sources, nil
}

func hidden(name string) bool { return filepath.Base(name)[0] == '.' }

func findSource(arg string) (source, error) {
	info, err := os.Stat(arg) // one that is a link is followed
	switch {
	case err != nil:
		return source{}, cli.Missing("", err)
	case !info.IsDir() && !info.Mode().IsRegular():
		return source{}, fmt.Errorf("%w: %s is neither a file nor a folder: send what it gives with -", cli.ErrUsage, arg)
	case info.IsDir() && job.MeansContents(arg):
		return source{dir: filepath.Clean(arg)}, nil
	}
	clean := filepath.Clean(arg)
	return source{dir: filepath.Dir(clean), name: filepath.Base(clean), file: !info.IsDir()}, nil
}

// putParts says what goes where. Only of one file it depends on what is there.
func putParts(ctx context.Context, client ftpx.Client, sources []source, dest cli.Place, blind bool) ([]job.Part, error) {
	to := dest.Full()
	if len(sources) == 1 && sources[0].file && !dest.IsFolder() {
		s := sources[0]
		e, err := ftpx.Entry{}, error(nil)
		if !blind {
			e, err = client.Stat(ctx, to)
		}
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist) && !refusedLook(err):
			return nil, err
		case !e.IsDir():
			dir := path.Dir(to)
			return []job.Part{{Local: s.dir, Remote: dir, Names: []string{s.name}, As: path.Base(to), Under: dir}}, nil
		}
	}
	var parts []job.Part
	for _, s := range sources {
		if s.name == "" {
			parts = append(parts, job.Part{Local: s.dir, Remote: to, Under: to})
			continue
		}
		i := slices.IndexFunc(parts, func(p job.Part) bool { return p.Names != nil && p.Local == s.dir })
		if i < 0 {
			i = len(parts)
			parts = append(parts, job.Part{Local: s.dir, Remote: to, Under: to})
		}
		parts[i].Names = append(parts[i].Names, s.name)
	}
	return parts, nil
}

// ended makes an error of an exit code that was told of.
func ended(code int) error {
	if code == cli.ExitDone {
		return nil
	}
	return exit(code)
}
