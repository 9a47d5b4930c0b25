package testserver

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Op names what a client is about to do with a path.
type Op string

// The operations that an [AccessFunc] is asked about.
const (
	OpRead   Op = "read"   // open a file for reading
	OpWrite  Op = "write"  // open a file for writing, appending or both
	OpList   Op = "list"   // read a folder
	OpStat   Op = "stat"   // stat, lstat, SIZE, MDTM, readlink
	OpSet    Op = "set"    // change size, mode, owner or times
	OpMkdir  Op = "mkdir"  // make a folder
	OpRmdir  Op = "rmdir"  // remove a folder
	OpRemove Op = "remove" // remove a file
	OpRename Op = "rename" // rename; asked for the old path, then the new one
	OpLink   Op = "link"   // make a hard or symbolic link
)

// AccessFunc is asked before an operation on path, an absolute, cleaned,
// slash-separated path below the server's root. An error refuses the operation
// and is what the client is told: fs.ErrPermission, fs.ErrNotExist or anything
// else. It is called by many sessions at once.
//
// It exists because tests often run as root, to whom file modes mean nothing.
type AccessFunc func(op Op, path string) error

// ReadOnly is an [AccessFunc] that refuses every change.
func ReadOnly(op Op, _ string) error {
	switch op {
	case OpRead, OpList, OpStat:
		return nil
	default:
		return fs.ErrPermission
	}
}

// tree is the folder that a server serves. Names go through os.Root, so that
// neither ".." nor a symbolic link leads out of it.
type tree struct {
	root   *os.Root
	access AccessFunc
	disk   *Disk
	files  *tracker // open files hold it
	// stored is told of a file that was written, when it is closed.
	stored func(name string)

	// renames makes "refuse when the target exists" one step.
	renames sync.Mutex
}

func openTree(dir string, access AccessFunc, disk *Disk, stored func(string), files *tracker) (*tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &tree{root: root, access: access, disk: disk, stored: stored, files: files}, nil
}

// name checks that op is allowed on the client's path p and returns p as os.Root
// wants it: relative, and "." for the root.
func (t *tree) name(op Op, p string) (string, error) {
	p = path.Clean("/" + p)
	if t.access != nil {
		if err := t.access(op, p); err != nil {
			return "", &fs.PathError{Op: string(op), Path: p, Err: err}
		}
	}
	if p == "/" {
		return ".", nil
	}
	return filepath.FromSlash(strings.TrimPrefix(p, "/")), nil
}

// open opens a file with the flags of os.OpenFile. Appending files are written
// at their end whatever offset is asked for, as O_APPEND has it.
func (t *tree) open(p string, flag int, perm os.FileMode) (*file, error) {
	op := OpRead
	if flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND) != 0 {
		op = OpWrite
	}
	name, err := t.name(op, p)
	if err != nil {
		return nil, err
	}
	if !t.files.hold() {
		return nil, fs.ErrClosed
	}
	f, err := t.root.OpenFile(name, flag, perm)
	if err != nil {
		t.files.release()
		return nil, err
	}
	return &file{File: f, tree: t, name: name, writes: op == OpWrite, appends: flag&os.O_APPEND != 0}, nil
}

// list returns the entries of a folder in the order that the system gives.
func (t *tree) list(p string) ([]os.FileInfo, error) {
	name, err := t.name(OpList, p)
	if err != nil {
		return nil, err
	}
	dir, err := t.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdir(-1)
}

func (t *tree) stat(p string) (os.FileInfo, error)  { return t.info(p, t.root.Stat) }
func (t *tree) lstat(p string) (os.FileInfo, error) { return t.info(p, t.root.Lstat) }

func (t *tree) info(p string, stat func(string) (os.FileInfo, error)) (os.FileInfo, error) {
	name, err := t.name(OpStat, p)
	if err != nil {
		return nil, err
	}
	return stat(name)
}

func (t *tree) mkdir(p string, perm os.FileMode) error {
	name, err := t.name(OpMkdir, p)
	if err != nil {
		return err
	}
	return t.root.Mkdir(name, perm)
}

func (t *tree) chmod(p string, mode os.FileMode) error {
	name, err := t.name(OpSet, p)
	if err != nil {
		return err
	}
	return t.root.Chmod(name, mode)
}

func (t *tree) chown(p string, uid, gid int) error {
	name, err := t.name(OpSet, p)
	if err != nil {
		return err
	}
	return t.root.Chown(name, uid, gid)
}

func (t *tree) chtimes(p string, atime, mtime time.Time) error {
	name, err := t.name(OpSet, p)
	if err != nil {
		return err
	}
	return t.root.Chtimes(name, atime, mtime)
}

func (t *tree) close() error { return t.root.Close() }
