package ftpx

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// FS implements [Files].
func (c *client) FS(ctx context.Context) fs.FS { return &remoteFS{c: c, ctx: ctx, dir: "."} }

// remoteFS is a folder of the server as a file system of package io/fs. All
// there is to know of the server is asked when it is needed: it holds nothing.
type remoteFS struct {
	c   *client
	ctx context.Context
	dir string // the remote path of its root
}

var _ interface {
	fs.ReadDirFS
	fs.StatFS
	fs.ReadFileFS
	fs.SubFS
} = (*remoteFS)(nil)

// remote checks a path of package io/fs and returns the remote one.
func (r *remoteFS) remote(op, name string) (string, error) {
	// CR, LF and NUL are valid in such a path and cannot be sent in any.
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\r\n\x00") {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return path.Join(r.dir, name), nil
}

// Open asks once about the file, following links, and opens nothing on the server.
func (r *remoteFS) Open(name string) (fs.File, error) {
	remote, err := r.remote("open", name)
	if err != nil {
		return nil, err
	}
	e, err := r.stat("open", name, remote)
	if err != nil {
		return nil, err
	}
	if e.IsDir() {
		return &remoteDir{fsys: r, name: name, info: infoOf(e)}, nil
	}
	return newRemoteFile(r, name, remote, e), nil
}

// stat is Client.Stat, with the name that the entry has in this file system.
func (r *remoteFS) stat(op, name, remote string) (Entry, error) {
	e, err := r.c.Stat(r.ctx, remote)
	if err != nil {
		return e, &fs.PathError{Op: op, Path: name, Err: err}
	}
	e.Name = path.Base(name)
	return e, nil
}

func (r *remoteFS) Stat(name string) (fs.FileInfo, error) {
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

func (r *remoteFS) ReadDir(name string) ([]fs.DirEntry, error) {
	remote, err := r.remote("readdir", name)
	if err != nil {
		return nil, err
	}
	entries, err := r.c.list(r.ctx, remote)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	return r.dirEntries(name, entries), nil
}

// ReadFile fetches in one piece. What is allocated follows what has arrived, not
// what the server says.
func (r *remoteFS) ReadFile(name string) ([]byte, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	file, ok := f.(*remoteFile)
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errIsFolder}
	}
	var b bytes.Buffer
	if file.size < 0 {
		_, err = file.WriteTo(&b)
	} else if file.size > 0 {
		b.Grow(int(min(file.size, firstGrow)) + bytes.MinRead)
		_, err = file.fetch(0, file.size, &b)
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
func (r *remoteFS) Sub(name string) (fs.FS, error) {
	remote, err := r.remote("sub", name)
	if err != nil {
		return nil, err
	}
	if name == "." {
		return r, nil
	}
	return &remoteFS{c: r.c, ctx: r.ctx, dir: remote}, nil
}

var errIsFolder = &transport.Error{Op: "read", Kind: transport.KindInvalid, Err: errors.New("it is a folder")}
