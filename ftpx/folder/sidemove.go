package folder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// What the two sides can do for Options.After.

func (l *local) mark(_ context.Context, rel string, mtime time.Time) error {
	name := filepath.FromSlash(rel)
	open, lstat := os.OpenFile, os.Lstat
	if l.dest {
		open, lstat = l.held.OpenFile, l.held.Lstat
	} else {
		name = l.full(rel)
	}
	if info, err := lstat(name); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%w: %q is to be a marker and is no file", ErrTypeConflict, l.full(rel))
	}
	f, err := open(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err == nil {
		err = f.Close()
	}
	switch {
	case err != nil || mtime.IsZero():
		return err
	case l.dest:
		return l.held.Chtimes(name, mtime, mtime)
	}
	return os.Chtimes(name, mtime, mtime)
}

func (l *local) rename(_ context.Context, from, to string) error {
	return l.held.Rename(filepath.FromSlash(from), filepath.FromSlash(to))
}

func (l *local) take(_ context.Context, rel, dir string, seen *snapshot) (string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	from := l.full(rel)
	for n := range maxSpares {
		to := filepath.Join(dir, spareName(filepath.Base(from), seen.time(), n))
		err := renameExclusive(from, to)
		switch {
		case errors.Is(err, fs.ErrExist):
			continue
		case otherDevice(err):
			return "", fmt.Errorf("%q is on another file system than %q, where a file cannot be moved to in one step: choose a folder beside it (%w)", dir, from, err)
		case err != nil:
			return "", err
		}
		return to, l.tookRight(from, to, seen)
	}
	return "", fmt.Errorf("%w: %q, and %d names made of it", fs.ErrExist, filepath.Join(dir, filepath.Base(from)), maxSpares)
}

// tookRight makes sure that what was moved is what was looked at a moment before. If
// not, it goes back, and what another program has put there is not lost.
func (l *local) tookRight(from, to string, seen *snapshot) error {
	info, err := os.Lstat(to)
	if err != nil {
		return err
	}
	differs := seen.differs(&snapshot{entry: localEntry(info), info: info})
	if differs == nil {
		return nil
	}
	if err := renameExclusive(to, from); err != nil {
		return fmt.Errorf("%w; the new file is kept as %q: %w", differs, to, err)
	}
	return differs
}

func (l *local) write(_ context.Context, name string, content []byte) error {
	return os.WriteFile(name, content, 0o666)
}

func (r *remote) mark(ctx context.Context, rel string, mtime time.Time) error {
	_, err := r.c.Put(ctx, r.full(rel), bytes.NewReader(nil), &ftpx.PutOptions{ModTime: mtime})
	return err
}

func (r *remote) rename(ctx context.Context, from, to string) error {
	return r.c.Rename(ctx, r.full(from), r.full(to))
}

// take has no rename that fails where there is a file already: it looks first, which
// leaves a moment in which another writer can come between.
func (r *remote) take(ctx context.Context, rel, dir string, seen *snapshot) (string, error) {
	if _, made := r.made.Load(dir); !made {
		if err := r.c.MkdirAll(ctx, dir); err != nil {
			return "", err
		}
		r.made.Store(dir, true)
	}
	for n := range maxSpares {
		to := path.Join(dir, spareName(path.Base(rel), seen.time(), n))
		_, err := r.c.Stat(ctx, to)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return to, r.c.Rename(ctx, r.full(rel), to)
		case err != nil:
			return "", err
		}
	}
	return "", fmt.Errorf("%w: %q, and %d names made of it", fs.ErrExist, path.Join(dir, path.Base(rel)), maxSpares)
}

func (r *remote) write(ctx context.Context, name string, content []byte) error {
	_, err := r.c.Put(ctx, name, bytes.NewReader(content), nil)
	return err
}

// maxSpares is how many names are tried for a file whose name is taken.
const maxSpares = 100

// spareName is a file's name for the n-th attempt: its own, then with its time, then
// with a number too.
func spareName(name string, mtime time.Time, n int) string {
	if n == 0 {
		return name
	}
	stem, ext := splitName(name)
	if !mtime.IsZero() {
		stem += mtime.UTC().Format("-20060102T150405Z")
		n--
	}
	if n > 0 {
		stem += "-" + strconv.Itoa(n+1)
	}
	if ext == "" && !strings.HasSuffix(name, ".") {
		return stem
	}
	return stem + "." + ext
}
