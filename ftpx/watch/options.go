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
	// DefaultMaxInterval is how often an unchanged remote folder is listed, and how
	// often a local folder is scanned in addition to the system's notifications.
	DefaultMaxInterval = 2 * time.Minute
	// DefaultStable is how long a file must have been unchanged if Folder.Ready is
	// not set.
	DefaultStable = 2 * time.Second
	// DefaultAttempts is how many attempts a file gets.
	DefaultAttempts = 5
	// DefaultRetryAfter is the first pause before a file is tried again.
	DefaultRetryAfter = 5 * time.Second
	// DefaultDrain is how long transfers may continue after the context has ended.
	DefaultDrain = 5 * time.Second
)

// Options say which files are taken, when, and what happens to them; nil is the zero value.
type Options struct {
	// Folder says which files are taken, how they are copied, and what happens then.
	// [Local] and [Remote] use only the fields about taking files: Include, Exclude, sizes
	// and ages, Links, Ready, and the folders of After.Archive and DeadLetter, which are
	// skipped. Delete and DryRun are an error. With a Ledger, Once is always set, so that a
	// restart does not copy a file again.
	Folder folder.Options
	// Flat takes the files of the folder itself, and none of the folders in it.
	Flat bool
	// Interval is how often a remote folder is listed while it changes; 0 means 10 s.
	Interval time.Duration
	// MaxInterval is the longest interval between two listings of a remote folder. While
	// nothing changes, or an error lasts, each interval is twice the one before, up to
	// MaxInterval. It is also the interval at which a local folder is scanned in addition
	// to the system's notifications. 0 means 2 min.
	MaxInterval time.Duration
	// Attempts is how often [Upload] and [Download] try a file that fails for a reason
	// of its own. The first pause is RetryAfter, and each pause is twice the one before, up
	// to 10 min. After the last attempt the file is moved to Folder.DeadLetter, or left
	// alone until it changes. 0 means 5. Failures of the line or the server are retried
	// without limit.
	Attempts int
	// RetryAfter is the first pause before a file is tried again; 0 means 5 s.
	RetryAfter time.Duration
	// Drain is how long transfers may continue after the context of [Upload] or
	// [Download] has ended; 0 means 5 s, negative means not at all. The next run resumes
	// interrupted transfers.
	Drain time.Duration
	// OnError is called by [Upload] and [Download] for an error that concerns no single
	// file: a folder cannot be read or is gone, or a server cannot be reached. The watch
	// continues. OnError should not block.
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

// Event is a file that is whole. Report what happened to it with Done, Again or Dead, from
// any goroutine, also after the stream has ended.
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
