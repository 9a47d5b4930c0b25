package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// upload sends all that the sources hold.
func upload(ctx context.Context, client ftpx.Client, f cli.Flags, env cli.Env, sources []source, ways ftpx.UploadOptions) int {
	return cli.Run(ctx, "upload", f, env, func(yield func(cli.Job) bool) error {
		w := &walker{client: client, flags: f, env: env, ways: ways, yield: yield}
		for _, s := range sources {
			if !w.source(s) {
				break
			}
		}
		return nil
	}, client.Close)
}

// batch is how many entries of a folder are held at once, whatever its size.
const batch = 512

// walker finds the files of the sources, as fast as they are taken. Its methods
// return false when no more are wanted.
type walker struct {
	client ftpx.Client
	flags  cli.Flags
	env    cli.Env
	ways   ftpx.UploadOptions
	yield  func(cli.Job) bool
}

func (w *walker) source(s source) bool {
	info, err := os.Stat(s.path) // again: it is some time since the command line was read
	switch {
	case err != nil:
		return w.failed(s.path, s.name, err)
	case s.contents:
		return w.folder(s.path, "")
	case info.IsDir():
		return w.folder(s.path, s.name)
	case !info.Mode().IsRegular():
		// Opening a pipe would wait for its writer.
		return w.failed(s.path, s.name, &fs.PathError{Op: "upload", Path: s.path, Err: errors.New("it is neither a file nor a folder any more")})
	}
	return w.file(s.path, s.name, info.Size())
}

// folder sends what a folder holds. It is created by the first file in it, or by
// itself if there is none. It is read in batches, so that a million entries need
// no more memory than a few.
func (w *walker) folder(dir, remote string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return w.failed(dir, remote, err)
	}
	defer f.Close()
	empty := true
	for {
		entries, err := f.ReadDir(batch)
		slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		for _, e := range entries {
			sent, more := w.entry(filepath.Join(dir, e.Name()), path.Join(remote, e.Name()), e)
			if !more {
				return false
			}
			empty = empty && !sent
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return w.failed(dir, remote, err)
		}
	}
	if !empty {
		return true
	}
	if w.ways.Delivery == ftpx.DeliverDrop {
		cli.Note(w.flags, w.env, "skipped %q: it is empty, and -delivery drop makes no folders for nothing", dir)
		return true
	}
	if remote == "" {
		remote = "."
	}
	return w.yield(cli.Job{Local: dir, Remote: remote, Folder: true, Do: func(ctx context.Context, _ func(ftpx.ProgressInfo)) (ftpx.Result, error) {
		return ftpx.Result{}, w.client.MkdirAll(ctx, remote)
	}})
}

// entry sends one entry of a folder. sent says that it creates the folder's twin
// on the server.
func (w *walker) entry(local, remote string, e fs.DirEntry) (sent, more bool) {
	mode := e.Type()
	info, err := e.Info()
	if mode&fs.ModeSymlink != 0 {
		info, err = os.Stat(local)
		switch {
		case err != nil:
			return false, w.failed(local, remote, fmt.Errorf("link that leads nowhere: %w", err))
		case info.IsDir():
			cli.Note(w.flags, w.env, "skipped %q: a link to a folder, which may lead in circles", local)
			return false, true
		}
		mode = info.Mode().Type()
	}
	switch {
	case mode.IsDir():
		return true, w.folder(local, remote)
	case !mode.IsRegular():
		cli.Note(w.flags, w.env, "skipped %q: neither a file nor a folder", local)
		return false, true
	}
	size := int64(0)
	if err == nil {
		size = info.Size()
	}
	return true, w.file(local, remote, size)
}

func (w *walker) file(local, remote string, size int64) bool {
	return w.yield(cli.Job{Local: local, Remote: remote, Size: size, Do: func(ctx context.Context, progress func(ftpx.ProgressInfo)) (ftpx.Result, error) {
		opts := w.ways
		opts.CreateDirs, opts.Progress = true, progress
		return w.client.Upload(ctx, local, remote, &opts)
	}})
}

func (w *walker) failed(local, remote string, err error) bool {
	return w.yield(cli.Job{Local: local, Remote: remote, Err: err})
}
