package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"time"
)

// Identity is what tells one version of a file from another.
type Identity struct {
	// Size is the size in bytes, -1 if it is not known.
	Size int64 `json:"size"`
	// ModTime is the modification time, zero if it is not known.
	ModTime time.Time `json:"mtime,omitzero"`
	// TimeExact says that ModTime is exact to the second, in a known time zone.
	// A time out of an FTP server's LIST is not.
	TimeExact bool `json:"exact,omitempty"`
	// Hash is that of the content, "" if it was not read: "sample:" and a SHA-256
	// of its head and tail, or "sha256:" and that of all of it. See [Hash].
	Hash string `json:"hash,omitempty"`
}

// State says what an [Entry] is the record of, if not of a file that was copied.
type State string

// StateUnknown: the server acknowledged all of the file, and it was gone then. It may have
// been delivered.
const StateUnknown State = "unknown"

// StateDead: a consumer of package watch has said that nothing can be done about the file.
const StateDead State = "dead"

// Entry is the record of one file of one job.
type Entry struct {
	// Job names the job; a ledger may serve several.
	Job string `json:"job"`
	// Path names the file within the job, relative and with slashes.
	Path string `json:"path"`
	// Source is the file as it was where it came from.
	Source Identity `json:"source"`
	// Dest is the file as it was where it went to. Its TimeExact is false if the
	// server did not keep the time.
	Dest Identity `json:"dest"`
	// Local and Remote are the full paths.
	Local  string `json:"local,omitempty"`
	Remote string `json:"remote,omitempty"` // see Local
	// Addr is the server's address, host:port.
	Addr string `json:"addr,omitempty"`
	// Protocol is that of the last connection.
	Protocol string `json:"protocol,omitempty"`
	// State is "" for a file that was copied. What is [StateUnknown] was not shown to
	// have arrived.
	State State `json:"state,omitempty"`
	// Verified says what was checked, as ftpx.Verified prints it.
	Verified string `json:"verified,omitempty"`
	// When is the moment at which it was done; Record fills in now for zero.
	When time.Time `json:"when"`
}

// sample is how much of a file's head and tail is hashed unless all of it is; the
// same as for the identity of ftpx's partials.
const sample = 64 << 10

// Hash reads a content and returns its hash for [Identity].Hash: of the
// first and the last 64 KiB, or of everything.
func Hash(r io.ReaderAt, size int64, full bool) (string, error) {
	h := sha256.New()
	kind := "sha256:"
	parts := []*io.SectionReader{io.NewSectionReader(r, 0, size)}
	if !full {
		kind = "sample:"
		head := min(size, sample)
		tail := max(head, size-sample)
		parts = []*io.SectionReader{io.NewSectionReader(r, 0, head), io.NewSectionReader(r, tail, size-tail)}
	}
	for _, p := range parts {
		n, err := io.Copy(h, p)
		if err == nil && n != p.Size() {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", err
		}
	}
	return kind + hex.EncodeToString(h.Sum(nil)), nil
}
