package job

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// The words of the one command for a record and a summary.

// subject is the name that a line begins with: of what is sent the local one, of what is
// fetched the remote one.
func (r *Record) subject() string {
	name := r.Remote
	if r.Op == "upload" || r.Op == "" || r.Op == cli.OpVerify && r.Remote == "" {
		name = r.Local
	}
	name = cmp.Or(name, r.Path)
	if r.Dir {
		name += "/"
	}
	return name
}

// long is the record in a line, its name first.
func (r *Record) long() string {
	to := r.Remote
	if r.Op == "download" {
		to = r.Local
	}
	text := r.subject()
	switch {
	case r.Op == "skip":
		if reason, ok := strings.CutPrefix(r.Reason, "the same "); ok {
			return transport.Printable(text + ": unchanged: same " + reason)
		}
		return transport.Printable(text + ": skipped: " + r.Reason)
	case r.Op == "mkdir" && r.Outcome == planned:
		text += ": would be created"
	case r.Op == "mkdir":
		text += ": created"
	case (r.Op == "link" || r.Op == "chmod") && r.Outcome == planned:
		text += ": would get its " + map[string]string{"link": "link", "chmod": "mode"}[r.Op]
	case r.Op == "link" || r.Op == "chmod":
		text += ": " + map[string]string{"link": "linked", "chmod": "mode set"}[r.Op]
	case r.Op == "delete" && r.Outcome == planned:
		text += ": would be deleted"
	case r.Op == "delete":
		text += ": deleted"
	case r.Op == cli.OpVerify:
		text += ": as the manifest says"
	case r.Outcome == planned:
		return transport.Printable(fmt.Sprintf("%s -> %s: would be copied (%s): %s", text, to, cli.Bytes(r.Size), r.Reason))
	default:
		how := []string{cli.Bytes(r.Size), r.Protocol}
		switch {
		case r.Unchanged:
			how = append(how, "was there already")
		case r.Resumes > 0 || r.Kept > 0:
			how = append(how, "resumed")
		}
		if r.Verified != "" {
			how = append(how, "checked by "+r.Verified)
		}
		text += " -> " + to + " (" + strings.Join(how, ", ") + ")"
	}
	if r.After != "" {
		text += "; " + r.After
	}
	return transport.Printable(text)
}

// longInterrupted is the summary of a run that a signal has ended.
func (s *Summary) longInterrupted(cut *cli.Cut, piped bool) string {
	parts := []string{files(s.Done-s.Deleted-s.Verified) + " copied"}
	if w := cut.Words(); w != "" {
		parts = append(parts, w)
	}
	if n := s.Failed - cut.N; n > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", n))
	}
	if s.Unknown > 0 {
		parts = append(parts, fmt.Sprintf("%d unknown", s.Unknown))
	}
	goesOn := cli.GoesOn
	if piped {
		goesOn = ": nothing is kept of it, since a pipe cannot be read again"
	}
	return transport.Printable("interrupted: " + strings.Join(parts, ", ") + goesOn)
}

// long is the summary in a line.
func (s *Summary) long() string {
	what := "copied"
	if s.DryRun {
		what = "to be copied"
	}
	copied := s.Done - s.Deleted - s.Verified
	parts := []string{fmt.Sprintf("%s %s", files(copied), what)}
	for _, c := range []struct {
		n    int
		text string
	}{{s.Failed, "failed"}, {s.Unknown, "unknown"}, {s.Unchanged, "unchanged"}} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.text))
		}
	}
	text := strings.Join(parts, ", ") + s.rest()
	took := time.Duration(s.DurationMS) * time.Millisecond
	if s.Moved > 0 {
		text += fmt.Sprintf("; %s in %v", cli.Bytes(s.Moved), took.Round(10*time.Millisecond))
		if took > 100*time.Millisecond {
			text += fmt.Sprintf(", %s/s", cli.Bytes(int64(float64(s.Moved)/took.Seconds())))
		}
	}
	return transport.Printable(text)
}

func files(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}
