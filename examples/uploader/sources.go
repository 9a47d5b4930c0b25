package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// upload sends all that the sources hold.
func upload(ctx context.Context, client ftpx.Client, f cli.Flags, env cli.Env, sources []string) int {
	return cli.Run(ctx, "upload", f, env, func(yield func(cli.Job) bool) error {
		for _, s := range sources {
			w := &walker{ctx: ctx, client: client, env: env, yield: yield, source: s}
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
	env    cli.Env
	yield  func(cli.Job) bool
	source string
}

func (w *walker) walk() error {
	info, err := os.Stat(w.source) // a source that is a link is followed
	if err != nil {
		w.yield(cli.Job{Local: w.source, Err: err})
		return nil
	}
	root := filepath.Clean(w.source)
	name := filepath.Base(root)
	if name == "." || name == ".." || name == string(filepath.Separator) {
		// Such a folder has no name of its own to be called by.
		if abs, err := filepath.Abs(root); err == nil {
			name = filepath.Base(abs)
		}
	}
	if !info.IsDir() {
		w.file(root, name)
		return nil
	}
	if last := w.source[len(w.source)-1]; os.IsPathSeparator(last) || last == '/' {
		name = ""
	}
	// os.DirFS would not follow a root that is a link.
	if resolved, err := filepath.EvalSymlinks(root); err == nil {
		root = resolved
	}
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error { return w.entry(root, name, p, d, err) })
	if errors.Is(err, fs.SkipAll) {
		err = nil
	}
	return err
}

func (w *walker) entry(root, name, p string, d fs.DirEntry, err error) error {
	rel, rerr := filepath.Rel(root, p)
	if rerr != nil {
		return rerr
	}
	remote := path.Join(name, filepath.ToSlash(rel))
	switch {
	case err != nil:
		if !w.yield(cli.Job{Local: p, Remote: remote, Err: err}) {
			return fs.SkipAll
		}
		return nil
	case d.IsDir():
		return w.folder(p, remote)
	case d.Type()&fs.ModeSymlink != 0:
		info, err := os.Stat(p)
		switch {
		case err != nil:
			if !w.yield(cli.Job{Local: p, Remote: remote, Err: err}) {
				return fs.SkipAll
			}
			return nil
		case info.IsDir():
			w.note("skipped %q: a link to a folder, which may lead in circles", p)
			return nil
		case !info.Mode().IsRegular():
			w.note("skipped %q: a link to what is no file", p)
			return nil
		}
	case !d.Type().IsRegular():
		w.note("skipped %q: not a file", p)
		return nil
	}
	if !w.file(p, remote) {
		return fs.SkipAll
	}
	return nil
}

// folder creates a folder that holds nothing; others are created with their
// first file.
func (w *walker) folder(p, remote string) error {
	if remote == "" || remote == "." {
		return nil
	}
	entries, err := os.ReadDir(p)
	if err != nil || len(entries) > 0 {
		return nil // WalkDir reports the error next
	}
	if err := w.client.MkdirAll(w.ctx, remote); err != nil && !w.yield(cli.Job{Local: p, Remote: remote, Err: err}) {
		return fs.SkipAll
	}
	return nil
}

func (w *walker) file(local, remote string) bool {
	return w.yield(cli.Job{Local: local, Remote: remote, Do: func(ctx context.Context, progress func(ftpx.ProgressInfo)) (ftpx.Result, error) {
		return w.client.Upload(ctx, local, remote, &ftpx.UploadOptions{CreateDirs: true, Progress: progress})
	}})
}

func (w *walker) note(format string, args ...any) {
	fmt.Fprintln(w.env.Stderr, transport.Printable(fmt.Sprintf(format, args...)))
}
