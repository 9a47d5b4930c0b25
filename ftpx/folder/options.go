package folder

import (
	"errors"
	"fmt"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
)

// LinkPolicy says what to do about symbolic links in the folder that is copied.
// Links where it is copied to are never followed or written through: one that is in
// the way is an error of its item.
type LinkPolicy uint8

// The policies.
const (
	// LinkSkip leaves links out, and says so.
	LinkSkip LinkPolicy = iota
	// LinkFollow copies what a link leads to, also from outside the folder. A link
	// to a folder that it lies in is an error. So is, on a server, where circles
	// cannot be seen, a link to a folder beneath another such link.
	LinkFollow
	// LinkFiles copies the files that links lead to, and leaves out links to folders, which
	// may lead in circles.
	LinkFiles
	// LinkKeep makes a link of each, which says the same, over SFTP; FTP has none. One that is
	// there and says something else is made anew. Nothing is followed, so that what a link
	// leads to is copied where it lies in the folder. A link that leads out of the folder, or
	// may, is an error of its item ([ErrLinkOutside]): an absolute one, and one with ".."
	// behind a name, which another link can turn elsewhere.
	LinkKeep
)

// Compare says how files that both sides have are told apart.
type Compare uint8

// The ways to compare.
const (
	// CompareTime, the default: size and modification time, within Tolerance. Where
	// a server does not keep times or list them exactly, size and what
	// Options.Ledger says of the file. Of one that this does not know the exact time
	// is asked for, which costs a round trip and is remembered by the Ledger; where
	// the server has none, or another, the file is copied again. The item's Reason
	// tells which.
	CompareTime Compare = iota
	// CompareSize: the size alone.
	CompareSize
	// CompareProof: files of the same size are proven the same, or copied. An upload
	// leaves that to ftpx, which looks at files of 1 MiB and more whose time is the
	// same, and goes by the server's hash, or without one by the last 64 KiB; others
	// are sent. A download reads the remote file and stops at the first byte that
	// differs. Result.Unchanged tells what came of it.
	CompareProof
	// CompareNothing: every file is copied.
	CompareNothing
)

// Defaults of [Options].
const (
	// DefaultParallel is how many files larger than 256 KiB are under way at once.
	DefaultParallel = 4
	// DefaultSmall is how many are in all, with those that are not larger.
	DefaultSmall = 128

	// smallFile is the size up to which files cost round trips and no bandwidth. On
	// SFTP they share connections, and on FTP the commands of one that waits go out
	// with those of the one before.
	smallFile = 256 << 10
	// DefaultTolerance is how far two modification times of one file may be apart.
	DefaultTolerance = time.Second
	// DefaultMaxDelete is the share of the entries that may be deleted.
	DefaultMaxDelete = 0.5
	// DefaultWindow is how many files are held to find the largest among them.
	DefaultWindow = 4096
	// DefaultPartialAge is how old an unfinished transfer is when nobody is
	// expected to go on with it.
	DefaultPartialAge = 24 * time.Hour
)

// Ledger remembers which files were copied. [*ledger.Ledger] is one, in a file of this
// machine. The methods are safe for concurrent use.
type Ledger interface {
	// Lookup returns the last entry of a file of a job.
	Lookup(job, path string) (e ledger.Entry, found bool, err error)
	// Record adds an entry, in place of the file's last one. It may return before the
	// entry is durable.
	Record(e ledger.Entry) error
	// Sync returns when everything recorded before is durable.
	Sync() error
	// FullHash says that files are hashed from end to end, instead of head and tail.
	FullHash() bool
}

// Options say what is copied and how; nil is the zero value.
type Options struct {
	// Include and Exclude are patterns of paths within the folder, with slashes
	// and in the syntax of github.com/bmatcuk/doublestar/v4: "**" is any number of
	// folders. One without a slash is about the name, at any depth; one that ends
	// in a slash is about folders. What a pattern says of a folder holds for all
	// below it. With Include, what no pattern matches is left out, and folders that
	// only hold such files are not created. Exclude decides over Include. What is
	// left out, here and by size and age, is not deleted either.
	Include []string
	Exclude []string // see Include
	// Names are the files and folders directly in the folder that are copied, with all that
	// is in them; nil means all. The folder is not listed then: each is looked at, at both
	// sides, and links among them are followed. One that is not there is an error of its
	// item. Of more than eight the other folder is listed once.
	Names []string
	// MinSize and MaxSize are the sizes in bytes of what is copied; 0 means any.
	MinSize int64
	MaxSize int64 // see MinSize
	// NewerThan leaves out files that were last written longer ago; OlderThan those
	// that were last written since, which may still be being written; 0 means none.
	NewerThan time.Duration
	OlderThan time.Duration // see NewerThan
	// Links says what to do about symbolic links; the zero value skips them.
	Links LinkPolicy
	// KeepModes gives files and folders the permission bits of the source's (SETSTAT, SITE
	// CHMOD), without setuid, setgid and sticky; folders get theirs when all else is done. Where
	// the source's are not known (a server that does not list them), or the other side does not
	// take them, Report.ModesLost counts. It has no use for a local folder on Windows.
	KeepModes bool
	// FoldCase says that names that differ only in case are one at the folder that
	// is copied to, as on Windows. For local folders on Windows and macOS it is
	// always so.
	FoldCase bool

	// Ready says when a file of the source is whole; others are left for the next run.
	Ready Ready
	// Name is the name of what is copied, at the other side, within the same
	// sub-folders; "" is the source's. Two files that would have the same are an error
	// of the second. With a date of the job in it, each day's run copies all again that
	// is still there: move or delete the source, or use Once.
	Name Template
	// FirstName is the name that it has until it is complete and checked, "" for
	// ftpx's own (see [ftpx.Uploader].Upload), for receivers that know unfinished files
	// by theirs.
	FirstName Template
	// After says what is done when a file has been copied.
	After After
	// DeadLetter is a folder on the source's side to which a file is moved that cannot
	// be copied for a reason of its own (refused, a name that cannot be, not the same
	// after the transfer), with a file of the name and ".error.json" beside it. A
	// relative one lies within the folder that is copied, and is left out of it. What
	// the line, the login, a full disk or the end of the context prevents stays.
	DeadLetter string

	// Compare says how files that both sides have are told apart.
	Compare Compare
	// Tolerance is how far two times of one file may be apart; 0 means 1 s.
	Tolerance time.Duration
	// Verify replaces the client's; zero keeps it.
	Verify ftpx.Verify
	// Delivery says how files that are sent get to their names, see [ftpx.UploadOptions].
	// With [ftpx.DeliverDrop] the folder that is copied to is not looked at: every file is
	// sent, or, with Ledger, each once, as with Once; Delete and FirstName cannot be had
	// with it, and empty folders are not made.
	Delivery ftpx.Delivery
	// PartialName is the template of names until then, see [ftpx.UploadOptions].
	PartialName string

	// Delete deletes what only the folder that is copied to has, after everything
	// else, and only if all of the other folder could be read.
	Delete bool
	// MaxDelete is the largest share of the entries there that Delete may delete;
	// if more would go, none does and the error is a [*DeleteError]. 0 means 0.5;
	// 1 means all.
	MaxDelete float64
	// PartialAge protects unfinished transfers (ftpx's partials, *.part,
	// *.part.state) from being deleted until they are older; 0 means 24 h. They are
	// never copied.
	PartialAge time.Duration

	// DryRun changes nothing: OnItem is told what a run would do now.
	DryRun bool
	// Parallel is how many files are under way at once, whatever their size; 0 means
	// 4 of those larger than 256 KiB and 128 in all, which is more than most servers
	// give connections: small files share or await those that the client's MaxConns
	// and the server allow.
	Parallel int
	// Window is how many files are held to find the largest; 0 means 4096.
	Window int
	// StopOnError begins nothing new after the first item that fails. What is under
	// way ends as it may.
	StopOnError bool
	// OnItem is told about each entry when it is dealt with, one at a time, in no
	// certain order; in a dry run, in the order of the walk. It should not block.
	OnItem func(Item)

	// Ledger remembers what was copied: a [ledger.Ledger], or one that several machines
	// share; nil for none. A nil pointer in it is not nil.
	Ledger Ledger
	// Job names this job in the ledger; "" makes a name of the direction and the
	// two folders. Name it if one ledger serves several servers.
	Job string
	// Once copies each file once by content: what the ledger says was copied is
	// not copied again even if it is gone from where it went. It needs Ledger.
	Once bool
	// ResendUnknown sends files again of which an earlier run does not know whether they
	// were delivered ([ErrMaybeDelivered]); the receiver may get them twice. Without it they fail,
	// as unknown, until it is set, the file is another, or [ledger.Ledger.Forget] is
	// called for it. Without a Ledger nothing is remembered and all is sent again.
	ResendUnknown bool
}

// withDefaults checks the options and fills in what is zero. Errors name the field
// and the remedy.
func (o Options) withDefaults() (Options, error) {
	switch {
	case o.MinSize < 0 || o.MaxSize < 0:
		return o, fmt.Errorf("Options.MinSize is %d and MaxSize %d: use bytes, or 0 for any", o.MinSize, o.MaxSize)
	case o.MaxSize > 0 && o.MinSize > o.MaxSize:
		return o, fmt.Errorf("Options.MinSize %d is more than MaxSize %d, so that nothing would be copied: exchange them", o.MinSize, o.MaxSize)
	case o.NewerThan < 0 || o.OlderThan < 0:
		return o, errors.New("Options.NewerThan or OlderThan is negative: use an age, or 0 for any")
	case o.NewerThan > 0 && o.OlderThan > o.NewerThan:
		return o, fmt.Errorf("Options.NewerThan %v is less than OlderThan %v, so that nothing would be copied: exchange them", o.NewerThan, o.OlderThan)
	case o.Links > LinkKeep:
		return o, fmt.Errorf("Options.Links is %d: use LinkSkip, LinkFollow, LinkFiles or LinkKeep", o.Links)
	case o.Names != nil && o.Delete:
		return o, errors.New("Options.Delete is set with Options.Names, but what is not named is not looked at: leave one out")
	case o.Compare > CompareNothing:
		return o, fmt.Errorf("Options.Compare is %d: use CompareTime, CompareSize, CompareProof or CompareNothing", o.Compare)
	case o.Verify > ftpx.VerifyFull:
		return o, fmt.Errorf("Options.Verify is %d: use VerifyAuto, VerifySize or VerifyFull", o.Verify)
	case !(o.MaxDelete >= 0 && o.MaxDelete <= 1): // not a number, too
		return o, fmt.Errorf("Options.MaxDelete is %v: use a share from 0 to 1, 0 for %v", o.MaxDelete, DefaultMaxDelete)
	case o.Tolerance < 0 || o.PartialAge < 0:
		return o, errors.New("Options.Tolerance or PartialAge is negative: use a duration, or 0 for the default")
	case o.Parallel < 0 || o.Window < 0:
		return o, fmt.Errorf("Options.Parallel is %d and Window %d: use positive numbers, or 0 for the defaults", o.Parallel, o.Window)
	case o.Once && o.Ledger == nil:
		return o, errors.New("Options.Once is set without Options.Ledger, which alone remembers what was copied: open one")
	}
	o.Once = o.Once || o.Delivery == ftpx.DeliverDrop && o.Ledger != nil
	o.MaxDelete = orDefault(o.MaxDelete, DefaultMaxDelete)
	o.Tolerance = orDefault(o.Tolerance, DefaultTolerance)
	o.PartialAge = orDefault(o.PartialAge, DefaultPartialAge)
	o.Window = orDefault(o.Window, DefaultWindow)
	return o, nil
}

// follows reports whether what a link leads to may be what is copied.
func (o *Options) follows() bool {
	return o.Links == LinkFollow || o.Links == LinkFiles || o.Names != nil
}

// workers says how many files may be under way, and how many large ones.
func (o *Options) workers() (all, large int) {
	if o.Parallel == 0 {
		return DefaultSmall, DefaultParallel
	}
	return o.Parallel, o.Parallel
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
