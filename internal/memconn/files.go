package memconn

import (
	"bytes"
	"cmp"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Files is what is on a server's disk: a tree of folders and files. Servers
// that share one are hosts that share their storage. Paths use "/", and "a/b"
// is "/a/b". Safe for concurrent use.
type Files struct {
	mu   sync.Mutex // guards the tree and all nodes
	root *node
	due  []dueWrite // in order of time
}

// node is a file or folder; it outlives its name, as an inode does.
type node struct {
	dir      bool
	data     []byte
	mtime    time.Time
	perm     fs.FileMode // 0 for the usual
	children map[string]*node
	// lockedUntil is when the last session that wrote the file lets go of it.
	lockedUntil time.Time
}

// dueWrite is what an old session will still write.
type dueWrite struct {
	at     time.Time
	file   *node
	offset int64
	data   []byte
}

// NewFiles returns an empty disk.
func NewFiles() *Files { return &Files{root: newFolder()} }

func newFolder() *node {
	return &node{dir: true, children: map[string]*node{}, mtime: time.Now()}
}

// lock locks the tree and lets happen what is due.
func (f *Files) lock() {
	f.mu.Lock()
	now := time.Now()
	n := 0
	for ; n < len(f.due) && !f.due[n].at.After(now); n++ {
		d := f.due[n]
		d.file.writeAt(d.offset, d.data)
		d.file.mtime = d.at
	}
	f.due = f.due[n:]
}

func (f *Files) unlock() { f.mu.Unlock() }

// later adds a write that is to happen; the caller holds the lock.
func (f *Files) later(d dueWrite) {
	f.due = append(f.due, d)
	slices.SortStableFunc(f.due, func(a, b dueWrite) int { return a.at.Compare(b.at) })
}

// writeAt writes as pwrite does: what lies between the end and offset is zeros.
func (n *node) writeAt(offset int64, p []byte) {
	if gap := offset - int64(len(n.data)); gap > 0 {
		n.data = append(n.data, make([]byte, gap)...)
	}
	over := copy(n.data[offset:], p)
	if len(n.data)+len(p)-over > cap(n.data) {
		n.data = slices.Grow(n.data, max(len(p), len(n.data))) // copy a growing file seldom
	}
	n.data = append(n.data, p[over:]...)
	n.mtime = time.Now()
}

// truncate cuts a file, or fills it up with zeros.
func (n *node) truncate(size int64) {
	if size <= int64(len(n.data)) {
		n.data = slices.Clip(n.data[:size])
	} else {
		n.data = append(n.data, make([]byte, size-int64(len(n.data)))...)
	}
	n.mtime = time.Now()
}

// elements splits a path; the root has none.
func elements(p string) []string {
	p = strings.Trim(path.Clean("/"+p), "/")
	if p == "" {
		return nil
	}
	return strings.Split(p, "/")
}

// find returns what is at a path, or nil. The caller holds the lock.
func (f *Files) find(p string) *node {
	n := f.root
	for _, name := range elements(p) {
		if n == nil || !n.dir {
			return nil
		}
		n = n.children[name]
	}
	return n
}

// parent returns the folder that holds a path, nil if there is none, and the
// name in it, "" for the root.
func (f *Files) parent(p string) (*node, string) {
	el := elements(p)
	if len(el) == 0 {
		return nil, ""
	}
	dir := f.find(strings.Join(el[:len(el)-1], "/"))
	if dir == nil || !dir.dir {
		return nil, el[len(el)-1]
	}
	return dir, el[len(el)-1]
}

// mkdirAll returns the folder at a path, made with its parents where missing.
// It panics if a file is in the way: tests set up what they like, but not that.
func (f *Files) mkdirAll(p string) *node {
	n := f.root
	for _, name := range elements(p) {
		next := n.children[name]
		if next == nil {
			next = newFolder()
			n.children[name] = next
		}
		if !next.dir {
			panic("memconn: " + p + " leads through a file")
		}
		n = next
	}
	return n
}

// Write puts a file there, with the folders above it, past all sessions.
func (f *Files) Write(p string, data []byte, mtime time.Time) {
	f.lock()
	defer f.unlock()
	dir := f.mkdirAll(path.Dir(path.Clean("/" + p)))
	dir.children[path.Base(p)] = &node{data: bytes.Clone(data), mtime: mtime}
}

// MkdirAll makes a folder and those above it.
func (f *Files) MkdirAll(p string) {
	f.lock()
	defer f.unlock()
	f.mkdirAll(p)
}

// Read returns a file's content; ok is false where there is no file.
func (f *Files) Read(p string) (data []byte, ok bool) {
	f.lock()
	defer f.unlock()
	n := f.find(p)
	if n == nil || n.dir {
		return nil, false
	}
	return append([]byte{}, n.data...), true
}

// ModTime returns a file's or folder's time, zero where there is none.
func (f *Files) ModTime(p string) time.Time {
	f.lock()
	defer f.unlock()
	if n := f.find(p); n != nil {
		return n.mtime
	}
	return time.Time{}
}

// remove deletes a file, or a folder with all below it, past all sessions.
func (f *Files) Remove(p string) {
	f.lock()
	defer f.unlock()
	if dir, name := f.parent(p); dir != nil {
		delete(dir.children, name)
	}
}

// Paths returns every file, and every folder with a "/" at its end, sorted,
// without a leading "/".
func (f *Files) Paths() []string {
	f.lock()
	defer f.unlock()
	var all []string
	var walk func(prefix string, n *node)
	walk = func(prefix string, n *node) {
		for _, name := range slices.Sorted(maps.Keys(n.children)) {
			child := n.children[name]
			if child.dir {
				all = append(all, prefix+name+"/")
				walk(prefix+name+"/", child)
			} else {
				all = append(all, prefix+name)
			}
		}
	}
	walk("", f.root)
	return all
}

// Pending returns when the last old session will have stopped writing, zero if
// none writes.
func (f *Files) Pending() time.Time {
	f.lock()
	defer f.unlock()
	if len(f.due) == 0 {
		return time.Time{}
	}
	return slices.MaxFunc(f.due, func(a, b dueWrite) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) }).at
}
