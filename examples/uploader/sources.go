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
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// source is a SOURCE of the command line.
type source struct {
	path     string
	name     string // what it will be called on the server
	contents bool   // it is a folder, and what it holds goes up without it
}

// findSources looks at all sources before anything is sent.
func findSources(args []string) ([]source, error) {
	sources := make([]source, len(args))
	taken := map[string]string{}
	for i, arg := range args {
		if strings.Contains(arg, "://") {
			return nil, fmt.Errorf("%q looks like a URL: there is one, it comes last, and flags come first", arg)
		}
		info, err := os.Stat(arg) // one that is a link is followed
		switch {
		case err != nil:
			return nil, err
		case !info.IsDir() && !info.Mode().IsRegular():
			// Opening a pipe would wait for its writer.
			return nil, fmt.Errorf("%q is neither a file nor a folder", arg)
		}
		s := source{path: filepath.Clean(arg)}
		s.name = filepath.Base(s.path)
		if s.name == "." || s.name == ".." || s.name == string(filepath.Separator) {
			// Such a folder has no name of its own to be called by.
			if abs, err := filepath.Abs(s.path); err == nil {
				s.name = filepath.Base(abs)
			}
		}
		s.contents = info.IsDir() && (os.IsPathSeparator(arg[len(arg)-1]) || s.name == string(filepath.Separator))
		if !s.contents {
			if other, ok := taken[s.name]; ok {
				return nil, fmt.Errorf("%q and %q would both be called %q there", other, arg, s.name)
			}
			taken[s.name] = arg
		}
		sources[i] = s
	}
	return sources, nil
}

// upload sends all that the sources hold.
func upload(ctx context.Context, client ftpx.Client, f cli.Flags, env cli.Env, sources []source) int {
	return cli.Run(ctx, "upload", f, env, func(yield func(cli.Job) bool) error {
		for _, s := range sources {
			w := &walker{ctx: ctx, client: client, flags: f, env: env, yield: yield, source: s}
			if err := w.walk(); err != nil {
				return err
			}
		}
		return nil
	})
}

// walker finds the files of one source.
type walker struct {
	ctx    context.Context
	client ftpx.Client
	flags  cli.Flags
	env    cli.Env
	yield  func(cli.Job) bool
	source source
	root   string // the source without links
}

// walk ends with fs.SkipAll when no more jobs are wanted, which counts as no error.
func (w *walker) walk() error {
	// WalkDir does not follow a root that is a link.
	var err error
	if w.root, err = filepath.EvalSymlinks(w.source.path); err == nil {
		err = filepath.WalkDir(w.root, w.entry)
	}
	if errors.Is(err, fs.SkipAll) {
		return nil
	}
	return err
}

// entry is the fs.WalkDirFunc.
func (w *walker) entry(p string, d fs.DirEntry, err error) error {
	rel, rerr := filepath.Rel(w.root, p)
	if rerr != nil {
		return rerr
	}
	local, remote := filepath.Join(w.source.path, rel), filepath.ToSlash(rel)
	if !w.source.contents {
		remote = path.Join(w.source.name, remote)
	}
	switch {
	case err != nil:
		return w.failed(local, remote, err)
	case d.IsDir():
		return w.folder(local, remote)
	}
	mode := d.Type()
	if mode&fs.ModeSymlink != 0 {
		info, err := os.Stat(p)
		if err != nil {
			return w.failed(local, remote, err)
		}
		mode = info.Mode().Type()
	}
	switch {
	case mode.IsDir():
		cli.Note(w.flags, w.env, "skipped %q: a link to a folder, which may lead in circles", local)
	case !mode.IsRegular():
		cli.Note(w.flags, w.env, "skipped %q: neither a file nor a folder", local)
	default:
		return w.job(cli.Job{Local: local, Remote: remote, Do: func(ctx context.Context, progress func(ftpx.ProgressInfo)) (ftpx.Result, error) {
			return w.client.Upload(ctx, local, remote, &ftpx.UploadOptions{CreateDirs: true, Progress: progress})
		}})
	}
	return nil
}

// folder creates a folder that holds nothing to send; others are created with
// their first file.
func (w *walker) folder(local, remote string) error {
	if remote == "." {
		return nil
	}
	entries, err := os.ReadDir(local)
	if err != nil || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.IsDir() || e.Type().IsRegular() }) {
		return nil // WalkDir reports the error next
	}
	if err := w.client.MkdirAll(w.ctx, remote); err != nil {
		return w.failed(local, remote, err)
	}
	return nil
}

func (w *walker) failed(local, remote string, err error) error {
	return w.job(cli.Job{Local: local, Remote: remote, Err: err})
}

func (w *walker) job(j cli.Job) error {
	if !w.yield(j) {
		return fs.SkipAll
	}
	return nil
}
