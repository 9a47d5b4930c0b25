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

// Outcome tells how an operation ended. Zero is [Unknown]: what nobody has looked at is
// neither done nor not done.
type Outcome uint8

// The outcomes.
const (
	// Unknown: it may or may not have taken effect, and no look at the server
	// could tell.
	Unknown Outcome = iota
	// NotDone: the operation has not taken effect under the name it was meant
	// for. A partial may have been kept.
	NotDone
	// Done: it has taken effect, and that was checked.
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
// It unwraps to every cause: errors.Is(err, fs.ErrNotExist), errors.Is(err,
// context.Canceled), errors.As with *textproto.Error, *transport.Error or
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
	// Acknowledged says, of an upload whose outcome is [Unknown], that the server has
	// said to have all of the file, and that the name that it was given is gone: whoever
	// takes files from that folder may have it. To send it again may deliver it twice.
	Acknowledged bool
	// Offset is how many bytes of a transfer are known to have arrived: acknowledged over
	// SFTP, looked at over FTP, where nothing is known of what the last attempt sent.
	Offset int64
	// Size is the size of the file, -1 if unknown, 0 for what is no transfer.
	Size int64
	// Partial names what was kept of an unfinished transfer, on the receiving
	// side; a later call with the same source and destination resumes it. What no call
	// can resume is being removed, see [Uploader].
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

// DeliveryError says that a folder does not take a file in the way it was delivered. See
// [DeliverAtomic].
type DeliveryError = upload.Refusal

// KindOf names what went wrong, of any error of this package, and of those of io/fs
// (fs.ErrNotExist, fs.ErrExist, fs.ErrPermission), context, net and crypto/tls, which fakes
// may return as they are. An *fs.PathError is one of a local file: [KindLocal]. It is
// [KindUnknown] for nil.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) && e.Err != nil {
		err = e.Err // an *fs.PathError around it is one of FS, about no local file
	}
	return transport.KindOf(err)
}

// EndsAll reports whether an error is the host's and not a file's, so that every other
// file would meet it too: a refused login, an identity that is not the known one, no
// connection, and over FTP no data connection. Jobs end with it: an account must not be
// locked by a thousand refused logins, and a host that is gone must not be waited for a
// thousand times.
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
	// ErrReplaced: a file that had been uploaded was found to be another one when it
	// was looked at again, see [Client].Close.
	ErrReplaced = upload.ErrReplaced
	// ErrClosed: the client has been closed.
	ErrClosed = session.ErrClosed
	// ErrNotRewindable: a transfer failed and could not be tried again, because
	// its source cannot be read twice.
	ErrNotRewindable = transfer.ErrNotRewindable
	// ErrTaken: the server acknowledged all of a file, and the name under which it was
	// sent is gone: a receiver may have taken it, by that name. [Error].Acknowledged is
	// set with it.
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
