package conformance

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
)

// Disk is where [RunBatches] lays out trees and reads them, past all connections.
type Disk interface {
	// Folder makes a folder, and File a file of the time [treeTime], under paths as
	// the connections have them.
	Folder(name string) error
	File(name string, data []byte) error
	// Tree describes all that is below a folder, one entry a line, sorted. Times are
	// told by [when].
	Tree(dir string) []string
	// Clear removes a folder and all that is below it.
	Clear(dir string)
}

// treeTime is that of all files of a new tree. What a request writes has a time of
// today, and what it sets one of this century's first years.
var treeTime = time.Unix(1_000_000_000, 0)

// when tells a time as far as it can be compared: the two trees are not changed in the
// same second.
func when(t time.Time) string {
	switch {
	case t.IsZero():
		return "no time"
	case t.Year() > 2019:
		return "now"
	}
	return t.UTC().Format("2006-01-02T15:04:05")
}

// fileLine is one file of a tree.
func fileLine(name string, data []byte, at time.Time, perm fs.FileMode) string {
	return fmt.Sprintf("%s %d bytes %x %s %o", name, len(data), sha256.Sum256(data), when(at), perm.Perm())
}

// disk is a server's folder on this machine.
type disk struct {
	root string
	own  func(name string) error // gives a new file to the login
}

// OnDisk is a [Disk] of a server whose login folder is root. own, if not nil, makes
// the login the owner of what has been made.
func OnDisk(root string, own func(name string) error) Disk { return &disk{root, own} }

func (d *disk) Folder(name string) error {
	name = filepath.Join(d.root, filepath.FromSlash(name))
	return errors.Join(os.Mkdir(name, 0o755), d.owned(name))
}

func (d *disk) File(name string, data []byte) error {
	name = filepath.Join(d.root, filepath.FromSlash(name))
	return errors.Join(os.WriteFile(name, data, 0o644), d.owned(name), os.Chtimes(name, treeTime, treeTime))
}

func (d *disk) owned(name string) error {
	if d.own == nil {
		return nil
	}
	return d.own(name)
}

func (d *disk) Tree(dir string) (all []string) {
	top := filepath.Join(d.root, dir)
	err := filepath.WalkDir(top, func(name string, e fs.DirEntry, err error) error {
		if err != nil || name == top {
			return err
		}
		rel, _ := filepath.Rel(top, name)
		rel = filepath.ToSlash(rel)
		info, err := e.Info()
		switch {
		case err != nil:
			return err
		case e.IsDir():
			all = append(all, fmt.Sprintf("%s/ %o", rel, info.Mode().Perm()))
		case e.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(name)
			all = append(all, fmt.Sprintf("%s -> %s %v", rel, target, err))
		default:
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			all = append(all, fileLine(rel, data, info.ModTime(), info.Mode()))
		}
		return nil
	})
	if err != nil {
		all = append(all, "error: "+err.Error())
	}
	return all
}

func (d *disk) Clear(dir string) { _ = os.RemoveAll(filepath.Join(d.root, dir)) }

// memory is the disk of a pretended server.
type memory struct{ files *memconn.Files }

func (m memory) Folder(name string) error {
	m.files.MkdirAll(name)
	return nil
}

func (m memory) File(name string, data []byte) error {
	m.files.Write(name, data, treeTime)
	return nil
}

func (m memory) Tree(dir string) (all []string) {
	for _, p := range m.files.Paths() {
		switch name, ok := within(dir, p); {
		case !ok || name == "":
		case p[len(p)-1] == '/':
			all = append(all, name)
		default:
			data, _ := m.files.Read(p)
			all = append(all, fileLine(name, data, m.files.ModTime(p), 0o644))
		}
	}
	slices.Sort(all)
	return all
}

func within(dir, p string) (string, bool) {
	if len(p) <= len(dir) || p[:len(dir)+1] != dir+"/" {
		return "", false
	}
	return p[len(dir)+1:], true
}

func (m memory) Clear(dir string) { m.files.Remove(dir) }

// lay makes a new tree.
func lay(d Disk, dir string) error {
	err := d.Folder(dir)
	for _, name := range []string{"d", "e", "d/deep"} {
		err = errors.Join(err, d.Folder(path.Join(dir, name)))
	}
	for name, size := range treeFiles {
		err = errors.Join(err, d.File(path.Join(dir, name), random(size)))
	}
	return err
}

// treeFiles are the files of a new tree and their sizes.
var treeFiles = map[string]int{"a": 10, "b": 3000, "d/f": 500, "d/deep/g": 0, "big": 70_000}
