package transport

import (
	"context"
	"errors"
	"io"
	"time"
)

// A Batch is a list of requests that are known together, so that a driver can send
// as many of them in one write as this server is known to take. It means exactly what
// its requests would mean one after the other, each sent when the one before it had
// been answered; [InTurn] is that definition as code.
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
	// Paths returns what of the request holds names on the server (paths, and the line
	// of a [Raw]), for a wrapper that maps them.
	Paths() []*string
	sealed()
}

// Head is what all requests have.
type Head struct {
	// If, where it is not nil, is asked once, when all earlier requests have been
	// answered and before this one has an effect: nothing on the server has changed by
	// it, and no byte has been given to a destination. False ends the batch: this
	// request and all that follow it get [ErrSkipped]. A driver may have asked the
	// server for what only reads, and throws it away then; that may cost the session
	// on a protocol that has no polite way to stop, which Usable tells. One thing may be
	// seen on the server: a driver may have created the empty file of a Store that waits
	// for its condition, if there was none, and removes it if the condition is not met.
	//
	// If is called in the goroutine of Do, which waits for it: it must not call Do on
	// the same connection, and what it takes is not counted as silence of the server.
	If func() bool
	// Err is nil if the request was carried out. Else it is an [*Error], [ErrSkipped],
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
	// ErrUnsent is the error of a request that has had no effect, because the session
	// had ended before it was carried out.
	ErrUnsent = errors.New("the request was not carried out: the session ended before it")
)

// Stat describes one file or folder, following links unless NoFollow is set. A missing one
// is [KindNotExist].
type Stat struct {
	Head
	// Path is what to describe.
	Path string
	// NoFollow describes a link itself, as [List] does, where the protocol can.
	NoFollow bool
	// Entry is what is there. Its Name is the last element of Path.
	Entry Entry
}

// List calls Yield for each entry of a folder, in the server's order, without "." and
// "..", until Yield returns false. A missing folder is [KindNotExist] on every server.
// Entries of [TypeUnknown] are such as the listing told no type of: [Stat] may.
type List struct {
	Head
	// Path is the folder.
	Path string
	// Yield is called with each entry until it returns false.
	Yield func(Entry) bool
}

// Store writes Src to a file from Offset on. Bytes before it are kept; it must be 0
// (the file is created or emptied) or the file's current size, freshly asked, because
// servers disagree about all else.
//
// Without an error, Stored is the number of bytes written, and the server has said that
// it has them; its word is not proof: callers compare the size. On failure Stored is
// the number of bytes after Offset that the server is known to hold without a gap: 0 on
// FTP, where only a fresh size tells, and the acknowledged prefix on SFTP, to which the
// file was cut back if that was still possible. An error of Src itself is [KindLocal], a
// server that does not continue a file at an offset [KindRestart].
// A source that is an *os.File, alone or under an *io.LimitedReader, goes out without
// being copied through the program where protocol and platform allow.
type Store struct {
	Head
	// Path is the file.
	Path string
	// Offset is where the first byte goes.
	Offset int64
	// Append adds to the file, whatever it holds: nothing is emptied, and one that is missing
	// is created. On FTP it is APPE (RFC 959 section 4.1.3), to which Offset means nothing; on
	// SFTP the bytes are written at Offset, the size that was found. Two appends to one file
	// at a time are not kept apart there.
	Append bool
	// New says that the file must not be there yet: one that is fails the request before a
	// byte is written (SSH_FXF_EXCL). FTP has no such command, and does not heed it.
	New bool
	// Keep, at Offset 0, leaves what is in the file until the first bytes of Src are
	// acknowledged, and cuts off the rest of it then, where the server can do that: SFTP alone
	// can, and costs a round trip for it. Elsewhere it means nothing.
	Keep bool
	// ASCII sends text (TYPE A, RFC 959 section 3.1.1.1): line ends, LF or CRLF, leave as CRLF,
	// and the server makes its own of them, so that its file has another size. Stored counts
	// the bytes of Src. [KindInvalid] with an Offset or Append, [KindUnsupported] on SFTP.
	ASCII bool
	// Size is how many bytes are expected from Src, 0 or less when unknown. It is a hint
	// for buffers and parallel requests, never a promise.
	Size int64
	// Src is what to write.
	Src io.Reader
	// Progress is called with the number of bytes handed to the connection since the
	// last call, which may be ahead of what the server has. Calls do not overlap.
	Progress func(n int64)
	// Stored is how many bytes the server has, see above.
	Stored int64
}

// Retrieve copies a file from Offset on into Dst, in order, each byte once. A nil error
// means that the server said it was all, or that Limit was reached, or that Dst wanted
// no more; the server's word is not proof: callers compare the size. An error of Dst is
// [KindLocal], but [ErrEnough] ends the request as reaching Limit does.
type Retrieve struct {
	Head
	// Path is the file.
	Path string
	// Offset is where to begin.
	Offset int64
	// Limit, if positive, ends the request after so many bytes. The rest of the file is
	// not asked for where the protocol allows, else cut off.
	Limit int64
	// Size is how many bytes are expected from Offset on, 0 or less when unknown: a hint.
	// Where a [Stat] of the same path precedes in the batch, its answer serves as one.
	Size int64
	// Dst takes what comes.
	Dst io.Writer
	// Written says that the file was being written a moment ago: an older session may
	// still hold it, so that a server that does not begin for some seconds is taken to
	// say so ([KindLocked]).
	Written bool
	// Last says that the file is expected to end where Limit does.
	Last bool
	// Progress is called with the number of bytes that Dst has accepted since the last
	// call. Calls do not overlap.
	Progress func(n int64)
	// Received is what Dst has accepted.
	Received int64
	// ASCII fetches text (TYPE A): Dst gets LF for each CRLF that comes, and Received counts
	// what it got. [KindInvalid] with an Offset, a Limit or Last, [KindUnsupported] on SFTP.
	ASCII bool
	// Beyond is set where, with Last, more came than Limit. Only FTP finds out.
	Beyond bool
}

// ErrEnough is what the destination of a [Retrieve] returns when it wants no more: that
// is success, and the rest of the file is cut off as by Limit.
var ErrEnough = errors.New("no more is wanted")

// Rename moves a file or folder. With Replace it takes the place of an existing file in
// one step where [Caps].ReplaceOnRename says so; without, what happens to an existing
// target is the server's custom.
type Rename struct {
	Head
	// From is the old path, To the new one.
	From, To string // see above
	// Replace asks for the place of an existing file.
	Replace bool
}

// Remove deletes a file. A missing one is [KindNotExist].
type Remove struct {
	Head
	// Path is the file.
	Path string
}

// Mkdir creates a folder. One that is there already is [KindExist] where the server
// tells, and [KindRefused] or [KindTemporary] where it does not.
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

// SetTime sets the modification time, to the second. Where the server cannot, the error
// is [KindUnsupported] and nothing has changed.
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

// Hash asks for the server's digest of Size bytes of a file from Offset on, or of all
// from Offset on when Size is negative. Algo is a name from [Caps].Hashes.
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

// Link reads where a symbolic link leads, or, with Make, makes one. [KindUnsupported] on
// FTP, which knows no such command.
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

// Space asks how much room there is on the volume of a path. [KindUnsupported] where the
// server does not tell (statvfs@openssh.com on SFTP, AVBL on FTP).
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
