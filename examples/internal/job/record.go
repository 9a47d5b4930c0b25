package job

import (
	"errors"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/jobreport"
)

// record is what -json prints of one file or folder and a report lists, with what lines for
// people need beside it.
type record struct {
	jobreport.Item

	err  error
	same bool // both sides had it
	up   bool // it is about an upload
}

// The words of records.
const (
	planned   = "planned"
	skipped   = "skipped"
	opUpload  = "upload"
	opFetch   = "download"
	opMkdir   = "mkdir"
	opDelete  = "delete"
	opLink    = "link"
	opChmod   = "chmod"
	opRefuse  = "refuse"
	opSkip    = "skip"
	opVerify  = "verify" // against a manifest, or at the end of the client
	opTarget  = "target"
	opSummary = "summary"
)

// opOf is the word for an action.
func opOf(a folder.Action) string {
	switch a {
	case folder.Mkdir:
		return opMkdir
	case folder.Send:
		return opUpload
	case folder.Fetch:
		return opFetch
	case folder.Delete:
		return opDelete
	case folder.Link:
		return opLink
	case folder.Chmod:
		return opChmod
	case folder.Refuse:
		return opRefuse
	}
	return opSkip
}

// record makes the record of an item.
func (j *Job) record(t *Target, part *Part, i folder.Item, dry bool) record {
	at := i.Path
	if i.Target != "" {
		at = i.Target
	}
	local, remote := i.Path, at
	if !j.Up {
		local, remote = at, i.Path
	}
	r := record{Item: jobreport.Item{Move: moveOf(opOf(i.Action), i.Result, i.Err), Job: j.Name, Target: t.Name, Path: i.Path, Renamed: i.Target, Dir: i.Dir,
		Reason: i.Reason, After: i.After}, err: i.Err, same: i.Finding == folder.Same, up: j.Up}
	r.Local, r.Remote = part.local(local), part.remote(remote)
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

// verified makes the record of a file that was looked at again.
func (l *leg) verified(local, remote, rel string, err error) record {
	r := record{Item: jobreport.Item{Move: moveOf(opVerify, ftpx.Result{}, err), Job: l.Name, Target: l.t.Name, Path: rel}}
	if err == nil {
		r.Outcome, r.Verified = ftpx.Done.String(), ""
	}
	r.Local, r.Remote = local, remote
	return r
}

// moveOf is the part of a record that tells of the transfer.
func moveOf(op string, res ftpx.Result, err error) jobreport.Move {
	m := jobreport.Move{Op: op, Outcome: res.Outcome.String(), Size: res.Size, Kept: res.Kept, Moved: res.Moved, Unchanged: res.Unchanged,
		Attempts: res.Attempts, Resumes: res.Resumes, DurationMS: res.Duration.Milliseconds()}
	if res.Protocol.Valid() {
		m.Protocol = res.Protocol.String()
	}
	if err != nil {
		m.Outcome = outcomeOf(res, err).String()
		m.Error, m.Kind = cli.Words(err), ftpx.KindOf(err).String()
	} else {
		m.Verified = res.Verified.String()
	}
	return m
}

// outcomeOf is what came of a file that failed: what was not even tried is not done.
func outcomeOf(res ftpx.Result, err error) ftpx.Outcome {
	var e *ftpx.Error
	switch {
	case errors.As(err, &e) && (res == ftpx.Result{}):
		return e.Outcome
	case res == ftpx.Result{}:
		return ftpx.NotDone
	}
	return res.Outcome
}

// unknown reports whether an error says that it is not known what came of it.
func unknown(err error) bool {
	var e *ftpx.Error
	return errors.As(err, &e) && e.Outcome == ftpx.Unknown
}
