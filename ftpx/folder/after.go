package folder

// SourceAction says what becomes of a source file that has been copied.
type SourceAction uint8

// What becomes of the source.
const (
	// SourceKeep leaves it where it is.
	SourceKeep SourceAction = iota
	// SourceMove moves it to After.Archive, beneath the same sub-folders.
	SourceMove
	// SourceDelete deletes it.
	SourceDelete
)

// String returns "keep", "move" or "delete".
func (a SourceAction) String() string {
	switch a {
	case SourceMove:
		return "move"
	case SourceDelete:
		return "delete"
	}
	return "keep"
}

// MarshalText makes a SourceAction readable in JSON and logs.
func (a SourceAction) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// After says what is done when a file has been copied. It is done only when the client
// has said [ftpx.Done] and has checked the size at least, and what concerns the source
// only if that is still the file that was sent: its size, time and, where it is local,
// identity are looked at right before. Each step can be repeated: a run that was killed
// between the transfer and the last step is completed by the next, which proves that
// the file is there, or knows it from the ledger, and does not send it again.
type After struct {
	// Source says what becomes of the source; the zero value keeps it.
	Source SourceAction
	// Archive is the folder for SourceMove, on the source's side. A relative one lies
	// within the folder that is copied, and is left out of it. It may hold fields of
	// [Template], but for its first element. A file that is there already is never
	// replaced: the new one's name gets its time and a number. Locally it must be on
	// the same file system.
	Archive string
	// MarkTarget writes an empty file beside what was copied, after it, for a
	// receiver that waits for it: a suffix such as ".done", or a pattern, see
	// [Template].
	MarkTarget string
	// MarkSource writes an empty file beside the source, with the source's time. A
	// source whose marker has its time is taken as copied and is not looked at again.
	MarkSource string
}
