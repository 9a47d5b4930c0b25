package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

type rmCmd struct {
	Recursive bool     `short:"r" group:"remove" help:"Remove folders and their content."`
	Force     bool     `short:"f" group:"remove" help:"Ignore missing files."`
	DryRun    bool     `short:"n" group:"remove" help:"Print what would be removed, and remove nothing."`
	Place     []string `arg:"" help:"Remote files, folders or patterns."`
	connection
}

// Help shows examples.
func (*rmCmd) Help() string {
	return `Links are removed, not followed. An empty folder needs no -r.

Examples:

    ftpx rm 'backup:in/*.tmp'
    ftpx rm -rn backup:old`
}

// Run removes.
func (c *rmCmd) Run(w *world) error {
	return w.each(c.Place, func(s *session, p cli.Place, at string) error {
		if base := path.Base(at); base == "." || base == "/" || base == ".." {
			return fmt.Errorf("%w: %s is the login folder, the root, or above: name what is to be removed", cli.ErrUsage, p.Text)
		}
		err := c.remove(w, s, at)
		if c.Force && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

// remove removes what is at a path. A link is removed itself, whether it leads anywhere or not.
func (c *rmCmd) remove(w *world, s *session, at string) error {
	if c.DryRun {
		if err := isThere(w.ctx, s, at); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w.env.Stdout, "%s: would be removed\n", transport.Printable(at))
		return err
	}
	err := s.Remove(w.ctx, at)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	e, serr := s.Stat(w.ctx, at)
	switch {
	case serr != nil || !e.IsDir():
		return err
	case c.Recursive:
		return s.RemoveAll(w.ctx, at)
	}
	return fmt.Errorf("%w: %s is a folder that is not empty: -r removes it with its content", cli.ErrUsage, at)
}

// isThere returns the error of a path at which nothing is. A link that leads nowhere is there:
// the listing of its folder has it.
func isThere(ctx context.Context, s *session, at string) error {
	_, err := s.Stat(ctx, at)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for e, lerr := range s.List(ctx, path.Dir(at)) {
		if lerr == nil && e.Name == path.Base(at) {
			return nil
		}
	}
	return err
}

type mkdirCmd struct {
	Place []string `arg:"" help:"Remote folders."`
	connection
}

// Help shows examples.
func (*mkdirCmd) Help() string {
	return `Creates folders and their parents; existing ones are no error.

Examples:

    ftpx mkdir backup:2026/12/01`
}

// Run makes folders.
func (c *mkdirCmd) Run(w *world) error {
	return w.eachAs(literally, c.Place, func(s *session, _ cli.Place, at string) error { return s.MkdirAll(w.ctx, at) })
}

type mvCmd struct {
	Args []string `arg:"" name:"source-dest" help:"Remote files or folders, and the new name, or the folder that they go to; on one server."`
	connection
}

// Help shows examples.
func (*mvCmd) Help() string {
	return `An existing file is replaced. The folder that files are moved to is created.

Examples:

    ftpx mv backup:in/a.csv backup:done/
    ftpx mv 'backup:in/*.csv' backup:done/
    ftpx mv backup:a.csv b.csv`
}

// Run renames.
func (c *mvCmd) Run(w *world) error {
	if len(c.Args) < 2 {
		return fmt.Errorf("%w: missing argument: new name", cli.ErrUsage)
	}
	sources, last := c.Args[:len(c.Args)-1], c.Args[len(c.Args)-1]
	first, err := cli.ParsePlace(sources[0])
	if err != nil {
		return err
	}
	to, err := cli.ParsePlace(last)
	switch {
	case err != nil:
		return err
	case !to.Remote: // a path on the same server
		to = cli.Place{Text: first.At(last), Remote: true, URL: first.URL, Alias: first.Alias, Path: last}
	case to.Host() != first.Host():
		return fmt.Errorf("%w: %s is on another server than %s: a file is renamed on one", cli.ErrUsage, last, sources[0])
	}
	into, asked := len(sources) > 1 || job.IsPattern(first.Path) || to.IsFolder(), false
	made := false
	var taken job.Names
	return w.each(sources, func(s *session, p cli.Place, at string) error {
		if !into && !asked {
			e, err := s.Stat(w.ctx, to.Full())
			into, asked = err == nil && e.IsDir(), true
		}
		target := to.Full()
		if into {
			if !made {
				if err := s.MkdirAll(w.ctx, target); err != nil {
					return err
				}
				made = true
			}
			if err := taken.Take(path.Base(at), p.At(at), "there"); err != nil {
				return err
			}
			target = path.Join(target, path.Base(at))
		}
		return s.Rename(w.ctx, at, target)
	})
}

type chmodCmd struct {
	Args []string `arg:"" name:"mode-place" help:"Permissions in octal, as 640; then remote files, folders or patterns."`
	connection
}

// Help shows examples.
func (*chmodCmd) Help() string {
	return `Examples:

    ftpx chmod 640 'backup:in/*.csv'`
}

// Run sets permissions.
func (c *chmodCmd) Run(w *world) error {
	mode, err := strconv.ParseUint(c.Args[0], 8, 12)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %s is not a mode: write it in octal, as 640", cli.ErrUsage, c.Args[0])
	case len(c.Args) < 2:
		return fmt.Errorf("%w: missing argument: file to change", cli.ErrUsage)
	}
	perm := fs.FileMode(mode & 0o777)
	for bit, m := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if mode&bit != 0 {
			perm |= m
		}
	}
	return w.each(c.Args[1:], func(s *session, _ cli.Place, at string) error { return s.Chmod(w.ctx, at, perm) })
}
