package ftpx

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/upload"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Outcome tells how an operation ended. Zero is [Unknown]: an outcome that nobody has
// checked is neither done nor not done.
type Outcome uint8

// The outcomes.
const (
	// Unknown: the operation may or may not have taken effect, and looking at the
	// server did not tell.
	Unknown Outcome = iota
	// NotDone: the operation has not taken effect under the given name. A partial
	// may have been kept.
	NotDone
	// Done: the operation has taken effect, and that was checked.
	Done
)

// String returns "not done", "done" or "unknown".
func (o Outcome) String() string {
	switch o {
	case Done:
		return "done"
	case NotDone:
		return "not done"
	}
	return "unknown"
}

// MarshalText makes an Outcome readable in JSON and logs.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads what String writes.
func (o *Outcome) UnmarshalText(text []byte) error {
	for _, known := range []Outcome{Unknown, NotDone, Done} {
		if string(text) == known.String() {
			*o = known
			return nil
		}
	}
	return fmt.Errorf("%q is no outcome: done, not done or unknown", text)
}

// Error is how every operation of a [Client] fails.
//
// It unwraps to every cause. errors.Is(err, fs.ErrNotExist), errors.Is(err,
// context.Canceled), and errors.As with *textproto.Error, *transport.Error or
// *retry.Error all work.
type Error struct {
	// Op is the operation: "open", "upload", "download", "put", "get", "stat",
	// "list", "read" (of a file out of FS), "rename", "remove", "mkdir", "chtimes", "chmod",
	// "symlink", "readlink", "space", "raw", "ping", "recheck", "close".
	Op string
	// Local is the local path, if there is one.
	Local string
	// Remote is the remote path.
	Remote string
	// Outcome is [NotDone] or [Unknown].
	Outcome Outcome
	// Acknowledged is about an upload whose outcome is [Unknown]. It says that the server
	// acknowledged the whole file, and that the file's name is gone: a receiver that takes
	// files from that folder may have it. Sending it again may deliver it twice.
	Acknowledged bool
	// Offset is how many bytes of a transfer are known to have arrived. Over SFTP these are
	// the acknowledged bytes. Over FTP it is the last size that was seen; bytes that the
	// last attempt sent after that are not counted.
	Offset int64
	// Size is the size of the file; -1 if unknown, 0 if the operation is not a transfer.
	Size int64
	// Partial names the unfinished file that was kept on the receiving side. A later
	// call with the same source and destination resumes it. A partial that no call can
	// resume is being removed, see [Uploader].
	Partial string
	// Err is the cause.
	Err error
}

// Error returns one line: operation, paths, outcome, how far it came and why.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Local != "" {
		fmt.Fprintf(&b, " %q", e.Local)
	}
	if e.Remote != "" {
		if e.Local != "" {
			b.WriteString(" <->")
		}
		fmt.Fprintf(&b, " %q", e.Remote)
	}
	if e.Outcome == Unknown {
		b.WriteString(": outcome unknown")
	}
	switch {
	case e.Offset > 0:
		fmt.Fprintf(&b, " (%d", e.Offset)
		if e.Size > 0 {
			fmt.Fprintf(&b, " of %d", e.Size)
		}
		b.WriteString(" bytes arrived")
		if e.Partial != "" {
			fmt.Fprintf(&b, ", kept as %q", e.Partial)
		}
		b.WriteString(")")
	case e.Partial != "":
		fmt.Fprintf(&b, " (what arrived is in %q)", e.Partial)
	}
	if e.Err != nil {
		b.WriteString(": " + transport.Printable(e.Err.Error()))
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// MarshalJSON writes the fields by their names in small letters, with the cause as text in
// "error" and its [Kind] in "kind". What is empty is left out, Outcome and Kind never.
func (e *Error) MarshalJSON() ([]byte, error) {
	text := ""
	if e.Err != nil {
		text = transport.Printable(e.Err.Error())
	}
	return json.Marshal(struct {
		Op           string  `json:"op"`
		Local        string  `json:"local,omitzero"`
		Remote       string  `json:"remote,omitzero"`
		Outcome      Outcome `json:"outcome"`
		Kind         Kind    `json:"kind"`
		Error        string  `json:"error,omitzero"`
		Acknowledged bool    `json:"acknowledged,omitzero"`
		Offset       int64   `json:"offset,omitzero"`
		Size         int64   `json:"size,omitzero"`
		Partial      string  `json:"partial,omitzero"`
	}{e.Op, e.Local, e.Remote, e.Outcome, KindOf(e), text, e.Acknowledged, e.Offset, e.Size, e.Partial})
}

// DeliveryError says that a folder does not accept the chosen [Delivery]. See
// [DeliverAtomic].
type DeliveryError = upload.Refusal

// KindOf returns the kind of an error of this package. It also knows the errors of io/fs
// (fs.ErrNotExist, fs.ErrExist, fs.ErrPermission), context, net and crypto/tls, so that
// fakes may return them unchanged. An *fs.PathError is about a local file: [KindLocal]. The
// kind of nil is [KindUnknown].
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) && e.Err != nil {
		err = e.Err // an *fs.PathError around it is one of FS, about no local file
	}
	return transport.KindOf(err)
}

// EndsAll reports whether an error is about the host and not about a file, so that every
// other file would meet it too: a refused login, a wrong identity of the server, no
// connection, or no data connection over FTP. A job should end with such an error. A
// thousand refused logins can lock an account, and waiting a thousand times for a host that
// is down helps nobody.
func EndsAll(err error) bool {
	switch KindOf(err) {
	case transport.KindAuth, transport.KindHostKey, transport.KindCertificate:
		return true
	case transport.KindUnreachable, transport.KindTimeout, transport.KindNoHost, transport.KindNotOffered:
		var te *transport.Error
		if errors.Is(err, transport.ErrNoDataConn) {
			return true
		}
		if errors.As(err, &te) {
			switch te.Op {
			case "connect", "dial", "handshake", "login":
				return true
			}
		}
	}
	return false
}

// The errors that a transfer finds by itself.
var (
	// ErrSourceChanged: the source was truncated, grew or was rewritten while
	// it was being transferred.
	ErrSourceChanged = transfer.ErrSourceChanged
	// ErrMismatch: what arrived is not what was sent.
	ErrMismatch = transfer.ErrMismatch
	// ErrReplaced: an uploaded file was found to be a different one when it was checked
	// again, see [Client].Close.
	ErrReplaced = upload.ErrReplaced
	// ErrClosed: the client has been closed.
	ErrClosed = session.ErrClosed
	// ErrNotRewindable: a transfer failed and could not be tried again, because
	// its source cannot be read twice.
	ErrNotRewindable = transfer.ErrNotRewindable
	// ErrTaken: the server acknowledged the whole file, and then the name under which it
	// was sent was gone: a receiver may have taken it under that name. [Error].Acknowledged
	// is set as well.
	ErrTaken = upload.ErrTaken
)

func outcomeOf(err error) Outcome {
	var spent *retry.Error
	if errors.As(err, &spent) && spent.Last() != nil {
		err = spent.Last() // what an earlier attempt may have done, this one has looked at
	}
	var te *transport.Error
	if errors.As(err, &te) && te.MayHaveActed {
		return Unknown
	}
	return NotDone
}
