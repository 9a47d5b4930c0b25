package ftpxtest

import (
	"context"
	"io"
	"io/fs"
	"path"
)

// FS implements [ftpx.Files]. Its operations fail on demand as "stat" (Open and
// Stat), "list" (ReadDir) and "read" (ReadFile, and the reads of files), and are
// counted so.
func (c *Client) FS(ctx context.Context) fs.FS {
	return &fileSystem{c: c, fs: c.Client.FS(ctx).(fullFS), dir: "."}
}

// fullFS is what a file system of package ftpx can do, and readable what its files
// can.
type fullFS interface {
	fs.ReadDirFS
	fs.StatFS
	fs.ReadFileFS
	fs.SubFS
}

type readable interface {
	fs.File
	io.ReaderAt
	io.Seeker
	io.WriterTo
}

type fileSystem struct {
	c   *Client
	fs  fullFS
	dir string // the remote path of its root
}

var _ fullFS = (*fileSystem)(nil)

func (f *fileSystem) called(op, name, as string) error {
	if !fs.ValidPath(name) {
		return nil // an error of its own follows
	}
	if err := f.c.called(op, "", path.Join(f.dir, name)); err != nil {
		return &fs.PathError{Op: as, Path: name, Err: err}
	}
	return nil
}

func (f *fileSystem) Open(name string) (fs.File, error) {
	if err := f.called("stat", name, "open"); err != nil {
		return nil, err
	}
	file, err := f.fs.Open(name)
	if r, ok := file.(readable); ok && err == nil {
		return &openFile{readable: r, f: f, name: name}, nil
	}
	if dir, ok := file.(fs.ReadDirFile); ok && err == nil {
		return &openDir{ReadDirFile: dir, f: f, name: name}, nil
	}
	return file, err
}

func (f *fileSystem) Stat(name string) (fs.FileInfo, error) {
	if err := f.called("stat", name, "stat"); err != nil {
		return nil, err
	}
	return f.fs.Stat(name)
}

func (f *fileSystem) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := f.called("list", name, "readdir"); err != nil {
		return nil, err
	}
	return f.fs.ReadDir(name)
}

func (f *fileSystem) ReadFile(name string) ([]byte, error) {
	if err := f.called("read", name, "read"); err != nil {
		return nil, err
	}
	return f.fs.ReadFile(name)
}

func (f *fileSystem) Sub(name string) (fs.FS, error) {
	sub, err := f.fs.Sub(name)
	if err != nil {
		return nil, err
	}
	return &fileSystem{c: f.c, fs: sub.(fullFS), dir: path.Join(f.dir, name)}, nil
}

// openFile is a file whose reads fail on demand.
type openFile struct {
	readable
	f    *fileSystem
	name string
}

func (o *openFile) Read(p []byte) (int, error) {
	if err := o.f.called("read", o.name, "read"); err != nil {
		return 0, err
	}
	return o.readable.Read(p)
}

func (o *openFile) ReadAt(p []byte, off int64) (int, error) {
	if err := o.f.called("read", o.name, "read"); err != nil {
		return 0, err
	}
	return o.readable.ReadAt(p, off)
}

func (o *openFile) WriteTo(w io.Writer) (int64, error) {
	if err := o.f.called("read", o.name, "read"); err != nil {
		return 0, err
	}
	return o.readable.WriteTo(w)
}

// openDir is a folder whose listing fails on demand.
type openDir struct {
	fs.ReadDirFile
	f    *fileSystem
	name string
}

func (o *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if err := o.f.called("list", o.name, "readdir"); err != nil {
		return nil, err
	}
	return o.ReadDirFile.ReadDir(n)
}
