package folder

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// Selection is what [Options] say of which files are copied and when they are whole,
// for whoever lists the folder himself, as package watch does. It is safe for
// concurrent use.
type Selection struct {
	filter *filter
	h      handling
	check  func(name string) error
	lock   bool
}

// SelectLocal reads the options of an upload from a local folder.
func SelectLocal(localDir string, opts *Options) (*Selection, error) {
	abs, err := filepath.Abs(localDir)
	if err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	return selectFrom(abs, opts, true)
}

// SelectRemote reads the options of a download from a remote folder.
func SelectRemote(remoteDir string, opts *Options) (*Selection, error) {
	return selectFrom(path.Clean(remoteDir), opts, false)
}

func selectFrom(dir string, opts *Options, up bool) (*Selection, error) {
	if opts == nil {
		opts = &Options{}
	}
	o, err := opts.withDefaults()
	s := &Selection{check: func(string) error { return nil }, lock: o.Ready.Lock}
	if !up {
		s.check = remoteName
	}
	if err == nil {
		s.filter, err = newFilter(&o, time.Time{})
	}
	if err == nil {
		s.h, err = o.handling(up, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	return s, nil
}

// Check refuses a name of a listing that cannot be part of a path: a server's word may be
// anything.
func (s *Selection) Check(name string) error { return s.check(name) }

// Enters reports whether a folder, whose parents are entered and whose name has been
// checked, can hold files that are copied.
func (s *Selection) Enters(rel string) bool {
	return s.h.skipped(rel) == "" && s.filter.excluded(rel, true) == ""
}

// Takes reports whether a file, whose folders are entered and whose name has been
// checked, is copied when it is whole: it goes by its path alone.
func (s *Selection) Takes(rel string) bool {
	name := lastOf(rel)
	if s.h.markerOf(name) != "" || s.filter.excluded(rel, false) != "" || unfinished(name, func(string) bool { return true }) {
		return false
	}
	if s.filter.takes(rel, false) {
		return true
	}
	for dir := path.Dir(rel); dir != "."; dir = path.Dir(dir) {
		if s.filter.takes(dir, true) {
			return true
		}
	}
	return false
}

// Marker returns the name of the marker that a file waits for, "" for none.
func (s *Selection) Marker(name string) string {
	if !s.h.ready.set() {
		return ""
	}
	return s.h.ready.of(name)
}

// Waits says why a file is not to be copied yet, by its size, its age and its marker,
// which is nil if it is not there; "" if nothing stands against it. Ready.Stable and
// Lock are for others to see to.
func (s *Selection) Waits(e ftpx.Entry, marker *ftpx.Entry, now time.Time) string {
	file := remoteEntry(&e)
	f := *s.filter
	f.now = now
	if why := f.leavesOut(&file); why != "" {
		return why
	}
	if !s.h.ready.set() {
		return ""
	}
	var m *entry
	if marker != nil {
		x := remoteEntry(marker)
		m = &x
	}
	return s.h.waits(&file, m)
}

// Locked says that another program has locked a local file, if Ready.Lock is set; ""
// if not. The error is one of looking.
func (s *Selection) Locked(localPath string) (string, error) {
	if !s.lock {
		return "", nil
	}
	f, err := lockSource(localPath)
	if errors.Is(err, errLocked) {
		return err.Error(), nil
	}
	if err != nil {
		return "", err
	}
	return "", f.Close()
}
