package transport

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"
)

// Conn is one logged-in connection to a server.
//
// It has one owner at a time, unless [Caps.Overlap] allows more: methods are
// never called concurrently, except Close, Usable and Info, which may be called
// at any moment from anywhere.
//
// Paths are sent as they are: relative ones are relative to the login folder.
// A path with CR, LF or NUL is refused with [KindInvalid] before anything is
// sent. Every method honours its context at once, by closing the sockets; after
// that, and after any failure that leaves the state of the session in doubt,
// Usable is false and every later call fails. Errors are [*Error].
type Conn interface {
	// Info describes the connection: what was negotiated and what the server can do.
	Info() Info

	// Stat describes one file or folder, following links. A missing one is
	// [KindNotExist]. The entry's Name is the last element of path.
	Stat(ctx context.Context, path string) (Entry, error)

	// List calls yield for each entry of a folder, in the server's order,
	// without "." and "..", until yield returns false. A missing folder is
	// [KindNotExist] on every server, vsftpd included.
	List(ctx context.Context, path string, yield func(Entry) bool) error

	// Store writes src to the file from offset on. Bytes before offset are
	// kept; offset must be 0 (the file is created or emptied) or the file's
	// current size, freshly asked, because servers disagree about all else.
	//
	// On success n is the number of bytes stored and the server has said that
	// it has them; its word is not proof: callers compare the size. On failure
	// n is the number of bytes after offset that the server is *known* to hold
	// without a gap: 0 on FTP, where only a fresh size tells, and the
	// acknowledged prefix on SFTP, to which the file was cut back if that was
	// still possible. An error of src itself is [KindLocal], a server that does
	// not go on from an offset [KindRestart]. A source that is
	// an *os.File, alone or under an *io.LimitedReader, goes out without being
	// copied through the program where protocol and platform allow.
	Store(ctx context.Context, path string, offset int64, src io.Reader, opt *IO) (n int64, err error)

	// Retrieve copies the file from offset on into dst, in order, each byte
	// once. n is what dst accepted. A nil error means that the server said it
	// was all; its word is not proof: callers compare the size. An error of dst
	// is [KindLocal], but [ErrEnough] ends it as reaching the limit does.
	Retrieve(ctx context.Context, path string, offset int64, dst io.Writer, opt *IO) (n int64, err error)

	// Rename moves a file or folder. With replace it takes the place of an
	// existing file in one step where [Caps.ReplaceOnRename] says so; without,
	// what happens to an existing target is the server's custom.
	Rename(ctx context.Context, from, to string, replace bool) error

	// Remove deletes a file. A missing one is [KindNotExist].
	Remove(ctx context.Context, path string) error

	// Mkdir creates a folder. One that is there already is [KindExist] where
	// the server tells, and [KindRefused] or [KindTemporary] where it does not.
	Mkdir(ctx context.Context, path string) error

	// Rmdir deletes an empty folder.
	Rmdir(ctx context.Context, path string) error

	// Chtimes sets the modification time, to the second. Where the server
	// cannot, the error is [KindUnsupported] and nothing has changed.
	Chtimes(ctx context.Context, path string, mtime time.Time) error

	// Truncate cuts a file to size bytes. [KindUnsupported] without [Caps.Truncate].
	Truncate(ctx context.Context, path string, size int64) error

	// Hash returns the server's digest of n bytes of the file from offset on,
	// or of all from offset on when n < 0. algo is a name from [Caps.Hashes].
	Hash(ctx context.Context, path, algo string, offset, n int64) ([]byte, error)

	// Ping makes one round trip that changes nothing.
	Ping(ctx context.Context) error

	// Usable reports whether the session is in a known state. It asks nothing
	// of the server.
	Usable() bool

	// Close ends the session. It never waits for the server: a healthy session
	// is told goodbye, without waiting for the answer. It is safe to call twice
	// and from another goroutine, whose calls then fail.
	Close() error
}

// ErrEnough is what the destination of a [Conn.Retrieve] returns when it wants no more:
// that is success, and the rest of the file is cut off as by [IO].Limit.
var ErrEnough = errors.New("no more is wanted")

// IO are the options of one [Conn.Store] or [Conn.Retrieve]. A nil *IO is the
// zero value.
type IO struct {
	// Size is how many bytes are expected from offset on, or 0 when unknown.
	// It is a hint for buffers and parallel requests, never a promise.
	Size int64
	// Limit, if positive, ends a Retrieve after so many bytes: reaching it is
	// success, and the rest of the file is not asked for where the protocol
	// allows, else cut off. Store ignores it.
	Limit int64
	// Finish, if not nil, has a Store that succeeds do what follows a whole
	// file, in round trips that it makes anyway. Retrieve ignores it.
	Finish *Finish
	// Part, if not nil, tells more of a Retrieve with a Limit. Store ignores it.
	Part *Part
	// Progress is called with the number of payload bytes that moved since the
	// last call: handed to the connection on Store, so it may run ahead of what
	// the server has; accepted by dst on Retrieve. Calls do not overlap.
	Progress func(n int64)
}

// Finish is what [Conn.Store] does at the end of a file besides storing it. What
// it could not do, for whatever reason, is left undone without an error: whoever
// needs it asks again by the method for it.
type Finish struct {
	// ModTime is set as by [Conn.Chtimes] unless it is zero.
	ModTime time.Time
	// Hash is the algorithm of a digest of the whole file that is wanted, as for
	// [Conn.Hash]; "" for none.
	Hash string
	// Digest is that digest, nil if it was not asked for or not given.
	Digest []byte
	// More says that another file is about to follow on this connection.
	More bool
	// TimeSet says that it was.
	TimeSet bool
	// Entry is what [Conn.Stat] would have said after all this; nil if it was
	// not asked. Its size is at least as old as the end of the file: where it is
	// not what it should be, Stat has the last word.
	Entry *Entry
}

// Part is what more there is to know of a part of a file that [Conn.Retrieve] reads back
// to prove what was being written: an older session may still hold the file, so that a
// server that does not begin for some seconds is taken to say so ([KindLocked]).
type Part struct {
	// More says that another transfer is about to follow on this connection.
	More bool
	// Last says that the file is expected to end where the part does.
	Last bool
	// Beyond is set where it does not: more came. Only FTP finds out, and only
	// with Last.
	Beyond bool
}

// Report calls Progress if there is one and something moved.
func (o *IO) Report(n int64) {
	if o != nil && o.Progress != nil && n > 0 {
		o.Progress(n)
	}
}

// LimitOr returns Limit if it is positive, else other.
func (o *IO) LimitOr(other int64) int64 {
	if o == nil || o.Limit <= 0 {
		return other
	}
	return o.Limit
}

// Finishing returns Finish, or nil on a nil *IO.
func (o *IO) Finishing() *Finish {
	if o == nil {
		return nil
	}
	return o.Finish
}

// Parting returns Part, or one that says nothing.
func (o *IO) Parting() *Part {
	if o == nil || o.Part == nil {
		return &Part{}
	}
	return o.Part
}

// SizeHint returns Size, or 0 on a nil *IO.
func (o *IO) SizeHint() int64 {
	if o == nil {
		return 0
	}
	return o.Size
}

// Info describes an open connection.
type Info struct {
	// Protocol is the protocol spoken.
	Protocol Protocol
	// Addr is the address that was dialled, host:port.
	Addr string
	// Server is how the server names itself: greeting or SSH version. It is
	// hostile input; control characters have been removed.
	Server string
	// RoundTrip is the shortest round trip seen while connecting.
	RoundTrip time.Duration
	// Caps is what the server can do.
	Caps Caps
	// Security is what was negotiated, nil on plain FTP.
	Security *Security
}

// Caps tells what a server can do, as far as it says or has shown.
type Caps struct {
	// ReplaceOnRename: Rename with replace takes the place of an existing file
	// in one step. On FTP it is assumed until a server shows otherwise.
	ReplaceOnRename bool
	// WriteWindow is how many bytes before a file's end may be holes after a
	// Store that was cut off, because writes overlap; 0 where a server's file
	// never has any.
	WriteWindow int64
	// Truncate: [Conn.Truncate] works.
	Truncate bool
	// SetTime: [Conn.Chtimes] is expected to work.
	SetTime bool
	// ExactTimes: Stat gives times exact to the second.
	ExactTimes bool
	// Hashes are the algorithms that [Conn.Hash] offers, strongest first, from
	// "sha512", "sha256", "sha1", "md5", "crc32".
	Hashes []string
	// HashRanges: Hash takes an offset and a length.
	HashRanges bool
	// Overlap is how many operations of different owners may be under way on the
	// connection at once; 0 means one. They share its fate: what ends one of them
	// by closing the socket (its context, a stall, a lost line) ends all.
	Overlap int
}

// HasHash reports whether algo is offered.
func (c Caps) HasHash(algo string) bool { return slices.Contains(c.Hashes, algo) }

// Security is what protects a connection.
type Security struct {
	// Version is "TLS 1.3", "TLS 1.2" or "SSH 2.0".
	Version string
	// KeyExchange is the TLS curve or the SSH key exchange.
	KeyExchange string
	// Cipher is the TLS cipher suite or the SSH cipher, client to server.
	Cipher string
	// MAC is the SSH message authentication code, client to server; "" where the
	// cipher authenticates by itself (AEAD), as all of TLS 1.3.
	MAC string
	// HostKey is the SHA-256 fingerprint of the SSH host key, or of the TLS
	// certificate's public key, as "SHA256:" and base64.
	HostKey string
	// CertificateExpiry is when the server's certificate ends; zero for a bare
	// SSH host key.
	CertificateExpiry time.Time
	// PostQuantum says that the key exchange is a hybrid with a post-quantum part.
	PostQuantum bool
}
