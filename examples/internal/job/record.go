package job

import (
	"errors"
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Record is what -json prints of one file or folder, and what a report lists. Its Op
// is "upload", "download", "mkdir", "delete", "verify" (against a manifest), "refuse"
// or "skip"; its Outcome is also "planned" in a dry run, and "skipped".
type Record struct {
	cli.Record
	// Job and Target are their names.
	Job    string `json:"job"`
	Target string `json:"target"`
	// Path is relative to the folders, with slashes.
	Path string `json:"path"`
	// Renamed is the path at the target where the job gives another name.
	Renamed string `json:"renamed,omitempty"`
	// Dir says that it is a folder.
	Dir bool `json:"dir,omitempty"`
	// Reason says in words why this was decided, After what was done about the source.
	Reason string `json:"reason,omitempty"`
	After  string `json:"after,omitempty"`

	err error
}

// Summary is the record of a target, whose Op is "target", or of the whole run, whose
// Op is "summary". Files and what counts them are files that were to be copied,
// deleted or verified, and folders that failed.
type Summary struct {
	cli.Summary
	// Job and Target are their names; a summary of the whole run has no Target.
	Job    string `json:"job"`
	Target string `json:"target,omitempty"`
	// DryRun says that nothing was changed: Done then counts what is planned.
	DryRun bool `json:"dry_run,omitempty"`
	// Folders were created.
	Folders int `json:"folders"`
	// Unchanged files were left alone because both sides have them.
	Unchanged int `json:"unchanged"`
	// Left was left out by the options, or is neither a file nor a folder.
	Left int `json:"left"`
	// NotReady files were not whole yet.
	NotReady int `json:"not_ready,omitempty"`
	// Deleted counts files and folders.
	Deleted int `json:"deleted"`
	// Taken source files were moved or deleted after they had been copied.
	Taken int `json:"taken,omitempty"`
	// Verified files are as the manifest says.
	Verified int `json:"verified,omitempty"`
	// TimesLost files have times that the server did not keep.
	TimesLost int `json:"times_lost,omitempty"`
}

// the words of records.
const (
	planned   = "planned"
	skipped   = "skipped"
	opTarget  = "target"
	opSummary = "summary"
)

// record makes the record of an item.
func (j *Job) record(t *Target, part *Part, i folder.Item, dry bool) Record {
	op := map[folder.Action]string{folder.Skip: "skip", folder.Mkdir: "mkdir", folder.Send: "upload", folder.Fetch: "download",
		folder.Delete: "delete", folder.Link: "link", folder.Chmod: "chmod", folder.Refuse: "refuse"}[i.Action]
	at := i.Path
	if i.Target != "" {
		at = i.Target
	}
	local, remote := i.Path, at
	if !j.Up {
		local, remote = at, i.Path
	}
	r := Record{Record: cli.NewRecord(op, part.local(local), part.remote(remote), i.Result, i.Err),
		Job: j.Name, Target: t.Name, Path: i.Path, Renamed: i.Target, Dir: i.Dir, Reason: i.Reason, After: i.After, err: i.Err}
	if i.Result.Attempts == 0 {
		r.Verified = "" // nothing was moved
		r.Size = i.Size
		if i.Dir {
			r.Size = 0
		}
	}
	switch {
	case i.Err != nil:
		if unknown(i.Err) {
			r.Outcome = ftpx.Unknown.String()
		}
	case i.Action == folder.Skip:
		r.Outcome = skipped
	case dry:
		r.Outcome = planned
	default:
		r.Outcome = ftpx.Done.String()
	}
	return r
}

// unknown reports whether an error says that it is not known what came of it.
func unknown(err error) bool {
	var e *ftpx.Error
	return errors.As(err, &e) && e.Outcome == ftpx.Unknown
}

// line is the record in plain words.
func (r *Record) line() string {
	name := r.Path
	if r.Dir {
		name += "/"
	}
	if r.Renamed != "" {
		name += " as " + r.Renamed
	}
	text := fmt.Sprintf("%s %s", r.Op, name)
	if r.Outcome == planned {
		text = "would " + text
	}
	switch {
	case r.Dir || r.Op == cli.OpVerify || r.Op == "skip" || r.Op == "delete":
	case r.Outcome == planned:
		text += fmt.Sprintf(" (%s)", cli.Bytes(r.Size))
	case r.Unchanged:
		text += fmt.Sprintf(" (%s, unchanged)", cli.Bytes(r.Size))
	default:
		text += fmt.Sprintf(" (%s, %s, checked by %s)", cli.Bytes(r.Size), r.Protocol, r.Verified)
	}
	if r.Reason != "" && (r.Outcome == planned || r.Op == "skip") {
		text += ": " + r.Reason
	}
	if r.After != "" {
		text += "; " + r.After
	}
	return transport.Printable(text)
}

// count adds a record to a summary.
func (s *Summary) count(r *Record) {
	s.Moved += r.Moved
	failed := r.Error != ""
	switch {
	case r.Op == "skip":
		return
	case r.Op == "mkdir" && !failed:
		s.Folders++
		return
	}
	s.Files++
	switch {
	case r.Outcome == ftpx.Unknown.String():
		s.Unknown++
		return
	case failed:
		s.Failed++
		return
	}
	s.Done++
	switch r.Op {
	case "upload", "download":
		s.Bytes += max(r.Size, 0)
	case "delete":
		s.Deleted++
	case cli.OpVerify:
		s.Verified++
	}
}

// take adds what a run of package folder counts beside its items.
func (s *Summary) take(rep folder.Report) {
	s.Unchanged += rep.Unchanged
	s.Left += rep.Left
	s.NotReady += rep.NotReady
	s.Taken += rep.Taken
	s.TimesLost += rep.TimesLost
}

// add adds up what targets did.
func (s *Summary) add(t *Summary) {
	s.Files += t.Files
	s.Done += t.Done
	s.Failed += t.Failed
	s.Unknown += t.Unknown
	s.Bytes += t.Bytes
	s.Moved += t.Moved
	s.Folders += t.Folders
	s.Unchanged += t.Unchanged
	s.Left += t.Left
	s.NotReady += t.NotReady
	s.Deleted += t.Deleted
	s.Taken += t.Taken
	s.Verified += t.Verified
	s.TimesLost += t.TimesLost
}

// blame notes what ended it.
func (s *Summary) blame(env cli.Env, err error) {
	if env.Long {
		s.Error, s.Kind = cli.Line(env, "", err), ftpx.KindOf(err).String()
		return
	}
	s.Error, s.Kind = cli.Words(err), ftpx.KindOf(err).String()
}

// line is the summary in plain words, with the job's name.
func (s *Summary) line(name string) string {
	text := fmt.Sprintf("%s: %d done, %d failed, %d unknown, %d unchanged", name, s.Done, s.Failed, s.Unknown, s.Unchanged)
	if s.DryRun {
		text = fmt.Sprintf("%s: %d planned, %d unchanged", name, s.Done, s.Unchanged)
	}
	return transport.Printable(text + s.rest())
}

// interrupted is the summary of a run that a signal has ended, and how to go on.
func (s *Summary) interrupted(name string, cut *cli.Cut) string {
	text := fmt.Sprintf("%s: interrupted: %d done", name, s.Done)
	if w := cut.Words(); w != "" {
		text += ", " + w
	}
	if n := s.Failed - cut.N; n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	if s.Unknown > 0 {
		text += fmt.Sprintf(", %d unknown", s.Unknown)
	}
	return transport.Printable(fmt.Sprintf("%s, %d unchanged%s%s", text, s.Unchanged, s.rest(), cli.GoesOn))
}

// rest are the counts of a summary that are named if there are any.
func (s *Summary) rest() (text string) {
	for _, c := range []struct {
		n         int
		one, many string
	}{
		{s.Folders, "folder made", "folders made"}, {s.Deleted, "deleted", "deleted"}, {s.Verified, "verified", "verified"},
		{s.NotReady, "not ready", "not ready"}, {s.Taken, "moved or deleted at the source", "moved or deleted at the source"}, {s.Left, "skipped", "skipped"},
		{s.TimesLost, "whose time the server does not keep", "whose times the server does not keep"},
	} {
		switch {
		case c.n == 1:
			text += ", 1 " + c.one
		case c.n > 1:
			text += fmt.Sprintf(", %d %s", c.n, c.many)
		}
	}
	return text
}
