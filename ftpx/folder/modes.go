package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// folderMode is what a folder of the destination gets when nothing more is put into it.
type folderMode struct {
	rel   string
	perm  uint16
	there bool
}

// modeOf is what a file of the source gives to its copy, 0 for nothing.
func (j *job) modeOf(s *entry) fs.FileMode {
	if !j.o.KeepModes {
		return 0
	}
	return fs.FileMode(s.perm)
}

// wantsMode reports whether what is there has other permission bits, as far as both are known.
func (j *job) wantsMode(s, d *entry) bool {
	return j.o.KeepModes && d != nil && s.perm != 0 && d.perm != 0 && s.perm != d.perm
}

// putMode has a file that is not copied get the bits of the source's.
func (j *job) putMode(ctx context.Context, target string, s *entry) bool {
	perm, size := fs.FileMode(s.perm), s.size
	return j.put(ctx, &task{size: folderSize, do: func(ctx context.Context) {
		j.tell(j.setMode(ctx, Item{Path: target, Size: size}, perm))
	}})
}

func (j *job) setMode(ctx context.Context, item Item, perm fs.FileMode) Item {
	item.Action, item.Finding, item.Reason = Chmod, Differs, fmt.Sprintf("the source has %03o", perm)
	if j.o.DryRun {
		return item
	}
	if item.Err = j.dst.chmod(ctx, item.Path, perm); errors.Is(item.Err, errors.ErrUnsupported) {
		item.Action, item.Err = Skip, nil
		item.Reason += ", which the server cannot be told"
		j.count(func(r *Report) { r.ModesLost++ })
	}
	return item
}

// keepMode gives a file that was fetched the bits of the source's, before it has its name.
func (c *copying) keepMode(ctx context.Context) {
	j := c.j
	if !j.o.KeepModes {
		return
	}
	if c.entry.perm == 0 || j.dst.chmod(ctx, c.first, fs.FileMode(c.entry.perm)) != nil {
		j.count(func(r *Report) { r.ModesLost++ })
	}
}

// noteFolderMode remembers a folder whose bits are to be set.
func (j *job) noteFolderMode(rel string, s, d *entry) {
	if j.o.KeepModes && s.perm != 0 && (d == nil || d.perm != 0 && d.perm != s.perm) {
		j.modes = append(j.modes, folderMode{rel, s.perm, d != nil})
	}
}

// setFolderModes sets them, those of a folder after those of what is in it: a folder that may
// not be written to any more could not be filled.
func (j *job) setFolderModes(ctx context.Context) {
	for i := len(j.modes) - 1; i >= 0 && j.stopped(ctx) == nil; i-- {
		m := j.modes[i]
		item := Item{Path: m.rel, Dir: true, Size: -1}
		switch {
		case m.there:
			item = j.setMode(ctx, item, fs.FileMode(m.perm))
		case j.o.DryRun:
			continue
		default:
			// Made by this run, or not, if nothing was to go into it.
			if item = j.setMode(ctx, item, fs.FileMode(m.perm)); item.Err == nil || errors.Is(item.Err, fs.ErrNotExist) {
				continue
			}
		}
		j.tell(item)
	}
}

func (l *local) chmod(_ context.Context, rel string, perm fs.FileMode) error {
	return l.held.Chmod(filepath.FromSlash(rel), perm)
}

func (r *remote) chmod(ctx context.Context, rel string, perm fs.FileMode) error {
	return r.c.Chmod(ctx, r.full(rel), perm)
}
