package job

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// plainWording is that of uploader and downloader: a line a file, which says what came of it.
type plainWording struct{}

func (plainWording) record(r *record) string {
	name := r.Remote
	if r.Op == opFetch {
		name = r.Local
	}
	note := ""
	switch {
	case r.Op == opSkip:
		return fmt.Sprintf("skipped %q: %s", transport.Printable(r.subject()), transport.Printable(r.Reason))
	case r.Op != opUpload && r.Op != opFetch:
		return "" // folders are told of if they fail
	case r.Unchanged:
		note = ", unchanged"
	case r.Resumes > 0:
		note = fmt.Sprintf(", resumed %s", cli.Count(r.Resumes, "time"))
	}
	return transport.Printable(fmt.Sprintf("%s %s (%s, %s, checked by %s%s)", r.Outcome, name, cli.Bytes(r.Size), r.Protocol, r.Verified, note))
}

func (plainWording) failure(_ string, r *record) string {
	text, name := r.Error, r.subject()
	if !strings.Contains(text, `"`+name+`"`) && !strings.Contains(text, "/"+name+`"`) {
		text = name + ": " + text
	}
	return transport.Printable(r.Outcome + ": " + text)
}

func (plainWording) summary(_ string, s *summary) string {
	return fmt.Sprintf("%s: %d done, %d failed, %d unknown; %s in %v", cli.Count(s.Files, "file"), s.Done, s.Failed, s.Unknown, cli.Bytes(s.Bytes), s.took())
}

func (plainWording) interrupted(_ string, s *summary, cut *cli.Cut) string {
	return transport.Printable(fmt.Sprintf("interrupted after %v: %s done%s%s", s.took(), cli.Count(s.Done, "file"), s.undone(cut), cli.GoesOn))
}

func (s *summary) took() time.Duration { return time.Duration(s.DurationMS) * time.Millisecond }
