package transport

import (
	"context"
	"errors"
	"io"
	"time"
)

// A Batch is a list of requests that are known at the same time. A driver can send as
// many of them in one write as this server is known to accept. A batch means exactly
// what its requests would mean one after the other, each sent after the answer to the
// previous one; [InTurn] is that definition as code.
//
// A batch is used for one call of [Conn.Do] and holds the results afterwards.
type Batch struct {
	// Requests are carried out in this order.
	Requests []Request
}

// NewBatch returns a batch of the given requests.
func NewBatch(requests ...Request) *Batch { return &Batch{Requests: requests} }

// A Request is one of the types of this package that embed [Head]: [Stat], [List],
// [Store], [Retrieve], [Rename], [Remove], [Mkdir], [Rmdir], [SetTime], [SetMode],
// [Truncate], [Hash], [Link], [Raw], [Space], [Ping].
type Request interface {
	// Common returns the request's head.
	Common() *Head
	// Paths returns the fields that hold names on the server (paths, and the line of a
	// [Raw]), for a wrapper that maps them.
	Paths() []*string
	sealed()
}

// Head is what all requests have.
type Head struct {
	// If, when not nil, is called once: after all earlier requests have been answered,
	// and before this one has an effect. Until then the request has changed nothing on
	// the server, and has given no byte to a destination. If it returns false, the batch
	// ends: this request and all following ones get [ErrSkipped].
	//
	// A driver may have sent a request that only reads before If is called. It then
	// discards the answer. On a protocol without a polite way to stop, that may cost the
	// session; Usable tells. One effect may be visible on the server: for a Store that
	// waits for its condition, a driver may have created an empty file if there was
	// none. It removes the file if the condition is not met.
	//
	// If runs in the goroutine of Do, which waits for it. It must not call Do on the same
	// connection. Its time does not count as silence of the server.
	If func() bool
	// Err is nil if the request was carried out. Otherwise it is an [*Error], [ErrSkipped]
	// or [ErrUnsent]. A refusal does not stop the requests that follow.
	Err error
}

// Common implements [Request].
func (h *Head) Common() *Head { return h }

func (h *Head) sealed() {}

// OK reports whether the request was carried out.
func (h *Head) OK() bool { return h.Err == nil }

var (
	// ErrSkipped is the error of a request whose condition, or that of a request before
	// it, was not met.
	ErrSkipped = errors.New("the request was skipped: a condition before it was not met")
	// ErrUnsent is the error of a request that had no effect, because the session ended
	// before the request was carried out.
	ErrUnsent = errors.New("the request was not carried out: the session ended before it")
)

// Stat describes one file or folder. It follows links unless NoFollow is set. A missing
// path is [KindNotExist].
type Stat struct {
	Head
	// Path is what to describe.
	Path string
	// NoFollow describes a link itself, as [List] does, where the protocol can.
	NoFollow bool
	// Entry is the description. Its Name is the last element of Path.
	Entry Entry
}

// List calls Yield for each entry of a folder, in the server's order, without "." and
// "..", until Yield returns false. A missing folder is [KindNotExist] on every server.
// An entry is of [TypeUnknown] if the listing did not tell its type; [Stat] may know it.
type List struct {
	Head
	// Path is the folder.
	Path string
	// Yield is called with each entry until it returns false.
	Yield func(Entry) bool
}

// Store writes Src to a file, starting at Offset, and keeps the bytes before Offset.
// Offset must be 0 (the file is created or emptied) or the current size of the file, from
// a fresh Stat, because servers disagree about every other offset.
//
// Without an error, Stored is the number of bytes written, and the server has acknowledged
// them. That is not proof: callers compare the size. After a failure, Stored is the number
// of bytes after Offset that the server is known to hold without a gap. On FTP this is 0,
// because only a fresh size tells. On SFTP it is the acknowledged prefix, and the file was
// truncated to it if that was still possible. An error of Src itself is [KindLocal]. A
// server that cannot continue a file at an offset is [KindRestart].
// A source that is an *os.File, alone or under an *io.LimitedReader, goes out without
// being copied through the program where protocol and platform allow.
type Store struct {
	Head
	// Path is the file.
	Path string
	// Offset is where the first byte goes.
	Offset int64
	// Append adds to the end of the file. It never empties the file, and creates a missing
	// one. On FTP it is APPE (RFC 959 section 4.1.3), which ignores Offset. On SFTP the bytes
	// are written at Offset, the current size; there, two concurrent appends to one file
	// overwrite each other.
	Append bool
	// New requires that the file does not exist yet: if it exists, the request fails before a
	// byte is written (SSH_FXF_EXCL). FTP has no such command and ignores it.
	New bool
	// Keep, with Offset 0, keeps the old content of the file until the first bytes of Src are
	// acknowledged, and truncates the file then. Only SFTP can do that, at the cost of a round
	// trip. Other protocols ignore it.
	Keep bool
	// ASCII sends text (TYPE A, RFC 959 section 3.1.1.1). Line ends, LF or CRLF, are sent as
	// CRLF. The server converts them to its own, so its file has another size. Stored counts
	// the bytes of Src. [KindInvalid] with an Offset or Append, [KindUnsupported] on SFTP.
	ASCII bool
	// Size is how many bytes are expected from Src, 0 or less when unknown. It is a hint
	// for buffers and parallel requests, never a promise.
	Size int64
	// Window, if positive, bounds the bytes that are sent and not yet acknowledged. After an
	// interrupted Store, that is how far before the end of the file holes can be. It matters
	// on SFTP; a file that FTP has written has no holes.
	Window int64
	// Src is what to write.
	Src io.Reader
	// Progress is called with the number of bytes handed to the connection since the
	// last call, which may be ahead of what the server has. Calls do not overlap.
	Progress func(n int64)
	// Stored is how many bytes the server has, see above.
	Stored int64
}

// Retrieve copies a file into Dst, starting at Offset, in order, each byte once. A nil
// error means that the server said the file was complete, that Limit was reached, or that
// Dst wanted no more. What the server said is not proof: callers compare the size. An
// error of Dst is [KindLocal], except [ErrEnough], which ends the request as Limit does.
type Retrieve struct {
	Head
	// Path is the file.
	Path string
	// Offset is where to begin.
	Offset int64
	// Limit, if positive, ends the request after this many bytes. If the protocol permits,
	// the rest of the file is not requested; otherwise the transfer is aborted.
	Limit int64
	// Size is how many bytes are expected after Offset, 0 or less when unknown. It is a
	// hint. If a [Stat] of the same path precedes in the batch, its answer is the hint.
	Size int64
	// Dst receives the bytes.
	Dst io.Writer
	// Written says that the file was being written a moment ago, so an older session may
	// still hold it. A server that does not start the transfer for some seconds is then
	// taken to have the file locked ([KindLocked]).
	Written bool
	// Last says that the file is expected to end where Limit does.
	Last bool
	// Progress is called with the number of bytes that Dst has accepted since the last
	// call. Calls do not overlap.
	Progress func(n int64)
	// Received is how many bytes Dst has accepted.
	Received int64
	// ASCII fetches text (TYPE A): Dst gets LF for each CRLF that comes, and Received counts
	// what it got. [KindInvalid] with an Offset, a Limit or Last, [KindUnsupported] on SFTP.
	ASCII bool
	// Beyond is set if Last is set and the server sent more than Limit. Only FTP notices.
	Beyond bool
}

// ErrEnough is what the destination of a [Retrieve] returns when it wants no more: that
// is success, and the rest of the file is cut off as by Limit.
var ErrEnough = errors.New("no more is wanted")

// Rename moves a file or folder. With Replace it replaces an existing file in one step, if
// [Caps].ReplaceOnRename is set. Without Replace, the server decides what happens to an
// existing target.
type Rename struct {
	Head
	// From is the old path, To the new one.
	From, To string // see above
	// Replace asks to replace an existing file.
	Replace bool
}

// Remove deletes a file. A missing one is [KindNotExist].
type Remove struct {
	Head
	// Path is the file.
	Path string
}

// Mkdir creates a folder. An existing folder is [KindExist] if the server says so, and
// [KindRefused] or [KindTemporary] if it does not.
type Mkdir struct {
	Head
	// Path is the folder to create.
	Path string
}

// Rmdir deletes an empty folder.
type Rmdir struct {
	Head
	// Path is the folder.
	Path string
}

// SetTime sets the modification time, to the second. If the server cannot do that, the
// error is [KindUnsupported] and nothing has changed.
type SetTime struct {
	Head
	// Path is the file or folder.
	Path string
	// Time is the time to set.
	Time time.Time
}

// SetMode sets the permission bits (SSH_FXP_SETSTAT, SITE CHMOD). [KindUnsupported]
// where the server does not know how.
type SetMode struct {
	Head
	// Path is the file or folder.
	Path string
	// Mode is the low twelve bits, as of chmod(2).
	Mode uint32
}

// Truncate cuts a file to Size bytes. [KindUnsupported] without [Caps].Truncate.
type Truncate struct {
	Head
	// Path is the file.
	Path string
	// Size is its new size in bytes.
	Size int64
}

// Hash asks for the server's digest of Size bytes of a file, starting at Offset, or of all
// bytes after Offset if Size is negative. Algo is a name from [Caps].Hashes.
type Hash struct {
	Head
	// Path is the file.
	Path string
	// Algo is a name from [Caps].Hashes.
	Algo string
	// Offset and Size say of which bytes.
	Offset, Size int64 // Size is negative for all that follow
	// Sum is the digest.
	Sum []byte
}

// Link reads the target of a symbolic link, or creates a link if Make is set.
// [KindUnsupported] on FTP, which has no such command.
type Link struct {
	Head
	// Path is the link.
	Path string
	// Make asks for a new link.
	Make bool
	// Target is where it leads, as the server has it; it is not resolved.
	Target string
}

// Raw sends one command line of the caller's on FTP and takes its final reply, whatever
// its code; [KindUnsupported] on SFTP. Commands that move data, or that change the state
// that the connection relies on (TYPE, CWD, PROT, REST, RNFR ...), are [KindInvalid], as
// are line ends and NUL. The reply is hostile input.
type Raw struct {
	Head
	// Line is the command line, without its end.
	Line string
	// Code is that of the final reply.
	Code int
	// Text is what the server said.
	Text string
}

// Space asks for the free space on the volume of a path (statvfs@openssh.com on SFTP, AVBL
// on FTP). [KindUnsupported] if the server does not tell.
type Space struct {
	Head
	// Path is any path on the volume.
	Path string
	// Free is what the login may use, Total the size of the volume, in bytes, -1 where not
	// told.
	Free, Total int64
}

// Ping makes one round trip that changes nothing.
type Ping struct{ Head }

// Paths implements [Request].
func (r *Stat) Paths() []*string { return []*string{&r.Path} }

// Paths implements [Request].
func (r *List) Paths() []*string { return []*string{&r.Path} }

// Paths implements [Request].
func (r *Store) Paths() []*string { return []*string{&r.Path} }

// Paths implements [Request].
func (r *Retrieve) Paths() []*string { return []*string{&r.Path} }

// Paths implements [Request].
func (r *Rename) Paths() []*string { return []*string{&r.From, &r.To} }

// Paths implements [Request].
func (r *Remove) Paths() []*string { return []*string{&r.Path} }

// Paths implements [Request].
func (r *Mkdir) Paths() []*string { return []*string{&r.Path} }

// Paths implements [Request].
func (r *Rmdir) Paths() []*string { return []*string{&r.Path} }

// Paths implements [Request].
func (r *SetTime) Paths() []*string { return []*string{&r.Path} }

// Paths implements [Request].
func (r *SetMode) Paths() []*string { return []*string{&r.Path} }

// Paths implements [Request].
func (r *Truncate) Paths() []*string { return []*string{&r.Path} }

// Paths implements [Request].
func (r *Hash) Paths() []*string { return []*string{&r.Path} }

// Paths implements [Request].
func (r *Link) Paths() []*string { return []*string{&r.Path, &r.Target} }

// Paths implements [Request].
func (r *Raw) Paths() []*string { return []*string{&r.Line} }

// Paths implements [Request].
func (r *Space) Paths() []*string { return []*string{&r.Path} }

// Paths implements [Request].
func (r *Ping) Paths() []*string { return nil }

// InTurn carries out a batch one request after the other, which is what every batch
// means. one carries out a single request and returns its error; usable reports whether
// the session is still in a known state. The error is that of the request with which the
// session, or the context, ended; nil if neither did.
func InTurn(ctx context.Context, b *Batch, usable func() bool, one func(context.Context, Request) error) error {
	for i, r := range b.Requests {
		h := r.Common()
		if h.If != nil && !h.If() {
			b.from(i, ErrSkipped)
			return nil
		}
		if h.Err = one(ctx, r); h.Err != nil && (!usable() || ctx.Err() != nil) {
			b.from(i+1, ErrUnsent)
			return h.Err
		}
	}
	return nil
}

// from gives all requests from the i-th on the same error.
func (b *Batch) from(i int, err error) {
	for _, r := range b.Requests[min(i, len(b.Requests)):] {
		r.Common().Err = err
	}
}

// Skip gives the i-th request and all that follow it [ErrSkipped]. It is for drivers.
func (b *Batch) Skip(i int) { b.from(i, ErrSkipped) }

// Unsent gives the i-th request and all that follow it [ErrUnsent]. It is for drivers.
func (b *Batch) Unsent(i int) { b.from(i, ErrUnsent) }
