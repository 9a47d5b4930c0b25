package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// download fetches all targets into a folder.
func download(ctx context.Context, f cli.Flags, env cli.Env, targets []target, folder string) int {
	return cli.Run(ctx, "download", f, env, func(yield func(cli.Job) bool) error {
		for _, t := range targets {
			w := &walker{ctx: ctx, target: t, folder: folder, yield: yield, env: env}
			if err := w.walk(); err != nil {
				return err
			}
		}
		return nil
	})
}

type walker struct {
	ctx context.Context
	target
	folder string
	yield  func(cli.Job) bool
	env    cli.Env
}

func (w *walker) walk() error {
	root := path.Clean(w.remote)
	name := path.Base(root)
	if w.contents {
		name = ""
	}
	err := w.client.Walk(w.ctx, root, func(p string, e ftpx.Entry, err error) error {
		rel := strings.TrimPrefix(strings.TrimPrefix(p, root), "/")
		if root == "." {
			rel = strings.TrimPrefix(p, "./")
			if p == "." {
				rel = ""
			}
		}
		if p == root && !e.IsDir() && err == nil {
			// A file goes by its own name, whatever follows it in the URL.
			return w.entry(path.Base(root), p, e, nil)
		}
		return w.entry(path.Join(name, rel), p, e, err)
	})
	if errors.Is(err, fs.SkipAll) {
		return nil
	}
	return err
}

// entry fetches what is at a remote path to its place beneath the folder. Names
// come from the server and are hostile: one that leads out of the folder, or is a
// device's on this system, is refused.
func (w *walker) entry(rel, remote string, e ftpx.Entry, err error) error {
	job := cli.Job{Remote: remote, Err: err}
	local := filepath.FromSlash(rel)
	switch {
	case err != nil:
	case rel == "" || rel == ".":
		return nil // the folder itself
	case !filepath.IsLocal(local) || strings.ContainsRune(rel, '\\') && filepath.Separator == '\\':
		job.Err = fmt.Errorf("the server's name %q would lead out of the folder or names a device: not fetched", transport.Printable(rel))
	case e.IsDir():
		if err := os.MkdirAll(filepath.Join(w.folder, local), 0o777); err == nil {
			return nil
		} else {
			job.Err = err
		}
	case e.Type == transport.TypeLink:
		// Whether it leads to a file or a folder, only following it tells.
		return w.link(rel, remote)
	case e.Type != transport.TypeFile:
		fmt.Fprintln(w.env.Stderr, transport.Printable(fmt.Sprintf("skipped %q: not a file", remote)))
		return nil
	}
	if job.Err == nil {
		job.Local = filepath.Join(w.folder, local)
		job.Do = func(ctx context.Context, progress func(ftpx.ProgressInfo)) (ftpx.Result, error) {
			return w.client.Download(ctx, remote, job.Local, &ftpx.DownloadOptions{CreateDirs: true, Progress: progress})
		}
	}
	if !w.yield(job) {
		return fs.SkipAll
	}
	if err != nil && e.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// link fetches what a link leads to, if that is a file.
func (w *walker) link(rel, remote string) error {
	job := cli.Job{Remote: remote, Local: filepath.Join(w.folder, filepath.FromSlash(rel))}
	job.Do = func(ctx context.Context, progress func(ftpx.ProgressInfo)) (ftpx.Result, error) {
		return w.client.Download(ctx, remote, job.Local, &ftpx.DownloadOptions{CreateDirs: true, Progress: progress})
	}
	if e, err := w.client.Stat(w.ctx, remote); err == nil && e.IsDir() {
		fmt.Fprintln(w.env.Stderr, transport.Printable(fmt.Sprintf("skipped %q: a link to a folder, which may lead in circles", remote)))
		return nil
	}
	if !w.yield(job) {
		return fs.SkipAll
	}
	return nil
}
