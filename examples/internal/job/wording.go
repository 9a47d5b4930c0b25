package job

import (
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// wording is how a command puts what was done. Its texts are lines without an end, and safe to
// print. name is what the job is called in lines.
type wording interface {
	// record is about what went well or was left alone, "" for nothing to be said; failure
	// is about what did not go well.
	record(r *record) string
	failure(name string, r *record) string
	summary(name string, s *summary) string
	// interrupted is the summary of a run that a signal has ended, and how to go on.
	interrupted(name string, s *summary, cut *cli.Cut) string
}

// jobWording is that of mirror and watch.
type jobWording struct{}

func (jobWording) record(r *record) string {
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
	case r.Dir || r.Op == opVerify || r.Op == opSkip || r.Op == opDelete:
	case r.Outcome == planned:
		text += fmt.Sprintf(" (%s)", cli.Bytes(r.Size))
	case r.Unchanged:
		text += fmt.Sprintf(" (%s, unchanged)", cli.Bytes(r.Size))
	default:
		text += fmt.Sprintf(" (%s, %s, checked by %s)", cli.Bytes(r.Size), r.Protocol, r.Verified)
	}
	if r.Reason != "" && (r.Outcome == planned || r.Op == opSkip) {
		text += ": " + r.Reason
	}
	if r.After != "" {
		text += "; " + r.After
	}
	return transport.Printable(text)
}

func (jobWording) failure(name string, r *record) string {
	return name + ": " + transport.Printable(fmt.Sprintf("%s %s: %s", r.Op, r.Path, r.Error))
}

func (jobWording) summary(name string, s *summary) string {
	text := fmt.Sprintf("%s: %d done, %d failed, %d unknown, %d unchanged", name, s.Done, s.Failed, s.Unknown, s.Unchanged)
	if s.DryRun {
		text = fmt.Sprintf("%s: %d planned, %d unchanged", name, s.Done, s.Unchanged)
	}
	return transport.Printable(text + s.rest())
}

func (jobWording) interrupted(name string, s *summary, cut *cli.Cut) string {
	text := fmt.Sprintf("%s: interrupted: %d done%s", name, s.Done, s.undone(cut))
	return transport.Printable(fmt.Sprintf("%s, %d unchanged%s%s", text, s.Unchanged, s.rest(), cli.GoesOn))
}

// undone names what an interruption has cut off, and what failed besides.
func (s *summary) undone(cut *cli.Cut) (text string) {
	if w := cut.Words(); w != "" {
		text += ", " + w
	}
	if n := s.Failed - cut.N; n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	if s.Unknown > 0 {
		text += fmt.Sprintf(", %d unknown", s.Unknown)
	}
	return text
}
