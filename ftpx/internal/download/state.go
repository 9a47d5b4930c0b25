package download

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
)

// resumeState is what is remembered of an unfinished download, in a file beside it.
type resumeState struct {
	// Remote, Size and ModTime tell which file it was. Size is -1 and ModTime
	// is zero where the server did not say; without a size there is no going on,
	// and the file says no more than whose the part is.
	Remote  string    `json:"remote"`
	Size    int64     `json:"size"`
	ModTime time.Time `json:"mtime"`
	// Durable is how many bytes had reached the disk. After a mere end of the
	// process, what was written later is good as well; after a power cut only
	// these are.
	Durable int64 `json:"durable"`
	// Segments are what is there, where that has gaps; it may be less than there is.
	// Without them it is all of the part, which then is the beginning of the file.
	// The names on disk are those of version 1.
	Segments []transfer.Range `json:"pieces,omitempty"`
	// SegmentsBoot is Boot where there are Segments, and Boot is empty then: whoever does not
	// know of segments must not take the length of the part for what is there.
	SegmentsBoot string `json:"pieces_boot,omitempty"`
	// Synced are those that had reached the disk, instead of Durable.
	Synced []transfer.Range `json:"synced,omitempty"`
	// Boot tells one run of the operating system from another, "" if unknown.
	Boot string `json:"boot,omitempty"`
	// Call is a random name of the call that wrote it last, so that it removes
	// none but its own.
	Call string `json:"call,omitempty"`
}

// maxState is more than any resumeState is long.
const maxState = 64 << 10

func stateName(part string) string { return part + ".state" }

// readState returns nil if there is none that can be used.
func readState(part string) (*resumeState, error) {
	// Not what is no file, whose reading may never end, nor what is too long.
	if info, err := os.Stat(stateName(part)); err == nil && (!info.Mode().IsRegular() || info.Size() > maxState) {
		return nil, nil
	}
	b, err := os.ReadFile(stateName(part))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s := &resumeState{}
	if json.Unmarshal(b, s) != nil || s.Remote == "" || s.Size < -1 || s.Durable < 0 || s.Durable > max(s.Size, 0) ||
		!transfer.InOrder(s.Segments, s.Size) || !transfer.InOrder(s.Synced, s.Size) {
		return nil, nil // somebody else's: ours come into their place whole
	}
	return s, nil
}

// boot tells in which run of the operating system it was written.
func (s resumeState) boot() string {
	if s.Segments != nil {
		return s.SegmentsBoot
	}
	return s.Boot
}

// there returns the state with what is there. apart tells that there are gaps, or were
// since the part was last cut to what counts of it.
func (s resumeState) there(ranges []transfer.Range, apart bool) resumeState {
	boot := s.boot()
	s.Boot, s.Segments, s.SegmentsBoot = boot, nil, ""
	if apart {
		s.Boot, s.Segments, s.SegmentsBoot = "", ranges, boot
	}
	return s
}

// synced returns the state with what has reached the disk.
func (s resumeState) synced(ranges []transfer.Range) resumeState {
	s.Durable, s.Synced = 0, nil
	switch {
	case s.Segments != nil:
		s.Synced = ranges
	case len(ranges) > 0 && ranges[0].From == 0:
		s.Durable = ranges[0].To
	}
	return s
}

// durable is what has reached the disk.
func (s resumeState) durable() []transfer.Range {
	if s.Segments != nil {
		return s.Synced
	}
	return []transfer.Range{{To: s.Durable}}
}

// write replaces the resumeState in one step.
func (s *resumeState) write(part string) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	// One name, so that a process that is killed here leaves one file, which the
	// next write takes away. The lock on the part keeps others from it. It is
	// never opened as it is: it may be a link by now.
	name := stateName(part)
	fresh := name + ".0"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err == nil {
		err = f.Sync() // else a power cut leaves an empty one, and the part is nobody's
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(fresh, name)
	}
	if err != nil {
		os.Remove(fresh)
	}
	return err
}

// removeState removes a part's resumeState, if it is still that of a call: once a
// part has its final name, another process may have begun the next one.
func removeState(part, call string) {
	if s, err := readState(part); err == nil && s != nil && s.Call == call {
		os.Remove(stateName(part))
	}
}

// bootID tells one run of the operating system from another, "" where it does
// not say.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return string(b[:min(len(b), 36)])
}

// syncDir makes a rename in a folder durable. Platforms that cannot sync a
// folder do that by themselves.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
