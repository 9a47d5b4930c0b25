package remotefs

import (
	"cmp"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// info is an [transport.Entry] as package io/fs describes one.
type info struct{ e transport.Entry }

func infoOf(e transport.Entry) info { return info{e} }

func (i info) Name() string       { return i.e.Name }
func (i info) ModTime() time.Time { return i.e.ModTime }
func (i info) IsDir() bool        { return i.e.IsDir() }
func (i info) Sys() any           { return i.e }

// String is for logs, and for %v.
func (i info) String() string { return fs.FormatFileInfo(i) }

// Size is 0 where there is none to tell: of folders, whose size is the server's
// own affair, and where the server does not say, as for the files of /proc.
func (i info) Size() int64 {
	if i.e.IsDir() {
		return 0
	}
	return max(i.e.Size, 0)
}

// Mode has the server's permissions, or those of what can be read by all where
// it gives none.
func (i info) Mode() fs.FileMode {
	perm := i.e.Perm.Perm()
	switch i.e.Type {
	case transport.TypeDir:
		return fs.ModeDir | cmp.Or(perm, 0o555)
	case transport.TypeLink:
		return fs.ModeSymlink | cmp.Or(perm, 0o777)
	case transport.TypeOther, transport.TypeUnknown:
		return fs.ModeIrregular | cmp.Or(perm, 0o444)
	}
	return cmp.Or(perm, 0o444)
}

// entry is an entry of a listing.
type entry struct {
	info
	fsys *folder
	name string // its path
}

func (d *entry) Type() fs.FileMode { return d.Mode().Type() }
func (d *entry) String() string    { return fs.FormatDirEntry(d) }

// Info is what the listing had, where that says the same as a question about the
// file would: a LIST has neither years nor seconds nor a time zone, and ProFTPD
// lists a link to a file as a file of mode 0777 with the size of the link.
func (d *entry) Info() (fs.FileInfo, error) {
	e := d.e
	maybeLink := e.Type == transport.TypeFile && e.Perm == 0o777
	if e.Type == transport.TypeLink || e.TimeExact && !maybeLink && (e.IsDir() || e.Size >= 0) {
		return d.info, nil
	}
	return d.fsys.Stat(d.name)
}

// dirEntries sorts a listing and leaves out what no path of package io/fs leads
// to, or what would be another entry than it looks.
func (r *folder) dirEntries(dir string, entries []transport.Entry) []fs.DirEntry {
	list := make([]fs.DirEntry, 0, len(entries))
	for _, e := range entries {
		if listable(e.Name) {
			list = append(list, &entry{info: infoOf(e), fsys: r, name: path.Join(dir, e.Name)})
		}
	}
	byName := func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) }
	slices.SortStableFunc(list, byName)
	return slices.CompactFunc(list, func(a, b fs.DirEntry) bool { return byName(a, b) == 0 })
}

// listable reports whether a name out of a listing is that of one entry, in
// UTF-8, and prints as itself.
func listable(name string) bool {
	return fs.ValidPath(name) && name != "." && !strings.ContainsAny(name, "/\x00\r\n") && strings.IndexFunc(name, unicode.IsControl) < 0
}

// dir is an open folder. It is read when it is first asked for.
type dir struct {
	fsys   *folder
	name   string
	info   info
	read   bool
	left   []fs.DirEntry
	closed bool
}

func (d *dir) Stat() (fs.FileInfo, error) {
	if d.closed {
		return nil, &fs.PathError{Op: "stat", Path: d.name, Err: fs.ErrClosed}
	}
	return d.info, nil
}

func (d *dir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errIsFolder}
}

func (d *dir) Close() error {
	if d.closed {
		return &fs.PathError{Op: "close", Path: d.name, Err: fs.ErrClosed}
	}
	d.closed, d.left = true, nil
	return nil
}

// ReadDir implements fs.ReadDirFile.
func (d *dir) ReadDir(n int) ([]fs.DirEntry, error) {
	if d.closed {
		return nil, &fs.PathError{Op: "readdir", Path: d.name, Err: fs.ErrClosed}
	}
	if !d.read {
		list, err := d.fsys.ReadDir(d.name)
		if err != nil {
			return nil, err
		}
		d.read, d.left = true, list
	}
	if n <= 0 {
		n = len(d.left)
	} else if len(d.left) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.left))
	list := slices.Clone(d.left[:n])
	d.left = d.left[n:]
	return list, nil
}
