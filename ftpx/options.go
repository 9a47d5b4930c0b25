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
	// VerifyAuto, the default: the size on both sides; a server's hash where
	// it offers one; else, where a transfer was resumed, what surrounds every
	// seam and the end of the file are read back and compared. A transfer in
	// one piece over TCP, TLS or SSH needs no more than the size.
	//
	// Without a server's hash, what is there of an unfinished file is thus
	// proven by its head (an upload's partial is named after its source's size,
	// time, head and tail), its tail and its seams, and a download's remote file
	// by its size and time. A rewrite in the middle that leaves all of these as
	// they were, between two calls, goes unnoticed: use VerifyFull where that can
	// happen.
	VerifyAuto Verify = iota + 1
	// VerifySize: the size on both sides alone.
	VerifySize
	// VerifyFull: a server's hash, or else every byte is read back.
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
	// DeliverAtomic, the default: the file is sent under another name, the partial's,
	// checked, and renamed, so that whoever polls for its name sees all of it or none. The
	// folder must allow a look at the partial and the rename. Where it does not, the upload
	// ends after one attempt with a [DeliveryError], and what was begun is removed.
	DeliverAtomic Delivery = iota
	// DeliverDirect sends under the final name. It resumes what the same call has begun,
	// and what another call has left only where the server's digest proves it; it checks
	// the file as far as the server allows that, and else [Verified].Acknowledged is set.
	// While it is sent, who polls sees a file that is not whole. A failure leaves what has
	// arrived there, see [Error].Partial; where all of it had left, the outcome is
	// [Unknown].
	DeliverDirect
	// DeliverDrop is for folders that show nothing or whose files are taken as they are
	// closed: OPEN, WRITE and CLOSE, or STOR, and nothing else. No look, no time, no
	// rename; CreateDirs makes folders only after a refusal. Done means that the server has
	// acknowledged it, and [Verified].Acknowledged is set. What was lost before all of it
	// had left is sent again from its beginning; where all had left and no final reply
	// came, the outcome is [Unknown], and it is not sent again, since it might be delivered
	// twice. NoReplace and VerifyFull cannot be had with it.
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
	// OtherWriterWait waits for it to finish, within the retry policy; then the
	// file is there already, or the upload goes on where the other ended.
	OtherWriterWait OtherWriter = iota
	// OtherWriterFail ends the upload with an error of [transport.KindLocked].
	OtherWriterFail
)

// UploadOptions are the options of [Uploader].Upload; nil is the zero value.
type UploadOptions struct {
	// CreateDirs creates missing folders of the remote path.
	CreateDirs bool
	// NoReplace fails with fs.ErrExist if there is a file at the remote path.
	// It is looked for before the transfer and again before the rename, which
	// leaves a moment in which another writer can come between.
	NoReplace bool
	// DropTime leaves the modification time to the server. By default the
	// source's is kept, to the second, where the server can set it.
	DropTime bool
	// Mode are the permission bits that the file gets before it has its name (SETSTAT,
	// SITE CHMOD); 0 leaves them to the server. [Result].ModeSet says whether it took them;
	// a refusal is no failure. Not with [DeliverDrop].
	Mode fs.FileMode
	// Always sends the file even if the one at the remote path has the same
	// size and modification time and proves to be the same.
	Always bool
	// Verify replaces [Options].Verify; zero keeps it.
	Verify Verify
	// Delivery says how the file gets to its name: by default under another, by a rename.
	Delivery Delivery
	// PartialName is a template for that other name, "" for the usual one, which is
	// hidden. It contains {name}, the file's own, or {id}, 16 hexadecimal digits that stand
	// for its content and destination, for instance "{name}.filepart", "in.{name}" or
	// "tmp/{name}"; a folder in it is relative to the file's, and made with CreateDirs.
	// Without {id} it does not tell of which version of the file it is, so that what
	// another call has left is only gone on with where the server's digest proves it. Names
	// are shortened to 255 bytes.
	PartialName string
	// OnSourceChange says what to do when the file changes meanwhile.
	OnSourceChange SourceChange
	// OnOtherWriter says what to do when somebody else is sending the same file.
	OnOtherWriter OtherWriter
	// RemoveStale, if positive, removes partials of other versions of this
	// file at the remote path that were last written longer ago, after the
	// upload. It costs a listing of the folder.
	RemoveStale time.Duration
	// MaxRate is how many bytes a second this transfer moves at most, besides
	// [Options].MaxRate; 0 means any number.
	MaxRate int64
	// Progress is called as payload moves, besides the hook, and like it must
	// neither block nor call the client. Calls for one transfer do not overlap.
	Progress func(ProgressInfo)
}

// PutOptions are the options of [Uploader].Put; nil is the zero value.
type PutOptions struct {
	// CreateDirs creates missing folders of the remote path.
	CreateDirs bool
	// NoReplace fails with fs.ErrExist, see [UploadOptions].
	NoReplace bool
	// Append adds the bytes to the end of the file, or makes it: APPE on FTP (RFC 959, section
	// 4.1.3), writing at the size that was found on SFTP. Nothing is ever added twice. What a
	// lost connection has cut off is completed where the file shows how far it came and nothing
	// more can come: over SFTP, and over FTP if the server had said that the transfer ended.
	// Else the outcome is [Unknown], [Error].Offset says how many of the bytes are there, and
	// the call must not be repeated before the file has been looked at. [Result].Size counts
	// what was added. The file must have no other writer meanwhile: calls of one client wait
	// for each other, others are not kept away, but noticed where sizes or bytes show them
	// ([ErrMismatch]). Not with NoReplace, Delivery or PartialName.
	Append bool
	// Mode is as in [UploadOptions].
	Mode fs.FileMode
	// ModTime is set on the remote file; zero leaves it to the server.
	ModTime time.Time
	// SkipSame leaves the file at the remote path alone if it has the same size and the
	// time ModTime and proves to be the same, as Upload does unless it is told otherwise.
	// It needs ModTime.
	SkipSame bool
	// Verify replaces [Options].Verify; zero keeps it.
	Verify Verify
	// Delivery is as in [UploadOptions].
	Delivery Delivery
	// PartialName is as in [UploadOptions].
	PartialName string
	// Spool bounds how much is kept of a source that cannot be read twice, in
	// memory up to 1 MiB and in a temporary file beyond; 0 means 256 MiB,
	// negative means nothing.
	Spool int64
	// MaxRate is how many bytes a second this transfer moves at most, besides
	// [Options].MaxRate; 0 means any number.
	MaxRate int64
	// Progress is called as payload moves, besides the hook, and like it must
	// neither block nor call the client. Calls for one transfer do not overlap.
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
	// MaxRate is how many bytes a second this transfer moves at most, besides
	// [Options].MaxRate; 0 means any number.
	MaxRate int64
	// Progress is called as payload moves, besides the hook, and like it must
	// neither block nor call the client. Calls for one transfer do not overlap.
	Progress func(ProgressInfo)
}

// GetOptions are the options of [Downloader].Get; nil is the zero value.
type GetOptions struct {
	// Offset is where in the file to begin, in bytes; one beyond its end is an error of
	// [KindInvalid].
	Offset int64
	// Length is how many bytes to fetch at most; 0 means all that follow. Of a part
	// [Result].Size is the number of its bytes, and the file's size and time are compared
	// before each attempt and at the end.
	Length int64
	// MaxRate is how many bytes a second this transfer moves at most, besides
	// [Options].MaxRate; 0 means any number.
	MaxRate int64
	// Progress is called as payload moves, besides the hook, and like it must
	// neither block nor call the client. Calls for one transfer do not overlap.
	Progress func(ProgressInfo)
}

// check reports a part of a file that cannot be had.
func (o *GetOptions) check(ascii bool) error {
	switch {
	case o.Offset < 0 || o.Length < 0:
		return asInvalid(fmt.Errorf("GetOptions.Offset is %d and Length is %d: use numbers of bytes, 0 for none", o.Offset, o.Length))
	case ascii && (o.Offset > 0 || o.Length > 0):
		return asInvalid(errors.New("GetOptions.Offset and Length cannot be had with FTPType ASCII, where bytes are not those of the file: leave them 0"))
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
	// Kept is how many of its bytes were there already, proven, from an
	// earlier call.
	Kept int64 `json:"kept"`
	// Moved counts the payload that was moved, what had to be moved again
	// included.
	Moved int64 `json:"moved"`
	// Attempts counts the connections that were used.
	Attempts int `json:"attempts"`
	// Resumes counts how often it went on from an offset above 0.
	Resumes int `json:"resumes"`
	// Unchanged says that nothing was moved, because the very file was there.
	Unchanged bool `json:"unchanged"`
	// Protocol is that of the last connection.
	Protocol Protocol `json:"protocol,omitzero"`
	// Addr is the last connection's address, host:port.
	Addr string `json:"addr,omitzero"`
	// Verified says what was checked.
	Verified Verified `json:"verified"`
	// TimeKept says that the modification time was set.
	TimeKept bool `json:"time_kept"`
	// ModeSet says that the permission bits were, see [UploadOptions].Mode.
	ModeSet bool `json:"mode_set"`
	// Duration is how long it took, waiting included; in JSON it is in nanoseconds.
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
	// Acknowledged: nothing could be compared, and the server's word is all there is:
	// the final reply to STOR, or those to each WRITE and CLOSE. See [Delivery].
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
