package folder

import (
	"errors"
	"fmt"
	"time"
)

// Ready says when a source file is whole, in addition to [Options].OlderThan, which is a
// minimum age. All conditions that are set must hold; the zero value takes every file.
//
// A file that is not ready is skipped: its [Item] says why, and this is not a failure. If
// any condition is set, a file that changes while it is sent is skipped as well.
type Ready struct {
	// Stable takes a file when its size and time have been the same for this long, in two
	// looks. A job looks at all files first, and waits once for all of them; a dry run
	// waits too. 0 means a single look.
	Stable time.Duration
	// Marker takes a file when its marker file exists: a suffix such as ".done", or a
	// pattern such as "{stem}.ok", see [Template], without dates. A marker that is older
	// than its file belongs to an earlier version and does not count, if both times are
	// known exactly. Markers themselves are not copied. When the source is moved or
	// deleted after the copy, its marker is deleted last, unless the pattern has {stem},
	// because other files may share such a marker.
	Marker string
	// Lock takes a file when no other program has locked it, and keeps it locked until
	// it is sent and After is done. On Unix it uses flock, and checks for locks of fcntl.
	// On Windows it opens the file so that nobody may write, which fails while another
	// program has it open for writing. Uploads only.
	Lock bool
}

// set reports whether there is anything to wait for.
func (r Ready) set() bool { return r != Ready{} }

func (r Ready) check(up bool) error {
	switch {
	case r.Stable < 0:
		return fmt.Errorf("Options.Ready.Stable is %v: use a duration, or 0 to look once", r.Stable)
	case r.Lock && !up:
		return errors.New("Options.Ready.Lock is set for a download: no server lends its locks, use Stable or Marker")
	}
	return nil
}
