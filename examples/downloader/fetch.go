package main

import (
	"context"
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
	busy := newClaims()
	return cli.Run(ctx, "download", f, env, func(yield func(cli.Job) bool) error {
		for _, t := range targets {
			w := &walker{ctx: ctx, flags: f, env: env, target: t, folder: folder, busy: busy, yield: yield}
			if err := t.client.Walk(ctx, t.remote, w.entry); err != nil {
				return err
			}
		}
		return nil
	})
}

// walker finds the files of one target.
type walker struct {
	ctx    context.Context
	flags  cli.Flags
	env    cli.Env
	target target
	folder string
	busy   *claims
	yield  func(cli.Job) bool
}

// entry is the ftpx.WalkFunc.
func (w *walker) entry(p string, e ftpx.Entry, err error) error {
	job, release := cli.Job{Remote: p, Err: err}, func() {}
	if err == nil {
		job.Local, job.Err = w.local(p, e)
	}
	switch {
	case job.Err != nil:
	case e.IsDir():
		if job.Err = os.MkdirAll(job.Local, 0o777); job.Err == nil {
			return nil
		}
	case e.Type == transport.TypeLink && w.leadsToFolder(p):
		cli.Note(w.flags, w.env, "skipped %q: a link to a folder, which may lead in circles", p)
		return nil
	case e.Type == transport.TypeOther:
		cli.Note(w.flags, w.env, "skipped %q: neither a file nor a folder", p)
		return nil
	default:
		release = w.busy.claim(job.Local)
		job.Do = func(ctx context.Context, progress func(ftpx.ProgressInfo)) (ftpx.Result, error) {
			defer release()
			return w.target.client.Download(ctx, p, job.Local, &ftpx.DownloadOptions{CreateDirs: true, Progress: progress})
		}
	}
	if !w.yield(job) {
		release()
		return fs.SkipAll
	}
	if err == nil && job.Err != nil && e.IsDir() {
		return fs.SkipDir // there is no place for what it holds
	}
	return nil // also after an error: what comes after it may be good
}

// local is where a remote path goes. Names come from the server and are hostile:
// one that would lead out of the folder, or names a device of this system, is
// refused.
func (w *walker) local(p string, e ftpx.Entry) (string, error) {
	root := w.target.remote
	rel := strings.TrimPrefix(p, strings.TrimSuffix(root, "/")+"/")
	switch {
	case p == root && (w.target.contents && e.IsDir()):
		return w.folder, nil
	case p == root:
		rel = path.Base(root) // a file goes by its name, whatever follows it in the URL
	case root == ".":
		rel = p
	}
	if p != root && !w.target.contents {
		rel = path.Join(path.Base(root), rel)
	}
	local := filepath.FromSlash(rel)
	if !filepath.IsLocal(local) || filepath.Separator == '\\' && strings.Contains(rel, `\`) {
		return "", fmt.Errorf("the server's name %q would lead out of the folder or names a device: not fetched", transport.Printable(rel))
	}
	return filepath.Join(w.folder, local), nil
}

// leadsToFolder follows a link. What cannot be followed is left to the download
// to complain of.
func (w *walker) leadsToFolder(p string) bool {
	e, err := w.target.client.Stat(w.ctx, p)
	return err == nil && e.IsDir()
}
