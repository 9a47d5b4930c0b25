package job

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// subject is the name that a line begins with: of what is done at the target its name there,
// else that at the source.
func (r *record) subject() string {
	source, target := r.Remote, r.Local
	if r.up {
		source, target = target, source
	}
	name := source
	switch r.Op {
	case opMkdir, opDelete, opLink, opChmod:
		name = target
	case opVerify:
		name = cmp.Or(r.Remote, r.Local)
	}
	name = cmp.Or(name, r.Path)
	if r.Dir {
		name += "/"
	}
	return name
}

// longWording is that of the one command: the file's name comes first.
type longWording struct{ env cli.Env }

func (w longWording) record(r *record) string {
	to := r.Remote
	if r.Op == opFetch {
		to = r.Local
	}
	text := r.subject()
	switch {
	case r.Op == opSkip && r.same:
		return transport.Printable(text + ": unchanged: " + r.Reason)
	case r.Op == opSkip:
		return transport.Printable(text + ": skipped: " + r.Reason)
	case r.Op == opMkdir && r.Outcome == planned:
		text += ": would be created"
	case r.Op == opMkdir:
		text += ": created"
	case r.Op == opLink && r.Outcome == planned:
		text += ": would get its link"
	case r.Op == opLink:
		text += ": linked"
	case r.Op == opChmod && r.Outcome == planned:
		text += ": would get its mode"
	case r.Op == opChmod:
		text += ": mode set"
	case r.Op == opDelete && r.Outcome == planned:
		text += ": would be deleted"
	case r.Op == opDelete:
		text += ": deleted"
	case r.Op == opVerify:
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

func (w longWording) failure(_ string, r *record) string {
	if r.err == nil {
		return transport.Printable(r.subject() + ": " + r.Error)
	}
	return cli.Line(w.env, r.subject(), r.err)
}

func (longWording) interrupted(_ string, s *summary, cut *cli.Cut) string {
	goesOn := cli.GoesOn
	if cut.Piped {
		goesOn = ": nothing is kept of it, since a pipe cannot be read again"
	}
	return transport.Printable(fmt.Sprintf("interrupted: %s copied%s%s", cli.Count(s.copied(), "file"), s.undone(cut), goesOn))
}

func (longWording) summary(_ string, s *summary) string {
	what := "copied"
	if s.DryRun {
		what = "to be copied"
	}
	parts := []string{fmt.Sprintf("%s %s", cli.Count(s.copied(), "file"), what)}
	for _, c := range []struct {
		n    int
		text string
	}{{s.Failed, "failed"}, {s.Unknown, "unknown"}, {s.Unchanged, "unchanged"}} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.text))
		}
	}
	text := strings.Join(parts, ", ") + s.rest()
	took := s.took()
	if s.Moved > 0 {
		text += fmt.Sprintf("; %s in %v", cli.Bytes(s.Moved), took.Round(10*time.Millisecond))
		if took > 100*time.Millisecond {
			text += fmt.Sprintf(", %s/s", cli.Bytes(int64(float64(s.Moved)/took.Seconds())))
		}
	}
	return transport.Printable(text)
}
