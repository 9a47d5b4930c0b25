package testserver

import (
	"os"
	"time"

	ftpserver "github.com/fclairamb/ftpserverlib"
	"github.com/spf13/afero"
)

// ftpFs shows a tree to ftpserverlib. It is an afero.Fs, which is how the
// library sees files; afero's own BasePathFs is not used because it follows
// symbolic links out of its folder.
type ftpFs struct {
	tree            *tree
	refuseOverwrite bool
}

var (
	_ ftpserver.ClientDriver                   = (*ftpFs)(nil)
	_ ftpserver.ClientDriverExtensionFileList  = (*ftpFs)(nil)
	_ ftpserver.ClientDriverExtensionRemoveDir = (*ftpFs)(nil)
)

// Name is part of afero.Fs.
func (f *ftpFs) Name() string { return "testserver" }

// Create is part of afero.Fs.
func (f *ftpFs) Create(name string) (afero.File, error) {
	return f.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// Open is part of afero.Fs.
func (f *ftpFs) Open(name string) (afero.File, error) { return f.OpenFile(name, os.O_RDONLY, 0) }

// OpenFile is part of afero.Fs. The library asks for mode 0777; servers in the
// field make files without execute bits.
func (f *ftpFs) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	file, err := f.tree.open(name, flag, perm&0o666)
	if err != nil {
		return nil, err
	}
	return file, nil
}

// Mkdir is part of afero.Fs.
func (f *ftpFs) Mkdir(name string, perm os.FileMode) error { return f.tree.mkdir(name, perm) }

// MkdirAll is part of afero.Fs; SITE MKDIR asks for it.
func (f *ftpFs) MkdirAll(name string, perm os.FileMode) error {
	rooted, err := f.tree.name(OpMkdir, name)
	if err != nil {
		return err
	}
	return f.tree.root.MkdirAll(rooted, perm)
}

// Remove is part of afero.Fs; DELE asks for it.
func (f *ftpFs) Remove(name string) error { return f.tree.remove(name) }

// RemoveDir is part of ftpserver.ClientDriverExtensionRemoveDir; RMD asks for it.
func (f *ftpFs) RemoveDir(name string) error { return f.tree.rmdir(name) }

// RemoveAll is part of afero.Fs; SITE RMDIR asks for it.
func (f *ftpFs) RemoveAll(name string) error {
	rooted, err := f.tree.name(OpRmdir, name)
	if err != nil {
		return err
	}
	return f.tree.root.RemoveAll(rooted)
}

// Rename is part of afero.Fs.
func (f *ftpFs) Rename(oldname, newname string) error {
	return f.tree.rename(oldname, newname, !f.refuseOverwrite)
}

// Stat is part of afero.Fs.
func (f *ftpFs) Stat(name string) (os.FileInfo, error) { return f.tree.stat(name) }

// ReadDir is part of ftpserver.ClientDriverExtensionFileList.
func (f *ftpFs) ReadDir(name string) ([]os.FileInfo, error) { return f.tree.list(name) }

// Chmod is part of afero.Fs.
func (f *ftpFs) Chmod(name string, mode os.FileMode) error { return f.tree.chmod(name, mode) }

// Chown is part of afero.Fs.
func (f *ftpFs) Chown(name string, uid, gid int) error { return f.tree.chown(name, uid, gid) }

// Chtimes is part of afero.Fs.
func (f *ftpFs) Chtimes(name string, atime, mtime time.Time) error {
	return f.tree.chtimes(name, atime, mtime)
}
