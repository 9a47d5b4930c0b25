package main

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// download fetches all targets into a folder.
func download(ctx context.Context, f cli.Flags, env cli.Env, targets []target, to *place) int {
	busy := newClaims()
	return cli.Run(ctx, "download", f, env, func(yield func(cli.Job) bool) error {
		for _, t := range targets {
			w := &walker{ctx: ctx, flags: f, env: env, target: t, to: to, busy: busy, yield: yield}
			if err := t.client.Walk(ctx, t.remote, w.entry); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}

// walker finds the files of one target.
type walker struct {
	ctx    context.Context
	flags  cli.Flags
	env    cli.Env
	target target
	to     *place
	busy   *claims
	yield  func(cli.Job) bool
}

// entry is the ftpx.WalkFunc.
func (w *walker) entry(p string, e ftpx.Entry, err error) error {
	job := cli.Job{Remote: p, Size: e.Size, Err: err}
	name := w.name(p, e)
	if job.Err == nil && name != "." {
		job.Local, job.Err = w.to.path(name), w.to.check(name)
	}
	switch {
	case job.Err != nil:
	case p == w.target.remote && w.target.contents && !e.IsDir():
		job.Err = fmt.Errorf("%q is no folder: leave out the slash at the end of the URL to fetch a file", p)
	case e.Type == transport.TypeUnknown:
		job.Err = fmt.Errorf("%q: the server does not tell whether it is a file or a folder", p)
	case name == ".":
		return nil // FOLDER itself
	case e.IsDir():
		if job.Err = w.to.mkdir(name); job.Err == nil {
			return nil
		}
	case e.Type == transport.TypeLink && w.leadsToFolder(p):
		cli.Note(w.flags, w.env, "skipped %q: a link to a folder, which may lead in circles", p)
		return nil
	case e.Type == transport.TypeOther:
		cli.Note(w.flags, w.env, "skipped %q: neither a file nor a folder", p)
		return nil
	default:
		// A name like that of an unfinished download must wait until no other file's
		// download can take it for its own.
		job.Last = clashes(name)
		job.Do = func(ctx context.Context, progress func(ftpx.ProgressInfo)) (ftpx.Result, error) {
			defer w.busy.claim(job.Local)()
			if err := w.to.mkdir(path.Dir(name)); err != nil {
				return ftpx.Result{}, err
			}
			return w.target.client.Download(ctx, p, job.Local, &ftpx.DownloadOptions{Progress: progress})
		}
	}
	if !w.yield(job) {
		return fs.SkipAll
	}
	if err == nil && job.Err != nil && e.IsDir() {
		return fs.SkipDir // there is no place for what it holds
	}
	return nil // also after an error: what comes after it may be good
}

// name is what a remote path is called beneath the folder, "." for the folder
// itself. It comes from the server and has not been checked.
func (w *walker) name(p string, e ftpx.Entry) string {
	root := w.target.remote
	rel := strings.TrimPrefix(p, strings.TrimSuffix(root, "/")+"/")
	switch {
	case p == root && w.target.contents && e.IsDir():
		return "."
	case p == root:
		return path.Base(root) // a file goes by its name
	case root == ".":
		rel = p
	}
	if !w.target.contents {
		rel = path.Join(path.Base(root), rel)
	}
	return rel
}

// leadsToFolder follows a link. What cannot be followed is left to the download
// to complain of.
func (w *walker) leadsToFolder(p string) bool {
	e, err := w.target.client.Stat(w.ctx, p)
	return err == nil && e.IsDir()
}
