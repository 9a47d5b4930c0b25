package folder

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Action is what was done about an entry, or would be in a dry run. Zero is Skip: nothing.
type Action uint8

// The actions.
const (
	// Skip: nothing; Reason says why.
	Skip Action = iota
	// Mkdir: a folder is created.
	Mkdir
	// Send: a file is uploaded.
	Send
	// Fetch: a file is downloaded.
	Fetch
	// Delete: a file or an empty folder is deleted from the target folder.
	Delete
	// Link: a link is created, as Options.Links says.
	Link
	// Chmod: an existing file or folder gets the permission bits of the source.
	Chmod
	// Refuse: the entry cannot be copied; Err says why, and what would help.
	Refuse
)

// String returns "skip", "mkdir", "send", "fetch", "delete", "link", "chmod" or "refuse".
func (a Action) String() string {
	switch a {
	case Mkdir:
		return "mkdir"
	case Send:
		return "send"
	case Fetch:
		return "fetch"
	case Delete:
		return "delete"
	case Link:
		return "link"
	case Chmod:
		return "chmod"
	case Refuse:
		return "refuse"
	}
	return "skip"
}

// MarshalText makes an Action readable in JSON and logs.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what String writes.
func (a *Action) UnmarshalText(text []byte) error {
	for known := Skip; known <= Refuse; known++ {
		if string(text) == known.String() {
			*a = known
			return nil
		}
	}
	return fmt.Errorf("%q is no action: skip, mkdir, send, fetch, delete, link, chmod or refuse", text)
}

// Item tells about one entry of the folders.
type Item struct {
	// Action is what was done, or tried if Err is not nil.
	Action Action
	// Path is relative to the folders, with slashes; "." is the folder itself. It may
	// come from a server and hold any bytes; String makes it safe to print.
	Path string
	// Dir says that it is a folder.
	Dir bool
	// Size is the size of a file in bytes, as it was listed, -1 if unknown.
	Size int64
	// Reason says in words why this action was chosen; for programs there is Finding.
	Reason string
	// Finding is how the entry compares with its counterpart.
	Finding Finding
	// Outcome is [ftpx.Done] if Action was carried out, also for created folders and
	// deleted entries. It is [ftpx.NotDone] if the entry was skipped, has failed, or is
	// only planned in a dry run. For [ftpx.Unknown] see Doubtful.
	Outcome ftpx.Outcome
	// NotReady says that the file was left for the next run, because of [Options].Ready.
	NotReady bool
	// Target is the path on the other side, if Options.Name changes it.
	Target string
	// After says in words what was done with the source, or would be in a dry run.
	After string
	// Err is why the item failed; it unwraps to the client's [*ftpx.Error].
	Err error
	// Result is the client's result of a Send or Fetch that was carried out.
	Result ftpx.Result
}

// String returns one line: "send \"a/b\" (12 bytes): it is not there".
func (i Item) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %q", i.Action, transport.Printable(i.Path))
	if !i.Dir && i.Size >= 0 {
		fmt.Fprintf(&b, " (%d bytes)", i.Size)
	}
	if i.Reason != "" {
		b.WriteString(": " + transport.Printable(i.Reason))
	}
	if i.Err != nil {
		b.WriteString(": failed: " + transport.Printable(i.Err.Error()))
	}
	return b.String()
}

// MarshalJSON writes the fields by their names in small letters. Err is its text in
// "error", with its kind in "kind"; both are left out where it is nil. So are the fields
// that are empty, and Result where nothing was transferred.
func (i Item) MarshalJSON() ([]byte, error) {
	text, kind := "", ""
	if i.Err != nil {
		text, kind = transport.Printable(i.Err.Error()), ftpx.KindOf(i.Err).String()
	}
	out := struct {
		Action   Action       `json:"action"`
		Path     string       `json:"path"`
		Dir      bool         `json:"dir,omitzero"`
		Size     int64        `json:"size"`
		Outcome  ftpx.Outcome `json:"outcome"`
		Finding  Finding      `json:"finding,omitzero"`
		Reason   string       `json:"reason,omitzero"`
		NotReady bool         `json:"not_ready,omitzero"`
		Target   string       `json:"target,omitzero"`
		After    string       `json:"after,omitzero"`
		Kind     string       `json:"kind,omitzero"`
		Error    string       `json:"error,omitzero"`
		Result   *ftpx.Result `json:"result,omitzero"`
	}{i.Action, i.Path, i.Dir, i.Size, i.Outcome, i.Finding, i.Reason, i.NotReady, i.Target, i.After, kind, text, nil}
	if i.Result != (ftpx.Result{}) {
		out.Result = &i.Result
	}
	return json.Marshal(out)
}

// Report sums up what was done, or would be in a dry run.
type Report struct {
	// Folders counts those created.
	Folders int `json:"folders"`
	// Copied counts the files that were sent or fetched, those that proved
	// unchanged included.
	Copied int `json:"copied"`
	// Unchanged counts files that were left alone because both sides have them.
	Unchanged int `json:"unchanged"`
	// Left counts what was left out: by the options, as a link, as an unfinished
	// transfer, or as neither file nor folder.
	Left int `json:"left"`
	// NotReady counts the files that were not whole yet, as Options.Ready has it.
	NotReady int `json:"not_ready"`
	// Taken counts the source files that were moved or deleted after they had been
	// copied.
	Taken int `json:"taken"`
	// Dead counts those that were moved to Options.DeadLetter; each has failed too.
	Dead int `json:"dead"`
	// Extra counts what only the folder that is copied to has, as far as it was
	// looked at: a folder is looked into if Delete is set.
	Extra int `json:"extra"`
	// Deleted counts the files and folders that were deleted.
	Deleted int `json:"deleted"`
	// Failed counts the items with an error.
	Failed int `json:"failed"`
	// Bytes is the payload that was moved, what had to be moved again included; in
	// a dry run, the sizes of the files.
	Bytes int64 `json:"bytes"`
	// TimesLost counts uploaded files whose modification time the server did not
	// keep: without a ledger the next run copies them again.
	TimesLost int `json:"times_lost"`
	// Links counts those that were made, as Options.Links has it.
	Links int `json:"links"`
	// Modes counts files and folders that were there already and got other permission bits;
	// ModesLost those whose bits were not known, or not taken, with Options.KeepModes.
	Modes     int `json:"modes"`
	ModesLost int `json:"modes_lost"` // see Modes
	// NoTimes counts files for which the server told no exact time, so that the
	// ledger decided, or nothing did and they were copied.
	NoTimes int `json:"no_times"`
}

// The errors of this package.
var (
	// ErrIncomplete: some items failed; OnItem was told which.
	ErrIncomplete = errors.New("not everything could be copied")
	// ErrTypeConflict: a folder is where a file should go, a file where a folder
	// should, or a link.
	ErrTypeConflict = errors.New("something of another kind is in the way")
	// ErrName: the name cannot be used at the other side, or would lead elsewhere.
	ErrName = errors.New("the name cannot be used")
	// ErrLinkOutside: a link leads out of the folder that is copied, or may.
	ErrLinkOutside = errors.New("the link leads out of the folder that is copied, or may: it is not made")
	// ErrUnknownType: a server names something and does not tell whether it is a file or a
	// folder, neither in its listing nor when it is asked.
	ErrUnknownType = errors.New("the server does not tell whether it is a file or a folder: exclude it, or copy it by its name")
	// ErrIncompleteListing: what the listing of a source on a server did not name is there. What
	// else it left out is not known.
	ErrIncompleteListing = errors.New("the source has it, although its listing did not name it, so that it was not copied and the listing is not to be trusted")
	// ErrSourceIncomplete: part of the folder that is copied could not be read, and so
	// nothing was deleted.
	ErrSourceIncomplete = errors.New("not deleted, because part of the source could not be read")
)

// DeleteError says that nothing was deleted because too much would have been.
type DeleteError struct {
	// Would is how many entries would have been deleted, Of how many are there.
	Would, Of int
	// Max is the share that Options.MaxDelete allows.
	Max float64
}

// Error names the numbers and the remedy.
func (e *DeleteError) Error() string {
	return fmt.Sprintf("nothing was deleted: %d of the %d entries there would go, more than %.0f %%: look whether the source is whole, then raise Options.MaxDelete",
		e.Would, e.Of, e.Max*100)
}
