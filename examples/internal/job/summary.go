package job

import (
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/jobreport"
)

// summary sums up a target, or a whole run.
type summary struct{ jobreport.Summary }

func newSummary(op, job, target string, dry bool) summary {
	return summary{jobreport.Summary{Totals: jobreport.Totals{Op: op}, Job: job, Target: target, DryRun: dry}}
}

// count adds a record.
func (s *summary) count(r *record) {
	s.Moved += r.Moved
	failed := r.Error != ""
	switch {
	case r.Op == opSkip:
		return
	case r.Op == opMkdir && !failed:
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
	case opUpload, opFetch:
		s.Bytes += max(r.Size, 0)
	case opDelete:
		s.Deleted++
	case opVerify:
		s.Verified++
	}
}

// take adds what a run of package folder counts beside its items.
func (s *summary) take(rep folder.Report) {
	s.Unchanged += rep.Unchanged
	s.Left += rep.Left
	s.NotReady += rep.NotReady
	s.Taken += rep.Taken
	s.TimesLost += rep.TimesLost
}

// add adds up what targets did.
func (s *summary) add(t *jobreport.Summary) {
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
func (s *summary) blame(env cli.Env, err error) {
	if env.Long {
		s.Error, s.Kind = cli.Line(env, "", err), ftpx.KindOf(err).String()
		return
	}
	s.Error, s.Kind = cli.Words(err), ftpx.KindOf(err).String()
}

// copied is how many files were copied.
func (s *summary) copied() int { return s.Done - s.Deleted - s.Verified }

// rest are the counts that are named if there are any.
func (s *summary) rest() (text string) {
	will := ""
	if s.DryRun {
		will = "to be "
	}
	for _, c := range []struct {
		n         int
		one, many string
	}{
		{s.Folders, "folder " + will + "made", "folders " + will + "made"}, {s.Deleted, will + "deleted", will + "deleted"}, {s.Verified, "verified", "verified"},
		{s.NotReady, "not ready", "not ready"}, {s.Taken, will + "moved or deleted at the source", will + "moved or deleted at the source"}, {s.Left, "skipped", "skipped"},
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
