package transport

import (
	"errors"
	"io/fs"
	"time"
)

// EntryType tells what a directory entry is. Zero is TypeUnknown.
type EntryType uint8

// The types of an [Entry].
const (
	// TypeUnknown is what the server did not say and did not let find out: it may
	// be a folder as well as a file.
	TypeUnknown EntryType = iota
	TypeFile
	TypeDir
	TypeLink
	// TypeOther is a device, a socket, a pipe, or a thing of the server's own.
	TypeOther
)

var entryTypeNames = [...]string{TypeUnknown: "unknown", TypeFile: "file", TypeDir: "dir", TypeLink: "link", TypeOther: "other"}

// String returns "unknown", "file", "dir", "link" or "other".
func (t EntryType) String() string {
	if int(t) < len(entryTypeNames) {
		return entryTypeNames[t]
	}
	return entryTypeNames[TypeUnknown]
}

// MarshalText writes what String does.
func (t EntryType) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what String writes.
func (t *EntryType) UnmarshalText(text []byte) error {
	return unmarshalName(text, "type of entry", entryTypeNames[:], t)
}

// Entry describes one file or folder on a server.
type Entry struct {
	// Name is the base name as the server sent it, decoded where
	// [Endpoint.Charset] says from what. It is hostile input: it may hold
	// separators, "..", or control characters, and need not be UTF-8.
	Name string `json:"name"`
	// Type is what the entry is. [Conn.Stat] follows links, [Conn.List] does not.
	Type EntryType `json:"type"`
	// Size is the size in bytes of a file, or -1 where the server did not say.
	Size int64 `json:"size"`
	// ModTime is the modification time, or zero where the server did not say.
	ModTime time.Time `json:"mtime,omitzero"`
	// TimeExact says that ModTime is exact to the second, in a known time zone.
	// Times out of a LIST are neither, unless that is in EPLF.
	TimeExact bool `json:"time_exact,omitzero"`
	// Perm holds the permission bits where the server gave them, else 0. In JSON it is a
	// number.
	Perm fs.FileMode `json:"perm,omitzero"`
	// Target is where a link leads, if the server said so.
	Target string `json:"target,omitzero"`
}

// ErrListingTooLong says that a server's listing was cut off, because it was longer
// than any real folder and would have used up the memory.
var ErrListingTooLong = errors.New("the listing is too long")

// IsDir reports whether the entry is a folder.
func (e Entry) IsDir() bool { return e.Type == TypeDir }
