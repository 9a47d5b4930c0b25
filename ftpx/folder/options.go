package folder

import (
	"errors"
	"fmt"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
)

// LinkPolicy says what to do about symbolic links in the source folder. Links in the
// target folder are never followed or written through: a link that is in the way is an
// error of its item.
type LinkPolicy uint8

// The policies.
const (
	// LinkSkip skips links; each is an item that says so.
	LinkSkip LinkPolicy = iota
	// LinkFollow copies the target of a link, even from outside the folder. A link to
	// one of its own parent folders is an error. On a server, where circles cannot be
	// detected, a link to a folder below another such link is an error too.
	LinkFollow
	// LinkFiles follows links to files and skips links to folders, which may form
	// circles.
	LinkFiles
	// LinkKeep creates a link with the same target for each link. It needs SFTP; FTP has no
	// links. An existing link with another target is replaced. No link is followed; a
	// file in the folder that a link leads to is copied by itself. A link that leads, or may
	// lead, out of the folder is an error of its item ([ErrLinkOutside]): an absolute one,
	// and one with ".." after a name, because another link can redirect it.
	LinkKeep
)

// Compare says how to decide whether files that both sides have are equal.
type Compare uint8

// The ways to compare.
const (
	// CompareTime, the default, compares size and modification time, within Tolerance. If
	// a server does not keep times, or does not list them exactly, it compares the size
	// and the entry in Options.Ledger. For a file without an entry it asks the server
	// for the exact time. That costs a round trip, and the Ledger remembers the answer.
	// If the server has no exact time, or a different one, the file is copied again. The
	// item's Reason says why.
	CompareTime Compare = iota
	// CompareSize compares only the size.
	CompareSize
	// CompareProof compares the content of files with the same size, and copies files that
	// differ. An upload leaves this to ftpx, which compares files of 1 MiB and more whose
	// time is equal, by the server's hash or, without one, by the last 64 KiB; other
	// files are sent. A download reads the remote file and stops at the first byte that
	// differs. Result.Unchanged tells the outcome.
	CompareProof
	// CompareNothing copies every file.
	CompareNothing
)

// Defaults of [Options].
const (
	// DefaultParallel is how many files larger than 256 KiB are in flight at once.
	DefaultParallel = 4
	// DefaultSmall is how many files are in flight at once, including smaller ones.
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
	// DefaultPartialAge is the age from which on nobody is expected to resume an
	// unfinished transfer.
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
	// Include and Exclude are patterns for paths within the folder, with slashes and
	// in the syntax of github.com/bmatcuk/doublestar/v4: "**" matches any number of
	// folders. A pattern without a slash matches names at any depth; a pattern that
	// ends in a slash matches folders. A pattern that matches a folder applies to
	// everything below it. With Include, entries that match no pattern are skipped,
	// and folders that hold only skipped files are not created. Exclude takes
	// precedence over Include. Skipped entries, also by size and age, are not deleted
	// either.
	Include []string
	Exclude []string // see Include
	// Names are the files and folders directly in the folder to copy, with everything in
	// them; nil means all. The folder is then not listed: each name is described by itself
	// on both sides, and links among them are followed. A missing name is an error of its
	// item. With more than eight names the other folder is listed once.
	Names []string
	// MinSize and MaxSize are the bounds of the size of copied files, in bytes; 0 means none.
	MinSize int64
	MaxSize int64 // see MinSize
	// NewerThan skips files of a higher age. OlderThan skips files of a lower age, which
	// somebody may still be writing. 0 means no bound.
	NewerThan time.Duration
	OlderThan time.Duration // see NewerThan
	// Links says what to do about symbolic links; the zero value skips them.
	Links LinkPolicy
	// KeepModes copies the permission bits of files and folders (SETSTAT, SITE CHMOD),
	// without setuid, setgid and sticky. Folders get theirs at the end. Report.ModesLost
	// counts the entries whose bits are unknown (the server does not list them) or that the
	// target refuses. KeepModes does nothing for a local folder on Windows.
	KeepModes bool
	// FoldCase says that the target folder treats names that differ only in case as
	// one name, as Windows does. For local folders on Windows and macOS it is always
	// set.
	FoldCase bool

	// Unfinished copies files whose names are those of unfinished transfers of ftpx, too (see
	// PartialAge); the zero value skips them. A download fetches what is called like the
	// partial of another file when all else is done, one by one.
	Unfinished bool

	// Ready says when a source file is whole. Other files are left for the next run.
	Ready Ready
	// Name is the name of a copied file on the other side, within the same sub-folder; ""
	// means the name of the source. If two files would get the same name, the second one
	// is an error. If Name contains the date of the job, each day's run copies again all
	// files that still exist: move or delete the source, or use Once.
	Name Template
	// FirstName is the name of a file until it is complete and checked, for receivers
	// that recognize unfinished files by a name of their own. "" means the default of ftpx
	// (see [ftpx.Uploader].Upload).
	FirstName Template
	// After says what to do when a file has been copied.
	After After
	// DeadLetter is a folder on the source's side. A file that cannot be copied for a
	// reason of its own (refused, an impossible name, different after the transfer) is
	// moved there, together with a file of its name and ".error.json". A relative path
	// is within the source folder, and is not copied. A file that failed because of the
	// line, the login, a full disk or the end of the context stays where it is.
	DeadLetter string

	// Compare says how to decide whether files that both sides have are equal.
	Compare Compare
	// Tolerance is the largest difference between two times that count as equal; 0 means 1 s.
	Tolerance time.Duration
	// Verify replaces the client's; zero keeps it.
	Verify ftpx.Verify
	// Delivery says how uploaded files get their names, see [ftpx.UploadOptions]. With
	// [ftpx.DeliverDrop] the target folder is not listed: every file is sent or, with
	// Ledger, each file once, as with Once. DeliverDrop excludes Delete and FirstName, and
	// empty folders are not created.
	Delivery ftpx.Delivery
	// PartialName is the template for the names of partials, see [ftpx.UploadOptions].
	PartialName string

	// Delete deletes entries that only the target folder has. It comes last, and only if
	// the whole source folder could be read.
	Delete bool
	// MaxDelete is the largest share of the target's entries that Delete may delete. If
	// more would be deleted, none is, and the error is a [*DeleteError]. 0 means 0.5;
	// 1 means all.
	MaxDelete float64
	// PartialAge protects unfinished transfers (ftpx's partials, *.part,
	// *.part.state) that are younger from being deleted; 0 means 24 h. They are copied
	// only with Unfinished.
	PartialAge time.Duration

	// DryRun changes nothing. OnItem is called with what a run would do now.
	DryRun bool
	// Parallel is how many files are in flight at once, whatever their size. 0 means 4
	// files larger than 256 KiB and 128 in total. This is more than the number of
	// connections that most servers accept: small files share the connections that the
	// client's [ftpx.Limits].Conns and the server permit, or wait for one.
	Parallel int
	// Window is how many files are held to find the largest; 0 means 4096.
	Window int
	// StopOnError starts nothing new after the first item that fails. Transfers in
	// flight continue to their end.
	StopOnError bool
	// OnItem is called for each entry when it is finished, one call at a time, in no
	// particular order; in a dry run in the order of the walk. It should not block.
	OnItem func(Item)

	// Ledger remembers which files were copied: a [ledger.Ledger], or one that several
	// machines share; nil means none. A nil pointer in the interface is not nil.
	Ledger Ledger
	// Job is the name of this job in the ledger; "" derives a name from the direction
	// and the two folders. Set it if one ledger serves several servers.
	Job string
	// Once copies each file once, by content: a file that the ledger knows is not copied
	// again, even if the target no longer has it. It needs Ledger.
	Once bool
	// ResendUnknown sends files again that an earlier run may or may not have delivered
	// ([ErrMaybeDelivered]); the receiver may get them twice. Without it such a file fails,
	// as unknown, until ResendUnknown is set, the file changes, or [ledger.Ledger.Forget]
	// is called for it. Without a Ledger nothing is remembered, and all files are sent again.
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
