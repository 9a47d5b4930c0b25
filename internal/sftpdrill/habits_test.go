package sftpdrill

import "github.com/seed01fc2e40/go-ftpx/internal/testserver"

type habits = testserver.SFTPHabits

// A habit is one switch, or one use of it.
type habit struct {
	name string
	set  func(*habits)
	// cannot names what may fail with it. Nothing else may.
	cannot []string
}

// Status codes of draft-ietf-secsh-filexfer-02 section 7, and one of version 6.
const (
	denied      = 3
	failure     = 4
	badMessage  = 5
	unsupported = 8
	exists      = 11
)

// uploads is what writes.
var uploads = []string{small, replaced, shorter, longer, large, resumed, treeUp}

// looking is what needs to know what is there.
var looking = []string{small, replaced, shorter, longer, large, resumed, treeUp, treeDown, download, stat}

// newFolder is what wants to know that a folder is not there. "Permission denied" is not
// that, and a mirror would delete what it is said of.
var newFolder = []string{treeUp}

// table is what is known of servers.
var table = []habit{
	{"none", func(h *habits) {}, nil},

	// Renaming.
	{"posix-rename unsupported", func(h *habits) { h.PosixRename = unsupported }, nil},
	{"posix-rename fails", func(h *habits) { h.PosixRename = failure }, nil},
	{"posix-rename denied", func(h *habits) { h.PosixRename = denied }, nil},
	{"posix-rename is a bad message", func(h *habits) { h.PosixRename = badMessage }, nil},
	{"rename fails", func(h *habits) { h.Rename = failure }, nil},
	{"rename says exists", func(h *habits) { h.PosixRename, h.RenameOnto = unsupported, exists }, nil},
	{"rename denied where taken", func(h *habits) { h.PosixRename, h.RenameOnto = failure, denied }, nil},
	{"no rename at all", func(h *habits) { h.PosixRename, h.Rename = unsupported, unsupported }, uploads},

	// Opening.
	{"EXCL fails", func(h *habits) { h.Excl = failure }, nil},
	{"EXCL unsupported", func(h *habits) { h.Excl = unsupported }, nil},
	{"EXCL denied", func(h *habits) { h.Excl = denied }, nil},
	{"EXCL ignored", func(h *habits) { h.IgnoreExcl = true }, nil},
	{"no open without emptying", func(h *habits) { h.Untruncated = failure }, nil},
	{"no open without emptying, denied", func(h *habits) { h.Untruncated = denied }, nil},
	{"one open file", func(h *habits) { h.OneHandle = true }, nil},
	{"nothing is written", func(h *habits) { h.Never = failure }, uploads},

	// Looking.
	{"STAT unsupported", func(h *habits) { h.Stat = unsupported }, nil},
	{"STAT fails", func(h *habits) { h.Stat = failure }, nil},
	{"STAT denied", func(h *habits) { h.Stat = denied }, nil},
	{"LSTAT unsupported", func(h *habits) { h.Lstat = unsupported }, nil},
	{"LSTAT fails", func(h *habits) { h.Lstat = failure }, nil},
	{"FSTAT unsupported", func(h *habits) { h.Fstat = unsupported }, nil},
	{"FSTAT fails", func(h *habits) { h.Fstat = failure }, nil},
	{"STAT and LSTAT denied", func(h *habits) { h.Stat, h.Lstat = denied, denied }, looking},
	{"bare STAT", func(h *habits) { h.BareStat = true }, nil},
	{"bare LSTAT", func(h *habits) { h.BareLstat = true }, nil},
	{"bare FSTAT", func(h *habits) { h.BareFstat = true }, nil},
	{"nothing but bare", func(h *habits) { h.BareStat, h.BareLstat, h.BareFstat = true, true, true }, looking},
	{"missing is denied", func(h *habits) { h.Missing = denied }, newFolder},
	{"missing is denied, FSTAT unsupported", func(h *habits) { h.Missing, h.Fstat = denied, unsupported }, newFolder},
	{"missing is failure", func(h *habits) { h.Missing = failure }, newFolder},
	{"missing is unsupported", func(h *habits) { h.Missing = unsupported }, newFolder},
	{"untyped", func(h *habits) { h.Untyped = true }, nil},
	{"untyped, missing is denied", func(h *habits) { h.Untyped, h.Missing = true, denied }, newFolder},
	{"OPENDIR denied", func(h *habits) { h.Opendir = denied }, []string{list, treeUp, treeDown}},
	{"bare listing", func(h *habits) { h.BareList = true }, nil},
	{"bare listing and looks", func(h *habits) { h.BareList, h.BareStat, h.BareLstat, h.BareFstat = true, true, true, true }, append([]string{list}, looking...)},

	// Payload.
	{"large packets", func(h *habits) { h.Limits = true }, nil},
	{"writes of 64 KiB", func(h *habits) { h.Limits, h.MostWrite = true, 64<<10 }, nil},
	{"writes of 32 KiB", func(h *habits) { h.Limits, h.MostWrite = true, 32<<10 }, nil},
	{"writes are cut at 64 KiB", func(h *habits) { h.Limits, h.CutWrites = true, 64<<10 }, nil},
	{"writes are cut at 32 KiB", func(h *habits) { h.Limits, h.CutWrites = true, 32<<10 }, nil},
	{"reads of 64 KiB", func(h *habits) { h.Limits, h.MostRead = true, 64<<10 }, nil},
	{"reads of 32 KiB", func(h *habits) { h.Limits, h.MostRead = true, 32<<10 }, nil},
	{"short reads", func(h *habits) { h.ShortReads = 1000 }, nil},
	{"long reads", func(h *habits) { h.LongReads = true }, []string{resumed, download, treeDown}},
	{"no write at an offset", func(h *habits) { h.WriteAt = failure }, nil},

	// Attributes.
	{"SETSTAT unsupported", func(h *habits) { h.Setstat, h.Fsetstat = unsupported, unsupported }, nil},
	{"SETSTAT denied", func(h *habits) { h.Setstat, h.Fsetstat = denied, denied }, nil},
	{"FSETSTAT does nothing", func(h *habits) { h.DeafFsetstat = true }, nil},
	{"SETSTAT fails", func(h *habits) { h.Setstat, h.Fsetstat = failure, failure }, nil},
}
