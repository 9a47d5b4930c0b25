package watch

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// Defaults of [Options].
const (
	// DefaultInterval is how often a remote folder that changes is listed.
	DefaultInterval = 10 * time.Second
	// DefaultMaxInterval is how often one that does not change is listed, and how
	// often a local folder is looked through besides the system's notices.
	DefaultMaxInterval = 2 * time.Minute
	// DefaultStable is how long a file must have been the same, if Folder.Ready says
	// nothing at all.
	DefaultStable = 2 * time.Second
	// DefaultAttempts is how often a file is tried.
	DefaultAttempts = 5
	// DefaultRetryAfter is the first pause before a file is tried again.
	DefaultRetryAfter = 5 * time.Second
	// DefaultDrain is how long what is under way may go on when the context has ended.
	DefaultDrain = 5 * time.Second
)

// Options say what is taken, when, and what is done with it; nil is the zero value.
type Options struct {
	// Folder says what is taken, how it is copied and what is done then. [Local] and
	// [Remote] use what it says of taking: Include, Exclude, sizes and ages, Links
	// Ready, and the folders of After.Archive and DeadLetter, which are left out. Delete
	// and DryRun are an error. With a Ledger, Once is always set, so that a restart does
	// not repeat what was done.
	Folder folder.Options
	// Flat takes the files of the folder itself, and none of the folders in it.
	Flat bool
	// Interval is how often a remote folder is listed while it changes; 0 means 10 s.
	Interval time.Duration
	// MaxInterval is how rarely a remote folder is listed when nothing changes or an
	// error lasts: each time twice the interval before. It is also how often a local
	// folder is looked through besides the system's notices. 0 means 2 min.
	MaxInterval time.Duration
	// Attempts is how often [Upload] and [Download] try a file that fails for a reason
	// of its own, with pauses from RetryAfter on, each twice the one before, up to 10
	// min; then it goes to Folder.DeadLetter, or is left until it changes. 0 means 5.
	// What the line or the server prevents is tried without end.
	Attempts int
	// RetryAfter is the first pause before a file is tried again; 0 means 5 s.
	RetryAfter time.Duration
	// Drain is how long transfers that are under way may go on after the context of
	// [Upload] or [Download] has ended; 0 means 5 s, negative none. What is cut off is
	// carried on by the next run.
	Drain time.Duration
	// OnError is told by [Upload] and [Download] about what concerns no file: a folder
	// that cannot be read or has gone, a server that cannot be reached. The watch goes
	// on. It should not block.
	OnError func(error)
}

// maxPause is the longest pause before a file is tried again.
const maxPause = 10 * time.Minute

// withDefaults checks the options and fills in what is zero. Errors name the field and
// the remedy. What concerns Folder alone is checked by package folder.
func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Folder.Delete || o.Folder.DryRun:
		return o, errors.New("Options.Folder.Delete and DryRun are for whole folders: leave them out")
	case o.Interval < 0 || o.MaxInterval < 0 || o.RetryAfter < 0:
		return o, fmt.Errorf("Options.Interval is %v, MaxInterval %v and RetryAfter %v: use durations, or 0 for %v, %v and %v",
			o.Interval, o.MaxInterval, o.RetryAfter, DefaultInterval, DefaultMaxInterval, DefaultRetryAfter)
	case o.Interval > 0 && o.MaxInterval > 0 && o.MaxInterval < o.Interval:
		return o, fmt.Errorf("Options.MaxInterval %v is less than Interval %v: exchange them", o.MaxInterval, o.Interval)
	case o.Attempts < 0:
		return o, fmt.Errorf("Options.Attempts is %d: use a positive number, or 0 for %d", o.Attempts, DefaultAttempts)
	}
	if o.Folder.Ready == (folder.Ready{}) {
		o.Folder.Ready.Stable = DefaultStable
	}
	if o.Folder.Ledger != nil {
		o.Folder.Once = true
	}
	o.Interval = cmp.Or(o.Interval, DefaultInterval)
	o.MaxInterval = max(cmp.Or(o.MaxInterval, DefaultMaxInterval), o.Interval)
	o.Attempts = cmp.Or(o.Attempts, DefaultAttempts)
	o.RetryAfter = cmp.Or(o.RetryAfter, DefaultRetryAfter)
	o.Drain = max(cmp.Or(o.Drain, DefaultDrain), 0)
	return o, nil
}

// Event is a file that is whole. Say what became of it: Done, Again or Dead, each from any
// goroutine, also after the stream has ended.
type Event struct {
	// Path is relative to the folder, with slashes.
	Path string
	// Size is its size in bytes, -1 if a server does not say.
	Size int64
	// ModTime is its modification time, zero if a server does not say.
	ModTime time.Time
	// TimeExact says that ModTime is exact to the second.
	TimeExact bool

	// Attempt counts how often this version has been yielded, from 1.
	Attempt int

	last     bool // if it fails again, it is not tried again
	by       *register
	giveBack func(failure)
}
