package ftpx

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/upload"
)

// Verify says how much is checked before a transfer counts as done. Zero is the default of
// what it is a field of.
type Verify uint8

// The levels of verification. Each includes the ones before it.
const (
	// VerifyAuto, the default, compares the size on both sides, and the server's
	// hash if it offers one. Without a hash, a resumed transfer is read back and
	// compared around each resume point and at the end of the file. A transfer in
	// one piece over TCP, TLS or SSH needs only the size.
	//
	// Without a server's hash, the existing bytes of an upload are thus verified by
	// their head (a partial is named after its source's size, time, head and
	// tail), their tail and their resume points, and the remote file of a download
	// by its size and time. If the file is rewritten in the middle between two
	// calls, and all of these stay the same, nobody notices: use VerifyFull if
	// that can happen.
	VerifyAuto Verify = iota + 1
	// VerifySize compares only the size on both sides.
	VerifySize
	// VerifyFull compares the server's hash, or reads every byte back.
	VerifyFull
)

// String returns "auto", "size" or "full".
func (v Verify) String() string {
	switch v {
	case VerifySize:
		return "size"
	case VerifyFull:
		return "full"
	}
	return "auto"
}

// Delivery says how a file gets to its name. Zero is DeliverAtomic.
type Delivery uint8

// The ways of delivery.
const (
	// DeliverAtomic, the default, sends the file under another name (the partial's), checks
	// it, and renames it. A program that polls for the name sees the whole file or nothing.
	// The folder must allow a stat of the partial and the rename. If it does not, the upload
	// ends after one attempt with a [DeliveryError], and the partial is removed.
	DeliverAtomic Delivery = iota
	// DeliverDirect sends the file under its final name. It resumes a transfer of the same
	// call; it resumes one of an earlier call only if the server's digest proves the bytes.
	// It checks the file as far as the server permits; if the server permits nothing,
	// [Verified].Acknowledged is set. During the transfer, a program that polls for the
	// name sees an incomplete file. After a failure the bytes that arrived stay there, see
	// [Error].Partial. If all bytes had been sent, the outcome is [Unknown].
	DeliverDirect
	// DeliverDrop is for folders that show nothing, or whose files are taken as soon as they
	// are closed. It sends OPEN, WRITE and CLOSE, or STOR, and nothing else: no stat, no
	// time, no rename. CreateDirs creates folders only after a refusal. Done means that the
	// server has acknowledged the file, and [Verified].Acknowledged is set. An interrupted
	// transfer starts again from the beginning. If all bytes had been sent and no final
	// reply came, the outcome is [Unknown], and the file is not sent again, because it
	// might be delivered twice. DeliverDrop excludes NoReplace and VerifyFull.
	DeliverDrop
)

// String returns "atomic", "direct" or "drop".
func (d Delivery) String() string {
	switch d {
	case DeliverDirect:
		return "direct"
	case DeliverDrop:
		return "drop"
	}
	return "atomic"
}

// UnmarshalText reads what String writes.
func (d *Delivery) UnmarshalText(text []byte) error {
	for _, known := range []Delivery{DeliverAtomic, DeliverDirect, DeliverDrop} {
		if string(text) == known.String() {
			*d = known
			return nil
		}
	}
	return fmt.Errorf("%q is no way of delivery: atomic, direct or drop", text)
}

// MarshalText writes what String does.
func (d Delivery) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// CheckPartialName reports what is wrong with a template for [UploadOptions].PartialName.
func CheckPartialName(template string) error { return upload.CheckPartialName(template) }

// SourceChange says what to do when a source changes while it is sent. Zero is
// SourceChangeFail.
type SourceChange uint8

// What to do about a source that changes.
const (
	// SourceChangeFail ends the upload with [ErrSourceChanged].
	SourceChangeFail SourceChange = iota
	// SourceChangeRestart begins again with the new content, a few times.
	SourceChangeRestart
)

// OtherWriter says what to do when a partial grows although nothing is being
// sent from here: somebody else is sending the same file to the same place. Zero is
// OtherWriterWait.
type OtherWriter uint8

// What to do about another writer.
const (
	// OtherWriterWait waits for it to finish, within the retry policy. Then the
	// file exists already, or the upload resumes where the other one ended.
	OtherWriterWait OtherWriter = iota
	// OtherWriterFail ends the upload with an error of [transport.KindLocked].
	OtherWriterFail
)

// UploadOptions are the options of [Uploader].Upload; nil is the zero value.
type UploadOptions struct {
	// CreateDirs creates missing folders of the remote path.
	CreateDirs bool
	// NoReplace fails with fs.ErrExist if there is a file at the remote path.
	// The path is checked before the transfer and again before the rename.
	// Another writer can still come between that check and the rename.
	NoReplace bool
	// DropTime leaves the modification time to the server. By default the
	// source's is kept, to the second, where the server can set it.
	DropTime bool
	// Mode are the permission bits that the file gets before it has its name (SETSTAT,
	// SITE CHMOD); 0 leaves them to the server. [Result].ModeSet says whether it took them;
	// a refusal is no failure. Not with [DeliverDrop].
	Mode fs.FileMode
	// Always sends the file even if the remote path already holds the same
	// file, by size, modification time and content.
	Always bool
	// Verify replaces [Options].Verify; zero keeps it.
	Verify Verify
	// Delivery says how the file gets to its name: by default under another, by a rename.
	Delivery Delivery
	// PartialName is a template for the partial's name; "" means the default, which is
	// hidden. It contains {name}, the file's own name, or {id}, 16 hexadecimal digits
	// derived from content and destination. Examples: "{name}.filepart", "in.{name}",
	// "tmp/{name}". A folder in it is relative to the file's folder, and is created with
	// CreateDirs. A name without {id} does not say which version of the file it belongs
	// to, so a partial of an earlier call is resumed only if the server's digest proves
	// it. Names are shortened to 255 bytes.
	PartialName string
	// OnSourceChange says what to do when the file changes meanwhile.
	OnSourceChange SourceChange
	// OnOtherWriter says what to do when somebody else is sending the same file.
	OnOtherWriter OtherWriter
	// RemoveStale, if positive, removes partials of other versions of this
	// file that are older than it, after the upload. It costs a listing of the
	// remote folder.
	RemoveStale time.Duration
	// MaxRate limits this transfer, in bytes a second, in addition to
	// [Limits].Rate; 0 means no limit.
	MaxRate int64
	// Progress is called as payload moves, in addition to the hook. Like the hook
	// it must neither block nor call the client. Calls for one transfer do not
	// overlap.
	Progress func(ProgressInfo)
}

// PutOptions are the options of [Uploader].Put; nil is the zero value.
type PutOptions struct {
	// CreateDirs creates missing folders of the remote path.
	CreateDirs bool
	// NoReplace fails with fs.ErrExist, see [UploadOptions].
	NoReplace bool
	// Append adds the bytes to the end of the file, or creates it: with APPE on FTP (RFC
	// 959, section 4.1.3), by writing at the current size on SFTP. Nothing is ever added
	// twice. An interrupted append is completed if the file shows how many bytes arrived and
	// no more can arrive: always over SFTP, and over FTP if the server had said that the
	// transfer ended. Otherwise the outcome is [Unknown] and [Error].Offset says how many of
	// the bytes arrived; look at the file before you repeat the call. [Result].Size counts
	// the added bytes. The file must have no other writer meanwhile. Calls of one client wait
	// for each other. Other writers are not kept away, but noticed if sizes or bytes show
	// them ([ErrMismatch]). Append excludes NoReplace, Delivery and PartialName.
	Append bool
	// Mode is as in [UploadOptions].
	Mode fs.FileMode
	// ModTime is set on the remote file; zero leaves it to the server.
	ModTime time.Time
	// SkipSame sends nothing if the remote path already holds the same file, by size, by
	// ModTime and by content. (Upload does so by default.) It needs ModTime.
	SkipSame bool
	// Verify replaces [Options].Verify; zero keeps it.
	Verify Verify
	// Delivery is as in [UploadOptions].
	Delivery Delivery
	// PartialName is as in [UploadOptions].
	PartialName string
	// Spool limits how many bytes are kept of a source that cannot be read
	// twice: up to 1 MiB in memory, more in a temporary file. 0 means 256 MiB;
	// negative means that nothing is kept.
	Spool int64
	// MaxRate limits this transfer, in bytes a second, in addition to
	// [Limits].Rate; 0 means no limit.
	MaxRate int64
	// Progress is called as payload moves, in addition to the hook. Like the hook
	// it must neither block nor call the client. Calls for one transfer do not
	// overlap.
	Progress func(ProgressInfo)
}

// DownloadOptions are the options of [Downloader].Download; nil is the zero value.
type DownloadOptions struct {
	// NoReplace fails with fs.ErrExist if there is a file at the local path.
	NoReplace bool
	// CreateDirs creates missing folders of the local path.
	CreateDirs bool
	// DropTime leaves the modification time of the local file at now. By
	// default the remote file's is kept.
	DropTime bool
	// Verify replaces [Options].Verify; zero keeps it.
	Verify Verify
	// MaxRate limits this transfer, in bytes a second, in addition to
	// [Limits].Rate; 0 means no limit.
	MaxRate int64
	// Progress is called as payload moves, in addition to the hook. Like the hook
	// it must neither block nor call the client. Calls for one transfer do not
	// overlap.
	Progress func(ProgressInfo)
}

// GetOptions are the options of [Downloader].Get; nil is the zero value.
type GetOptions struct {
	// Offset is the first byte to fetch. An offset beyond the end of the file is an error
	// of [KindInvalid].
	Offset int64
	// Length is how many bytes to fetch at most; 0 means all that follow. If only a part is
	// fetched, [Result].Size is the number of its bytes, and the file's size and time are
	// compared before each attempt and at the end.
	Length int64
	// MaxRate limits this transfer, in bytes a second, in addition to
	// [Limits].Rate; 0 means no limit.
	MaxRate int64
	// Progress is called as payload moves, in addition to the hook. Like the hook
	// it must neither block nor call the client. Calls for one transfer do not
	// overlap.
	Progress func(ProgressInfo)
}

// check reports a part of a file that cannot be had.
func (o *GetOptions) check(ascii bool) error {
	switch {
	case o.Offset < 0 || o.Length < 0:
		return asInvalid(fmt.Errorf("GetOptions.Offset is %d and Length is %d: use numbers of bytes, 0 for none", o.Offset, o.Length))
	case ascii && (o.Offset > 0 || o.Length > 0):
		return asInvalid(errors.New("GetOptions.Offset and Length cannot be had with FTP.Type ASCII, where bytes are not those of the file: leave them 0"))
	}
	return nil
}

// Result says what a transfer did.
type Result struct {
	// Outcome is [Done] when the error is nil.
	Outcome Outcome `json:"outcome"`
	// Size is the size of the file, or of the part that [GetOptions] asks for; -1 if it is
	// not known.
	Size int64 `json:"size"`
	// Kept is how many verified bytes of an earlier call were reused.
	Kept int64 `json:"kept"`
	// Moved counts the payload bytes that were sent or received, including
	// those that had to be moved again.
	Moved int64 `json:"moved"`
	// Attempts counts the connections that were used.
	Attempts int `json:"attempts"`
	// Resumes counts how often the transfer was resumed at an offset above 0.
	Resumes int `json:"resumes"`
	// Unchanged says that nothing was moved, because the same file was there already.
	Unchanged bool `json:"unchanged"`
	// Protocol is that of the last connection.
	Protocol Protocol `json:"protocol,omitzero"`
	// Addr is the last connection's address, host:port.
	Addr string `json:"addr,omitzero"`
	// Verified says what was checked.
	Verified Verified `json:"verified"`
	// TimeKept says that the modification time was set.
	TimeKept bool `json:"time_kept"`
	// ModeSet says that the permission bits were set, see [UploadOptions].Mode.
	ModeSet bool `json:"mode_set"`
	// Duration is how long the call took, including waiting; in JSON in nanoseconds.
	Duration time.Duration `json:"duration_ns"`
}

// Verified says what was checked of a transfer, and how.
type Verified struct {
	// Size: both sides have the same size.
	Size bool `json:"size"`
	// Hash is the algorithm by which the whole file was compared with the
	// server's digest, "" if it was not.
	Hash string `json:"hash,omitzero"`
	// ReadBack is how many bytes were read back and compared.
	ReadBack int64 `json:"read_back,omitzero"`
	// Acknowledged: nothing could be compared. The only evidence is the server's final
	// reply to STOR or RETR, or its replies to each WRITE and CLOSE, or that a READ met the
	// end of the file. See [Delivery].
	Acknowledged bool `json:"acknowledged,omitzero"`
}

// String returns for instance "size", "size and sha256", or "size and 65536
// bytes read back".
func (v Verified) String() string {
	switch {
	case v.Acknowledged:
		return "nothing but the server's acknowledgement"
	case !v.Size:
		return "nothing"
	case v.Hash != "":
		return "size and " + v.Hash
	case v.ReadBack > 0:
		return fmt.Sprintf("size and %d bytes read back", v.ReadBack)
	}
	return "size"
}
