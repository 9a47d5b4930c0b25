package fleet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// perform does what a job says, on a client of its target.
func (w *Worker) perform(ctx context.Context, c ftpx.Client, j *Job) (Result, error) {
	switch j.Op {
	case Upload:
		return w.upload(ctx, c, j)
	case Download:
		return w.download(ctx, c, j)
	case Mirror:
		return w.mirror(ctx, c, j)
	case Delete:
		err := c.Remove(ctx, j.Dest)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return Result{}, err
	case Copy:
		return w.copy(ctx, c, j)
	}
	return Result{}, local(fmt.Errorf("operation %q is not known to this worker", j.Op))
}

// local marks an error of this machine.
func local(err error) error { return &transport.LocalError{Err: err} }

// place finds the root of "ROOT:PATH".
func (w *Worker) place(at string) (*os.Root, string, error) {
	name, rel, _ := splitPlace(at)
	root := w.root[name]
	if root == nil {
		return nil, "", local(fmt.Errorf("root %q is not known to worker %s: %w", name, w.o.Name, fs.ErrNotExist))
	}
	return root, filepath.FromSlash(rel), nil
}

// openSource opens a regular file in a root. What is sent is this open file: nothing that is
// put in its place can be sent instead, and no link leads out of the root.
func (w *Worker) openSource(at string) (*os.File, fs.FileInfo, error) {
	root, rel, err := w.place(at)
	if err != nil {
		return nil, nil, err
	}
	info, err := root.Stat(rel) // before opening, which could wait for a pipe's other end
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%q is not a regular file: %w", at, fs.ErrPermission)
	}
	if err != nil {
		return nil, nil, local(inRoot(err))
	}
	f, err := root.OpenFile(rel, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, nil, local(inRoot(err))
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%q is not a regular file: %w", at, fs.ErrPermission)
	}
	if err != nil {
		f.Close()
		return nil, nil, local(err)
	}
	return f, info, nil
}

// inRoot makes the refusal of a path that leaves its root a final one.
func inRoot(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return err
	}
	var p *fs.PathError
	if errors.As(err, &p) && p.Err != nil && p.Err.Error() == "path escapes from parent" {
		return fmt.Errorf("%w: %w: a link leads out of the root", err, fs.ErrPermission)
	}
	return err
}

func (w *Worker) upload(ctx context.Context, c ftpx.Client, j *Job) (Result, error) {
	f, info, err := w.openSource(j.Source)
	if err != nil {
		return Result{}, err
	}
	defer f.Close()
	return w.put(ctx, c, j, f, info.ModTime())
}

// put sends an open file, and waits until it is known to stay.
func (w *Worker) put(ctx context.Context, c ftpx.Client, j *Job, f *os.File, mtime time.Time) (Result, error) {
	res, err := c.Put(ctx, j.Dest, f, &ftpx.PutOptions{CreateDirs: true, ModTime: mtime, SkipSame: j.Delivery == ftpx.DeliverAtomic,
		Verify: verifyOf(j.Verify), Delivery: j.Delivery})
	if err == nil && !res.Unchanged {
		err = settled(ctx, c, j.Dest)
	}
	return resultOf(res), err
}

// settled looks again at a file that a lost session may still replace, until it cannot.
func settled(ctx context.Context, c ftpx.Client, remote string) error {
	again, ok := c.(ftpx.Rechecker)
	for range 3 {
		if !ok || !again.Doubtful(remote) {
			return nil
		}
		select {
		case <-time.After(2 * time.Second): // what the server does meanwhile it tells nobody
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := again.Recheck(ctx, remote); err != nil {
			return err
		}
	}
	if again.Doubtful(remote) {
		return errUnsettled
	}
	return nil
}

func (w *Worker) download(ctx context.Context, c ftpx.Client, j *Job) (Result, error) {
	root, rel, err := w.place(j.Dest)
	if err != nil {
		return Result{}, err
	}
	if err := makeWay(root, rel); err != nil {
		return Result{}, local(inRoot(err))
	}
	if res, ok := fetched(ctx, c, j.Source, root, rel); ok {
		return res, nil
	}
	res, err := c.Download(ctx, j.Source, filepath.Join(root.Name(), rel), &ftpx.DownloadOptions{Verify: verifyOf(j.Verify)})
	return resultOf(res), err
}

// makeWay makes the folder of a file that is to be fetched, and refuses links on the way
// that leave the root, and anything but a file in its place.
func makeWay(root *os.Root, rel string) error {
	dir := filepath.Dir(rel)
	if err := root.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if _, err := root.Stat(dir); err != nil {
		return err
	}
	info, err := root.Lstat(rel)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%q is there, and is not a regular file: %w", rel, fs.ErrPermission)
	}
	return err
}

// fetched finds a file that a worker has fetched which could not say so any more.
func fetched(ctx context.Context, c ftpx.Client, remote string, root *os.Root, rel string) (Result, bool) {
	info, err := root.Lstat(rel)
	if err != nil {
		return Result{}, false
	}
	e, err := c.Stat(ctx, remote)
	same := err == nil && !e.IsDir() && e.Size == info.Size() && e.TimeExact && e.ModTime.Unix() == info.ModTime().Unix()
	return Result{Size: info.Size(), Kept: info.Size(), Unchanged: true, Verified: "size and time, found there"}, same
}

func (w *Worker) mirror(ctx context.Context, c ftpx.Client, j *Job) (Result, error) {
	at, remote := j.Source, j.Dest
	if !j.up() {
		at, remote = j.Dest, j.Source
	}
	root, rel, err := w.place(at)
	if err != nil {
		return Result{}, err
	}
	if !j.up() {
		if err := root.MkdirAll(rel, 0o777); err != nil {
			return Result{}, local(inRoot(err))
		}
	}
	inside, err := root.OpenRoot(rel) // fails where a link leads out
	if err != nil {
		return Result{}, local(inRoot(err))
	}
	inside.Close()
	o := &folder.Options{Ledger: w.f.Ledger(), Job: fmt.Sprintf("%s %s %s", j.Target, j.Source, j.Dest),
		Verify: verifyOf(j.Verify), Delivery: j.Delivery, Parallel: 1}
	if !j.up() {
		o.Delivery = ftpx.DeliverAtomic
	}
	var first error
	var doubtful bool
	o.OnItem = func(i folder.Item) {
		if i.Err != nil && first == nil {
			first = fmt.Errorf("%s: %w", path.Join(remote, i.Path), i.Err)
		}
		doubtful = doubtful || i.Doubtful()
	}
	local := filepath.Join(root.Name(), rel)
	var rep folder.Report
	if j.up() {
		rep, err = folder.Upload(ctx, c, local, remote, o)
	} else {
		rep, err = folder.Download(ctx, c, remote, local, o)
	}
	res := Result{Size: rep.Bytes, Moved: rep.Bytes, Verified: fmt.Sprintf("%d copied, %d unchanged", rep.Copied, rep.Unchanged)}
	switch {
	case err != nil && doubtful:
		err = fmt.Errorf("%w: %w: %w", err, folder.ErrMaybeDelivered, first)
	case err != nil && first != nil:
		err = fmt.Errorf("%w: %w", err, first)
	}
	return res, err
}

func verifyOf(word string) ftpx.Verify {
	switch word {
	case "auto":
		return ftpx.VerifyAuto
	case "size":
		return ftpx.VerifySize
	case "full":
		return ftpx.VerifyFull
	}
	return 0 // the target's
}

func resultOf(r ftpx.Result) Result {
	res := Result{Size: max(r.Size, 0), Kept: r.Kept, Moved: r.Moved, Unchanged: r.Unchanged, Verified: r.Verified.String(), Addr: r.Addr}
	if r.Addr != "" {
		res.Protocol = r.Protocol.String()
	}
	return res
}
