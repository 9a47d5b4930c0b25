package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// side is one of the two folders. Paths are relative to it, with slashes.
type side interface {
	// root tells whether the folder is there; an error if it is something else.
	root(ctx context.Context) (there bool, err error)
	// list returns the entries of a folder in any order.
	list(ctx context.Context, rel string) ([]entry, error)
	// follow turns a link into what it leads to.
	follow(ctx context.Context, rel string, link *entry) error
	// stat looks at an entry again.
	stat(ctx context.Context, rel string) (entry, error)
	mkdir(ctx context.Context, rel string) error
	// remove deletes a file, a link or an empty folder.
	remove(ctx context.Context, rel string) error
	// check refuses names that cannot be used here.
	check(name string) error
	// full is the path for the client.
	full(rel string) string
	// takeSnapshot looks closely at a file of the source.
	takeSnapshot(ctx context.Context, rel string, follow bool) (snapshot, error)
	// mark creates an empty file, with a time unless that is zero. One that is there
	// is no error.
	mark(ctx context.Context, rel string, mtime time.Time) error
	// rename moves a file within the folder, in place of one that is there.
	rename(ctx context.Context, from, to string) error
	// take moves a file of the source to another folder, whose path is a full one, and
	// returns the name that it got. Nothing there is replaced.
	take(ctx context.Context, rel, dir string, seen *snapshot) (string, error)
	// readLink returns what a link says, with slashes; symlink makes one.
	readLink(ctx context.Context, rel string) (string, error)
	symlink(ctx context.Context, target, rel string) error
	// chmod sets the permission bits of a file or folder of the destination.
	chmod(ctx context.Context, rel string, perm fs.FileMode) error
	// write creates a small file, whose path is a full one.
	write(ctx context.Context, name string, content []byte) error
}

// local is a folder of this machine. As a destination it is held open, so that
// nothing in it that changes meanwhile can lead folders and deletions elsewhere.
type local struct {
	dir  string
	held *os.Root // nil for a source, and while the folder is not there
	dest bool
}

func (l *local) root(context.Context) (bool, error) {
	info, err := os.Stat(l.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !info.IsDir():
		return false, fmt.Errorf("%w: local %q is not a folder", ErrTypeConflict, l.dir)
	case l.dest:
		l.held, err = os.OpenRoot(l.dir)
	}
	return err == nil, err
}

func (l *local) close() {
	if l.held != nil {
		l.held.Close()
	}
}

func (l *local) open(rel string) (*os.File, error) {
	if l.held != nil {
		return l.held.Open(filepath.FromSlash(rel))
	}
	return os.Open(l.full(rel))
}

// batch is how many entries are read at once: each is larger than what is kept.
const batch = 1024

func (l *local) list(ctx context.Context, rel string) ([]entry, error) {
	f, err := l.open(rel)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var entries []entry
	for ctx.Err() == nil {
		read, err := f.ReadDir(batch)
		for _, d := range read {
			info, err := d.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue // gone since
			}
			if err != nil {
				return nil, err
			}
			entries = append(entries, localEntry(info))
		}
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, context.Cause(ctx)
}

func localEntry(info fs.FileInfo) entry {
	e := entry{name: info.Name(), size: info.Size(), kind: isOther, perm: uint16(info.Mode().Perm())}
	e.setTime(info.ModTime(), true)
	switch mode := info.Mode(); {
	case mode.IsRegular():
		e.kind = isFile
	case mode.IsDir():
		e.kind = isDir
	case mode&fs.ModeSymlink != 0:
		e.kind = isLink
	}
	return e
}

var errCircle = errors.New("which it lies in")

func (l *local) follow(_ context.Context, rel string, link *entry) error {
	info, err := os.Stat(l.full(rel))
	if err != nil {
		return err
	}
	if info.IsDir() {
		// A link to a folder above would lead in circles.
		for dir := path.Dir(rel); ; dir = path.Dir(dir) {
			above, err := os.Stat(l.full(dir))
			if err != nil {
				return err
			}
			if os.SameFile(info, above) {
				return fmt.Errorf("the link leads to %q, %w: exclude it", dir, errCircle)
			}
			if dir == "." {
				break
			}
		}
	}
	e := localEntry(info)
	e.name, e.key = link.name, link.key
	*link = e
	return nil
}

func (l *local) stat(_ context.Context, rel string) (entry, error) {
	lstat := func() (fs.FileInfo, error) { return os.Lstat(l.full(rel)) }
	if l.held != nil {
		lstat = func() (fs.FileInfo, error) { return l.held.Lstat(filepath.FromSlash(rel)) }
	}
	info, err := lstat()
	if err != nil {
		return entry{}, err
	}
	return localEntry(info), nil
}

func (l *local) mkdir(_ context.Context, rel string) error {
	if l.held != nil {
		err := l.held.Mkdir(filepath.FromSlash(rel), 0o777)
		if errors.Is(err, fs.ErrExist) {
			if info, lerr := l.held.Lstat(filepath.FromSlash(rel)); lerr == nil && info.IsDir() {
				return nil
			}
		}
		return err
	}
	if err := os.MkdirAll(l.dir, 0o777); err != nil {
		return err
	}
	var err error
	l.held, err = os.OpenRoot(l.dir)
	return err
}

func (l *local) remove(_ context.Context, rel string) error {
	var err error
	if l.dest {
		err = l.held.Remove(filepath.FromSlash(rel))
	} else {
		err = os.Remove(l.full(rel))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (l *local) check(name string) error {
	if l.dest {
		return localName(name)
	}
	return nil // the system's own
}

func (l *local) full(rel string) string { return filepath.Join(l.dir, filepath.FromSlash(rel)) }

// remote is a folder of the server.
type remote struct {
	c    ftpx.Client
	dir  string
	made sync.Map // folders that take has made
}

func (r *remote) root(ctx context.Context) (bool, error) {
	e, err := r.c.Stat(ctx, r.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !e.IsDir():
		return false, fmt.Errorf("%w: remote %q is not a folder", ErrTypeConflict, r.dir)
	}
	return true, nil
}

func (r *remote) list(ctx context.Context, rel string) ([]entry, error) {
	var entries []entry
	for e, err := range r.c.List(ctx, r.full(rel)) {
		if err != nil {
			return nil, err
		}
		entries = append(entries, remoteEntry(&e))
	}
	return entries, nil
}

func remoteEntry(e *ftpx.Entry) entry {
	out := entry{name: e.Name, size: e.Size, kind: isOther, perm: uint16(e.Perm.Perm())}
	out.setTime(e.ModTime, e.TimeExact)
	switch e.Type {
	case transport.TypeFile:
		out.kind = isFile
	case transport.TypeDir:
		out.kind = isDir
	case transport.TypeLink:
		out.kind = isLink
	case transport.TypeUnknown:
		out.kind = isUntold
	}
	return out
}

func (r *remote) follow(ctx context.Context, rel string, link *entry) error {
	to, err := r.stat(ctx, rel)
	if err != nil {
		return err
	}
	to.name, to.key = link.name, link.key
	*link = to
	return nil
}

func (r *remote) stat(ctx context.Context, rel string) (entry, error) {
	e, err := r.c.Stat(ctx, r.full(rel))
	return remoteEntry(&e), err
}

func (r *remote) mkdir(ctx context.Context, rel string) error { return r.c.MkdirAll(ctx, r.full(rel)) }

func (r *remote) remove(ctx context.Context, rel string) error {
	err := r.c.Remove(ctx, r.full(rel))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (r *remote) check(name string) error { return remoteName(name) }

func (r *remote) full(rel string) string { return path.Join(r.dir, rel) }
