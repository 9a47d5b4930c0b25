package folder

import (
	"errors"
	"fmt"
	"time"
)

// Ready says when a file of the source is whole, besides [Options].OlderThan, which is
// its minimum age. What is set must all hold; the zero value takes every file as it is.
//
// A file that is not ready is left alone: its [Item] says so and why, and it is no
// failure. So is one that changes while it is sent, if anything here is set.
type Ready struct {
	// Stable takes a file when its size and time have been the same for so long, as
	// seen twice. A job looks at all files first and waits once for all of them; a dry
	// run waits too. 0 means that a file is looked at once.
	Stable time.Duration
	// Marker takes a file when another is beside it: a suffix such as ".done", or a
	// pattern such as "{stem}.ok", see [Template], without dates. A marker that is
	// older than its file, where both times are known exactly, is one of an earlier
	// version and does not count. No file with a name of the marker's form is copied.
	// When the source is moved or deleted after it was copied, its marker is deleted,
	// last, unless its pattern has {stem}, so that it may be that of other files too.
	Marker string
	// Lock takes a file when no other program has locked it, and keeps it locked
	// while it is sent and until what After says is done: by flock, and by looking for
	// locks of fcntl, on Unix; on Windows by opening it so that nobody may write, which
	// fails while another program has it open for writing. Uploads only.
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
