package ftpx

import (
	"fmt"
	"time"
)

// Verify says how much is checked before a transfer counts as done.
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

// SourceChange says what to do when a source changes while it is sent.
type SourceChange uint8

// What to do about a source that changes.
const (
	// SourceChangeFail ends the upload with [ErrSourceChanged].
	SourceChangeFail SourceChange = iota
	// SourceChangeRestart begins again with the new content, a few times.
	SourceChangeRestart
)

// OtherWriter says what to do when a partial grows although nothing is being
// sent from here: somebody else is sending the same file to the same place.
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
	// Always sends the file even if the one at the remote path has the same
	// size and modification time and proves to be the same.
	Always bool
	// Verify replaces [Options].Verify; zero keeps it.
	Verify Verify
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
	// ModTime is set on the remote file; zero leaves it to the server.
	ModTime time.Time
	// Verify replaces [Options].Verify; zero keeps it.
	Verify Verify
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
	// MaxRate is how many bytes a second this transfer moves at most, besides
	// [Options].MaxRate; 0 means any number.
	MaxRate int64
	// Progress is called as payload moves, besides the hook, and like it must
	// neither block nor call the client. Calls for one transfer do not overlap.
	Progress func(ProgressInfo)
}

// Result says what a transfer did.
type Result struct {
	// Outcome is [Done] when the error is nil.
	Outcome Outcome
	// Size is the size of the file, -1 if it is not known.
	Size int64
	// Kept is how many of its bytes were there already, proven, from an
	// earlier call.
	Kept int64
	// Moved counts the payload that was moved, what had to be moved again
	// included.
	Moved int64
	// Attempts and Resumes count connections used and offsets above 0.
	Attempts, Resumes int
	// Unchanged says that nothing was moved, because the very file was there.
	Unchanged bool
	// Protocol is that of the last connection.
	Protocol Protocol
	// Addr is the last connection's address, host:port.
	Addr string
	// Verified says what was checked.
	Verified Verified
	// TimeKept says that the modification time was set.
	TimeKept bool
	// Duration is how long it took, waiting included.
	Duration time.Duration
}

// Verified says what was checked of a transfer, and how.
type Verified struct {
	// Size: both sides have the same size.
	Size bool
	// Hash is the algorithm by which the whole file was compared with the
	// server's digest, "" if it was not.
	Hash string
	// ReadBack is how many bytes were read back and compared.
	ReadBack int64
}

// String returns for instance "size", "size and sha256", or "size and 65536
// bytes read back".
func (v Verified) String() string {
	switch {
	case !v.Size:
		return "nothing"
	case v.Hash != "":
		return "size and " + v.Hash
	case v.ReadBack > 0:
		return fmt.Sprintf("size and %d bytes read back", v.ReadBack)
	}
	return "size"
}
