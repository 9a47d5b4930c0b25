package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// localStream watches a local folder.
type localStream struct {
	stream
	n      notifier // nil where the system has none
	g      gatherer
	dirs   map[string]bool // the folders that are watched, by path
	gone   bool            // the folder is not there
	dumb   bool            // it has been said that notices are missing
	rescan time.Time       // when all is looked through again
	unread map[string]bool // the folders that this look could not read
}

var openNotifier = newSystemNotifier

func newLocal(o Options, dir string) (*localStream, error) {
	if dir == "" {
		return nil, errors.New("the local folder is empty: name one, \".\" is the current one")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	sel, err := folder.SelectLocal(dir, &o.Folder)
	if err != nil {
		return nil, err
	}
	s := &localStream{stream: newStream(o, sel, dir), dirs: map[string]bool{}}
	s.g = gatherer{wake: s.wake, paths: map[string]bool{}}
	return s, nil
}

// run yields until ctx ends.
func (s *localStream) run(ctx context.Context, yield yield) {
	n, err := openNotifier()
	if err != nil {
		if !s.missing(err, yield) {
			return
		}
	} else {
		s.n = n
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.g.gather(n.notices())
		}()
		defer func() { n.close(); <-done }()
	}
	for ctx.Err() == nil {
		if !s.catchUp(ctx, yield) {
			return
		}
		if f := s.t.pop(time.Now()); f != nil {
			if !s.due(f, yield) {
				return
			}
			continue
		}
		until := s.rescan
		if next, ok := s.t.next(); ok && next.Before(until) {
			until = next
		}
		s.wait(ctx, until)
	}
}

// missing says once that there are no notices, or not of all folders.
func (s *localStream) missing(err error, yield yield) bool {
	if s.dumb {
		return true
	}
	s.dumb = true
	return yield(Event{}, fmt.Errorf("watch: the system does not tell what changes, so that files are found every %v at best: %w", s.o.MaxInterval, err))
}

// catchUp looks at what has changed, or at all if that is due.
func (s *localStream) catchUp(ctx context.Context, yield yield) bool {
	now := time.Now()
	s.takeBack(now)
	paths, all := s.g.take()
	all = all || !now.Before(s.rescan)
	var rels []string
	for p := range paths {
		rel, err := filepath.Rel(s.dir, p)
		if rel = filepath.ToSlash(rel); err != nil || rel == "." || rel == ".." || strings.HasPrefix(rel, "../") {
			// The folder itself, or one beside it while it is gone.
			all = all || p == s.dir
			continue
		}
		rels = append(rels, rel)
	}
	if all {
		return s.look(ctx, yield)
	}
	review := false
	var there []string
	for _, rel := range rels { // what is gone first: a folder may have got another name
		if _, err := os.Lstat(s.full(rel)); err != nil {
			s.vanished(rel)
		} else {
			there = append(there, rel)
		}
	}
	for _, rel := range there {
		if !s.touched(ctx, rel, &review, yield) {
			return false
		}
	}
	if review && s.sel.Marker("x") != "" {
		s.review(now)
	}
	return true
}

// review looks again at the files that wait for something else than time.
func (s *localStream) review(now time.Time) {
	for _, f := range s.t.files {
		if !f.taken && f.at < 0 {
			s.t.schedule(f, later(now, f.since.Add(s.settle())))
		}
	}
}

// look goes through the whole folder.
func (s *localStream) look(ctx context.Context, yield yield) bool {
	s.t.scan++
	s.unread = map[string]bool{}
	was := s.dirs
	s.dirs = map[string]bool{}
	err := s.walk(ctx, ".", yield)
	s.rescan = time.Now().Add(s.o.MaxInterval)
	if errors.Is(err, fs.ErrNotExist) {
		clear(s.unread) // what was watched in it is not there, or elsewhere
	}
	if s.n != nil && ctx.Err() == nil {
		for dir := range was {
			if !s.dirs[dir] && !beneath(join(dir, "x"), s.unread) {
				s.n.remove(s.full(dir))
			}
		}
	}
	switch {
	case errors.Is(err, errStopped):
		return false
	case errors.Is(err, fs.ErrNotExist):
		s.rescan = time.Now().Add(s.o.Interval)
		return s.lost(err, yield)
	case err != nil:
		s.rescan = time.Now().Add(s.o.Interval)
		return yield(Event{}, fmt.Errorf("watch: the folder cannot be read: %w", err))
	case ctx.Err() != nil:
		return true
	}
	if s.gone {
		s.gone = false
		if s.n != nil {
			s.n.remove(filepath.Dir(s.dir))
		}
	}
	s.t.sweep(func(p string) bool { return beneath(p, s.unread) })
	return true
}

// lost is about the folder itself not being there. What was in it is remembered: it may
// be a file system that comes back.
func (s *localStream) lost(err error, yield yield) bool {
	if s.n != nil {
		// Where it is to appear. It may have come meanwhile.
		if s.n.add(filepath.Dir(s.dir)) == nil && !s.gone {
			s.rescan = time.Time{}
		}
	}
	if s.gone {
		return true
	}
	s.gone = true
	return yield(Event{}, fmt.Errorf("%w: %w", ErrGone, err))
}

// errStopped: the consumer wants no more.
var errStopped = errors.New("stopped")

// batch is how many entries are read at once.
const batch = 1024

// walk looks at a folder and those in it. The error is one of the folder itself, or
// errStopped; what cannot be read further down is yielded.
func (s *localStream) walk(ctx context.Context, top string, yield yield) error {
	stack := []string{top}
	for len(stack) > 0 && ctx.Err() == nil {
		dir := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		s.dirs[dir] = true
		var deaf error
		if s.n != nil { // before it is read, so that nothing falls between
			deaf = s.n.add(s.full(dir))
		}
		folders, err := s.read(ctx, dir)
		if err == nil {
			if stack = append(stack, folders...); deaf != nil && !s.missing(deaf, yield) {
				return errStopped
			}
			continue
		}
		delete(s.dirs, dir)
		s.unread[dir] = true
		switch {
		case dir == ".":
			return err
		case errors.Is(err, fs.ErrNotExist):
			delete(s.unread, dir) // gone since
		case !yield(Event{Path: dir}, fmt.Errorf("watch: the folder %q cannot be read: %w", dir, err)):
			return errStopped
		}
	}
	return nil
}

// read notes the files of a folder and returns the folders in it.
func (s *localStream) read(ctx context.Context, dir string) (folders []string, err error) {
	f, err := os.Open(s.full(dir))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for ctx.Err() == nil {
		entries, err := f.ReadDir(batch)
		infos := make([]fs.FileInfo, 0, len(entries))
		for _, e := range entries {
			if info, err := e.Info(); err == nil { // else it is gone since
				infos = append(infos, info)
			}
		}
		now := time.Now() // when they had been seen, not before
		for _, info := range infos {
			rel := join(dir, info.Name())
			if s.note(rel, info, now) && info.IsDir() {
				folders = append(folders, rel)
			}
		}
		if errors.Is(err, io.EOF) {
			return folders, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// note notes a file. It reports whether the entry is one that counts.
func (s *localStream) note(rel string, info fs.FileInfo, now time.Time) bool {
	if info.Mode()&fs.ModeSymlink != 0 {
		to, err := os.Stat(s.full(rel))
		if s.o.Folder.Links != folder.LinkFollow || err != nil || to.IsDir() {
			return false
		}
		info = to
	}
	switch {
	case info.IsDir():
		return !s.o.Flat && s.sel.Enters(rel)
	case !info.Mode().IsRegular() || !s.sel.Takes(rel):
		return false
	}
	s.t.observe(rel, localEntry(info), now, s.settle())
	return true
}

func localEntry(info fs.FileInfo) ftpx.Entry {
	return ftpx.Entry{Name: info.Name(), Type: ftpx.TypeFile, Size: info.Size(), ModTime: info.ModTime(), TimeExact: true}
}

// touched looks at one path that has changed. review is set if files may have waited
// for it.
func (s *localStream) touched(ctx context.Context, rel string, review *bool, yield yield) bool {
	info, err := os.Lstat(s.full(rel))
	if err != nil {
		s.vanished(rel)
		return true
	}
	if !s.note(rel, info, time.Now()) {
		*review = true
		return true
	}
	if !info.IsDir() {
		return true
	}
	if s.unread == nil {
		s.unread = map[string]bool{}
	}
	return !errors.Is(s.walk(ctx, rel, yield), errStopped)
}

// vanished forgets a path that is gone.
func (s *localStream) vanished(rel string) {
	s.t.forget(rel)
	if !s.dirs[rel] {
		return
	}
	s.drop(rel)
	// If it has only got another name, the system's notices of it may have ended with
	// the old one, after the new one was watched.
	if soon := time.Now().Add(s.o.Interval); soon.Before(s.rescan) {
		s.rescan = soon
	}
}

// drop forgets a folder that is gone and all that was in it.
func (s *localStream) drop(dir string) {
	in := map[string]bool{dir: true}
	for p := range s.t.files {
		if beneath(p, in) {
			s.t.forget(p)
		}
	}
	for d := range s.dirs {
		if d == dir || beneath(d, in) {
			delete(s.dirs, d)
			if s.n != nil {
				s.n.remove(s.full(d))
			}
		}
	}
}

// due looks at a file whose time has come, and yields it if it is as it was.
func (s *localStream) due(f *file, yield yield) bool {
	info, err := os.Lstat(s.full(f.path))
	if err == nil && info.Mode()&fs.ModeSymlink != 0 && s.o.Folder.Links == folder.LinkFollow {
		info, err = os.Stat(s.full(f.path))
	}
	if err != nil || !info.Mode().IsRegular() {
		s.t.forget(f.path) // deleted before it was taken
		return true
	}
	now := time.Now()
	if e := localEntry(info); !f.same(e) {
		s.t.observe(f.path, e, now, s.settle())
		return true
	}
	why, err := s.sel.Locked(s.full(f.path))
	if err != nil {
		why = err.Error()
		if !yield(Event{Path: f.path}, fmt.Errorf("watch: %w", err)) {
			return false
		}
	}
	if why != "" {
		s.t.schedule(f, now.Add(max(s.settle(), time.Second)))
		return true
	}
	var marker *ftpx.Entry
	if name := s.sel.Marker(path.Base(f.path)); name != "" {
		if m, err := os.Lstat(s.full(join(path.Dir(f.path), name))); err == nil && m.Mode().IsRegular() {
			e := localEntry(m)
			marker = &e
		}
	}
	return s.offer(f, marker, now, yield)
}

func (s *localStream) full(rel string) string { return filepath.Join(s.dir, filepath.FromSlash(rel)) }
