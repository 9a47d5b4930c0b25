package folder

// SourceAction says what happens to a source file that has been copied.
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

// After says what to do when a file has been copied. It is done only if the client
// reported [ftpx.Done] and has at least checked the size. A step that concerns the source
// is done only if the source is still the file that was sent: its size, its time and, if it
// is local, its identity are checked right before. Each step can be repeated. If a run is
// killed between the transfer and the last step, the next run completes the steps: it
// proves that the file was copied, or knows it from the ledger, and does not send it again.
type After struct {
	// Source says what becomes of the source; the zero value keeps it.
	Source SourceAction
	// Archive is the folder for SourceMove, on the source's side. A relative path is
	// within the source folder, and is not copied. It may contain fields of [Template],
	// except in its first element. An existing file is never replaced: the name of the new
	// file gets its time and a number. A local archive must be on the same file system.
	Archive string
	// MarkTarget creates an empty file next to the copied file, after it, for a receiver
	// that waits for a marker. It is a suffix such as ".done", or a pattern, see
	// [Template].
	MarkTarget string
	// MarkSource creates an empty file next to the source, with the source's time. A
	// source whose marker has the same time counts as copied, and is not examined again.
	MarkSource string
}
