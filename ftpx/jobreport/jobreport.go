// Package jobreport reads what the commands of this module write about a job: the file of
// -report and the lines of -json. Read [Decode] first.
//
// It has its own package, beside package folder, because a program that reads reports moves
// no files: it compiles neither a client nor a driver.
package jobreport

import (
	_ "embed" // the schema
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Version is that of the schema that this package knows.
const Version = 1

//go:embed schema.json
var schema []byte

// Schema returns the JSON schema (draft 2020-12) of a report; "#/$defs/line" in it is that
// of a line of -json. The bytes are the caller's.
func Schema() []byte { return append([]byte(nil), schema...) }

// Report is what -report writes: [Head], then Items, then [Tail].
type Report struct {
	Head
	// Items is what was done or failed, in the order in which it ended.
	Items []Item `json:"items"`
	Tail
}

// Head is the part of a [Report] that is known when the job begins.
type Head struct {
	// Version is that of the schema.
	Version int `json:"version"`
	// Job is the job's name.
	Job string `json:"job"`
	// Source is a local folder or a URL without password, as it was configured.
	Source string `json:"source"`
	// Targets are the names of the targets.
	Targets []string `json:"targets"`
	// Started is when the job began.
	Started time.Time `json:"started"`
	// Host and PID are those of the process that ran it.
	Host string `json:"host"`
	PID  int    `json:"pid"` // see Host
}

// Tail is the part of a [Report] that is known when the job has ended.
type Tail struct {
	// Results has one for each target that was begun.
	Results []Summary `json:"results"`
	// Summary is about the whole job.
	Summary Summary `json:"summary"`
	// Ended is when the job ended.
	Ended time.Time `json:"ended"`
}

// Item is what was done about one file or folder.
type Item struct {
	Move
	// Job and Target are their names.
	Job    string `json:"job"`
	Target string `json:"target"` // see Job
	// Path is relative to the folders, with slashes. It may be a server's word.
	Path string `json:"path"`
	// Renamed is the path at the target where the job gives another name.
	Renamed string `json:"renamed,omitempty"`
	// Dir says that it is a folder.
	Dir bool `json:"dir,omitempty"`
	// Reason says in words why this was decided.
	Reason string `json:"reason,omitempty"`
	// After says in words what was done about the source.
	After string `json:"after,omitempty"`
}

// Move is the part of an [Item] that tells of the transfer.
type Move struct {
	// Op is "upload", "download", "mkdir", "delete", "link", "chmod", "verify", "refuse" or
	// "skip".
	Op string `json:"op"`
	// Local and Remote are the paths.
	Local  string `json:"local"`
	Remote string `json:"remote"` // see Local
	// Outcome is "done", "not done", "unknown", "planned" (in a dry run) or "skipped".
	Outcome string `json:"outcome"`
	// Size is the file's in bytes, -1 if unknown.
	Size int64 `json:"size"`
	// Kept is how many bytes were there already.
	Kept int64 `json:"kept"`
	// Moved is how many bytes were moved, some perhaps twice.
	Moved int64 `json:"moved"`
	// Unchanged says that the very file was there.
	Unchanged bool `json:"unchanged"`
	// Attempts counts the connections that were used.
	Attempts int `json:"attempts"`
	// Resumes counts those that went on in the middle.
	Resumes int `json:"resumes"`
	// Protocol is that of the last connection, "" if there was none.
	Protocol string `json:"protocol,omitempty"`
	// Verified says in words what was checked.
	Verified string `json:"verified,omitempty"`
	// DurationMS is how long it took in milliseconds.
	DurationMS int64 `json:"duration_ms"`
	// Error is why it is not done, "" if it is.
	Error string `json:"error,omitempty"`
	// Kind is the error in the words of ftpx.Kind.
	Kind string `json:"kind,omitempty"`
}

// Summary sums up a target, or the whole job.
type Summary struct {
	Totals
	// Job and Target are their names; that of the whole job has no Target.
	Job    string `json:"job"`
	Target string `json:"target,omitempty"` // see Job
	// DryRun says that nothing was changed: Done counts what is planned.
	DryRun bool `json:"dry_run,omitempty"`
	// Folders counts those that were created.
	Folders int `json:"folders"`
	// Unchanged counts files that both sides had.
	Unchanged int `json:"unchanged"`
	// Left counts what the options left out, and what is neither file nor folder.
	Left int `json:"left"`
	// NotReady counts files that were not whole yet.
	NotReady int `json:"not_ready,omitempty"`
	// Deleted counts files and folders.
	Deleted int `json:"deleted"`
	// Taken counts source files that were moved or deleted after they had been copied.
	Taken int `json:"taken,omitempty"`
	// Verified counts files that are as the manifest says.
	Verified int `json:"verified,omitempty"`
	// TimesLost counts files whose time the server did not keep.
	TimesLost int `json:"times_lost,omitempty"`
}

// Totals is the part of a [Summary] that every command writes.
type Totals struct {
	// Op is "target" or "summary".
	Op string `json:"op"`
	// Files counts what was to be copied, deleted or verified, and folders that failed.
	// Done, Failed and Unknown add up to it.
	Files   int `json:"files"`
	Done    int `json:"done"`    // see Files
	Failed  int `json:"failed"`  // see Files
	Unknown int `json:"unknown"` // see Files
	// Bytes is the size of the files that are done.
	Bytes int64 `json:"bytes"`
	// Moved is how many bytes were moved.
	Moved int64 `json:"moved"`
	// DurationMS is how long all took, in milliseconds.
	DurationMS int64 `json:"duration_ms"`
	// Exit is the exit code.
	Exit int `json:"exit"`
	// Error is what ended the job early, or the first failure of no single file.
	Error string `json:"error,omitempty"`
	// Kind is the error in the words of ftpx.Kind.
	Kind string `json:"kind,omitempty"`
}

// Decode reads a report. One of another version is an error. Unknown fields are ignored,
// since a later minor version of the module may add some.
func Decode(r io.Reader) (*Report, error) {
	rep := &Report{}
	if err := json.NewDecoder(r).Decode(rep); err != nil {
		return nil, fmt.Errorf("jobreport: this is no job report: %w", err)
	}
	if rep.Version != Version {
		return nil, fmt.Errorf("jobreport: the report has version %d, and this program knows %d: use the module's version that wrote it", rep.Version, Version)
	}
	return rep, nil
}
