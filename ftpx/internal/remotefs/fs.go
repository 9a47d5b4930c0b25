// Package remotefs presents a server as an io/fs file system. Read fs.go first. An open file
// reads ahead (file.go, ahead.go) and holds no connection between two reads.
package remotefs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync/atomic"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Server is what a file system needs of a client.
type Server interface {
	// Stat describes a file or folder, following links.
	Stat(ctx context.Context, name string) (transport.Entry, error)
	// List returns the entries of a folder.
	List(ctx context.Context, name string) ([]transport.Entry, error)
	// Begin is called when a file is opened. What is read of it is read with the context
	// that it returns. end, if not nil, is called once when it is closed or the context has
	// ended, with how much was read, and the last error of that.
	Begin(ctx context.Context, f File) (inside context.Context, end func(moved int64, err error))
	// Read brings a section of a file into dst, see [Section]. On an error what is in dst is of
	// no use: it may be of another file.
	Read(ctx context.Context, p Section, dst io.Writer) (int64, error)
}

// File is a file that is opened.
type File struct {
	// Remote is its path, Size its size, -1 where that is not known.
	Remote string
	Size   int64
}

// Section is a part of a file that was opened.
type Section struct {
	// Remote is its path, Seen what it was when it was opened. If it is another now, Read
	// fails.
	Remote string
	Seen   transport.Entry
	// Offset and Size say which part. It is shorter only where the file ends and its size
	// was not known.
	Offset, Size int64
	// FromStart is set once the server has refused to send the file from an offset on.
	FromStart *atomic.Bool
}

// New returns the server's files as a file system. memory is that of all file systems of
// the client. ctx bounds every operation.
func New(ctx context.Context, s Server, memory *Memory) fs.FS {
	return &folder{s: s, memory: memory, ctx: ctx, dir: "."}
}

// folder is a folder of the server as a file system of package io/fs. All
// there is to know of the server is asked when it is needed: it holds nothing.
type folder struct {
	s      Server
	memory *Memory
	ctx    context.Context
	dir    string // the remote path of its root
}

var _ interface {
	fs.ReadDirFS
	fs.StatFS
	fs.ReadFileFS
	fs.SubFS
} = (*folder)(nil)

// remote checks a path of package io/fs and returns the remote one.
func (r *folder) remote(op, name string) (string, error) {
	// CR, LF and NUL are valid in such a path and cannot be sent in any.
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\r\n\x00") {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return path.Join(r.dir, name), nil
}

// Open asks once about the file, following links, and opens nothing on the server.
func (r *folder) Open(name string) (fs.File, error) {
	remote, err := r.remote("open", name)
	if err != nil {
		return nil, err
	}
	e, err := r.stat("open", name, remote)
	if err != nil {
		return nil, err
	}
	if e.IsDir() {
		return &dir{fsys: r, name: name, info: infoOf(e)}, nil
	}
	return newRemoteFile(r, name, remote, e), nil
}

// stat is Client.Stat, with the name that the entry has in this file system.
func (r *folder) stat(op, name, remote string) (transport.Entry, error) {
	e, err := r.s.Stat(r.ctx, remote)
	if err != nil {
		return e, &fs.PathError{Op: op, Path: name, Err: err}
	}
	e.Name = path.Base(name)
	return e, nil
}

func (r *folder) Stat(name string) (fs.FileInfo, error) {
	remote, err := r.remote("stat", name)
	if err != nil {
		return nil, err
	}
	e, err := r.stat("stat", name, remote)
	if err != nil {
		return nil, err
	}
	return infoOf(e), nil
}

func (r *folder) ReadDir(name string) ([]fs.DirEntry, error) {
	remote, err := r.remote("readdir", name)
	if err != nil {
		return nil, err
	}
	entries, err := r.s.List(r.ctx, remote)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	return r.dirEntries(name, entries), nil
}

// ReadFile fetches at once. What is allocated follows what has arrived, not
// what the server says.
func (r *folder) ReadFile(name string) ([]byte, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	opened, ok := f.(*file)
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errIsFolder}
	}
	var b bytes.Buffer
	if opened.size < 0 {
		_, err = opened.WriteTo(&b)
	} else if opened.size > 0 {
		b.Grow(int(min(opened.size, firstGrow)) + bytes.MinRead)
		_, err = opened.fetch(0, opened.size, &b)
	}
	if err != nil {
		return nil, err
	}
	if b.Len() == 0 {
		return []byte{}, nil
	}
	return b.Bytes(), nil
}

// firstGrow bounds what is allocated on the word of the server alone.
const firstGrow = 1 << 20

// Sub asks nothing of the server: like a file, the folder need not be there yet.
func (r *folder) Sub(name string) (fs.FS, error) {
	remote, err := r.remote("sub", name)
	if err != nil {
		return nil, err
	}
	if name == "." {
		return r, nil
	}
	return &folder{s: r.s, memory: r.memory, ctx: r.ctx, dir: remote}, nil
}

var errIsFolder = &transport.Error{Op: "read", Kind: transport.KindInvalid, Err: errors.New("it is a folder")}
