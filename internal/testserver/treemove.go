package testserver

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// remove removes a file; a folder is refused, as unlink(2) does, although
// os.Remove would take it.
func (t *tree) remove(p string) error {
	name, err := t.name(OpRemove, p)
	if err != nil {
		return err
	}
	info, err := t.root.Lstat(name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return &fs.PathError{Op: "remove", Path: p, Err: syscall.EISDIR}
	}
	return t.root.Remove(name)
}

// rmdir removes an empty folder; a file is refused.
func (t *tree) rmdir(p string) error {
	name, err := t.name(OpRmdir, p)
	if err != nil {
		return err
	}
	info, err := t.root.Lstat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &fs.PathError{Op: "rmdir", Path: p, Err: syscall.ENOTDIR}
	}
	return t.root.Remove(name)
}

// rename moves from to to. With replace it takes the place of an existing file,
// as rename(2) does; without, an existing target is refused.
func (t *tree) rename(from, to string, replace bool) error {
	oldname, err := t.name(OpRename, from)
	if err != nil {
		return err
	}
	newname, err := t.name(OpRename, to)
	if err != nil {
		return err
	}
	if replace {
		return t.root.Rename(oldname, newname)
	}
	t.renames.Lock()
	defer t.renames.Unlock()
	_, err = t.root.Lstat(newname)
	switch {
	case err == nil:
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: fs.ErrExist}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return t.root.Rename(oldname, newname)
}

// link makes newPath a hard link to oldPath.
func (t *tree) link(oldPath, newPath string) error {
	oldname, err := t.name(OpLink, oldPath)
	if err != nil {
		return err
	}
	newname, err := t.name(OpLink, newPath)
	if err != nil {
		return err
	}
	return t.root.Link(oldname, newname)
}

// symlink makes linkPath a symbolic link that says target. A target outside the
// root can be written and never followed.
func (t *tree) symlink(target, linkPath string) error {
	name, err := t.name(OpLink, linkPath)
	if err != nil {
		return err
	}
	return t.root.Symlink(target, name)
}

func (t *tree) readlink(p string) (string, error) {
	name, err := t.name(OpStat, p)
	if err != nil {
		return "", err
	}
	return t.root.Readlink(name)
}

// truncate sets the size of a file; longer than it was, it gains zeros, which
// take no room on the disk.
func (t *tree) truncate(p string, size int64) error {
	name, err := t.name(OpSet, p)
	if err != nil {
		return err
	}
	f, err := t.root.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	err = f.Truncate(size)
	return errors.Join(err, f.Close())
}
