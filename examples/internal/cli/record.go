package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Record is what -json prints of one file. Folders have one only if they failed.
type Record struct {
	// Op is "upload", "download", "mkdir" for a folder that failed, or "verify" for a
	// file that was found, at the end, not to be what was sent; of jobs, see
	// job.Record.
	Op string `json:"op"`
	// Local and Remote are the file's paths, the remote one below that of the URL; of
	// a "verify" at the end Local is "" and Remote the whole path. Bytes that are not
	// UTF-8 are replaced in JSON.
	Local  string `json:"local"`
	Remote string `json:"remote"`
	// Outcome is "done", "not done" or "unknown".
	Outcome string `json:"outcome"`
	// Size is the file's size in bytes, -1 if unknown, 0 if it was never seen.
	Size int64 `json:"size"`
	// Kept counts bytes that were there already, Moved those that were moved, some
	// perhaps twice.
	Kept  int64 `json:"kept"`
	Moved int64 `json:"moved"`
	// Unchanged says that the very file was there.
	Unchanged bool `json:"unchanged"`
	// Attempts counts connections used, Resumes those that went on in the middle.
	Attempts int `json:"attempts"`
	Resumes  int `json:"resumes"`
	// Protocol is that of the last connection, "" if there was none.
	Protocol string `json:"protocol,omitempty"`
	// Verified says what was checked, in words.
	Verified string `json:"verified,omitempty"`
	// DurationMS is how long it took in milliseconds, waiting included.
	DurationMS int64 `json:"duration_ms"`
	// Error is why it is not done, Kind that in a few words out of a fixed set.
	Error string `json:"error,omitempty"`
	Kind  string `json:"kind,omitempty"`
}

// OpVerify is the operation of a file that was looked at again.
const OpVerify = "verify"

// Failures takes apart what a client's Close returns: an error for each file.
func Failures(err error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// RemoteOf is the remote path that an error is about, "" for none.
func RemoteOf(err error) string {
	var e *ftpx.Error
	if errors.As(err, &e) {
		return e.Remote
	}
	return ""
}

// Summary is the last record of -json.
type Summary struct {
	// Op is "summary".
	Op string `json:"op"`
	// Files counts records, and the others those of each outcome.
	Files   int `json:"files"`
	Done    int `json:"done"`
	Failed  int `json:"failed"`
	Unknown int `json:"unknown"`
	// Bytes is the size of the files that are done, Moved what was moved for all.
	Bytes int64 `json:"bytes"`
	Moved int64 `json:"moved"`
	// DurationMS is how long all took, in milliseconds.
	DurationMS int64 `json:"duration_ms"`
	// Exit is the exit code.
	Exit int `json:"exit"`
	// Error is what ended the run before all was tried, Kind that in a few words out
	// of a fixed set.
	Error string `json:"error,omitempty"`
	Kind  string `json:"kind,omitempty"`
}

func (s *Summary) blame(err error) {
	s.Error, s.Kind = Words(err), ftpx.KindOf(err).String()
}

// NewRecord makes the record of a transfer.
func NewRecord(op, local, remote string, res ftpx.Result, err error) Record {
	r := Record{Op: op, Local: local, Remote: remote, Outcome: res.Outcome.String(), Size: res.Size, Kept: res.Kept, Moved: res.Moved,
		Unchanged: res.Unchanged, Attempts: res.Attempts, Resumes: res.Resumes, DurationMS: res.Duration.Milliseconds()}
	if res.Protocol.Valid() {
		r.Protocol = res.Protocol.String()
	}
	if err != nil {
		r.Outcome = outcomeOf(res, err).String()
		r.Error, r.Kind = Words(err), ftpx.KindOf(err).String()
	} else {
		r.Verified = res.Verified.String()
	}
	return r
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

// line is the record in plain words.
func (r Record) line() string {
	name := r.Remote
	if r.Op == "download" {
		name = r.Local
	}
	note := ""
	switch {
	case r.Unchanged:
		note = ", unchanged"
	case r.Resumes > 0:
		note = ", resumed " + count(r.Resumes, "time")
	}
	return fmt.Sprintf("%s %s (%s, %s, checked by %s%s)", r.Outcome, name, Bytes(r.Size), r.Protocol, r.Verified, note)
}

// printer shows records as lines or as JSON and keeps the summary.
type printer struct {
	flags Flags
	env   Env
	begin time.Time

	mu  sync.Mutex // guards what follows
	sum Summary
	cut Cut
}

func newPrinter(f Flags, env Env) *printer {
	return &printer{flags: f, env: env, begin: time.Now(), sum: Summary{Op: "summary"}}
}

// record shows and counts one. cut is how far a file had come that an interruption has
// cut off, nil for any other: the summary tells of it.
func (p *printer) record(r Record, cut *ftpx.ProgressInfo) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if cut != nil {
		p.cut.Add(*cut)
	}
	p.sum.Files++
	p.sum.Moved += r.Moved
	switch r.Outcome {
	case ftpx.Done.String():
		p.sum.Done++
		p.sum.Bytes += max(r.Size, 0)
	case ftpx.Unknown.String():
		p.sum.Unknown++
	default:
		p.sum.Failed++
	}
	if p.flags.JSON {
		p.json(r)
	}
	switch {
	case cut != nil && !p.flags.Verbose:
	case r.Error != "":
		fmt.Fprintf(p.env.Stderr, "%s: %s\n", r.Outcome, r.Error)
	case !p.flags.JSON && !p.flags.Quiet:
		fmt.Fprintln(p.env.Stdout, transport.Printable(r.line()))
	}
}

// allDone reports whether no file has failed.
func (p *printer) allDone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sum.Done == p.sum.Files
}

func (p *printer) json(v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		fmt.Fprintln(p.env.Stderr, err)
		return
	}
	fmt.Fprint(p.env.Stdout, EscapeControl(b.String()))
}

// EscapeControl escapes in JSON what encoding/json does not: DEL, the control
// characters of Latin-1 and those that turn the writing round, all of which a name
// may hold and a terminal may obey.
func EscapeControl(s string) string {
	if strings.IndexFunc(s, controls) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if controls(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func controls(r rune) bool {
	return r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// summary ends the run; cause is what ended it early, if anything of the server's did.
func (p *printer) summary(exit int, cause error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ended := ""
	if cause != nil && exit != ExitInterrupted {
		p.sum.blame(cause)
		ended = "; no more was tried, since all would meet the same: " + hint(cause)
	}
	p.sum.DurationMS, p.sum.Exit = time.Since(p.begin).Milliseconds(), exit
	switch {
	case p.flags.JSON:
		p.json(p.sum)
	case exit == ExitInterrupted:
		fmt.Fprintln(p.env.Stderr, ClearLine(p.env)+p.interrupted())
	case !p.flags.Quiet || exit != ExitDone:
		fmt.Fprintf(p.env.Stderr, "%s: %d done, %d failed, %d unknown; %s in %v%s\n", count(p.sum.Files, "file"), p.sum.Done, p.sum.Failed, p.sum.Unknown,
			Bytes(p.sum.Bytes), time.Since(p.begin).Round(time.Millisecond), ended)
	}
}

// interrupted says in a line what is done, what is kept and how to go on.
func (p *printer) interrupted() string {
	text := fmt.Sprintf("interrupted after %v: %s done", time.Since(p.begin).Round(time.Millisecond), count(p.sum.Done, "file"))
	if w := p.cut.Words(); w != "" {
		text += ", " + w
	}
	if n := p.sum.Failed - p.cut.N; n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	if p.sum.Unknown > 0 {
		text += fmt.Sprintf(", %d unknown", p.sum.Unknown)
	}
	return text + GoesOn
}

// ClearLine is what goes before a line on a terminal where a bar, or the "^C" that it
// shows, may stand.
func ClearLine(env Env) string {
	if env.Terminal {
		return "\r\x1b[K"
	}
	return ""
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Bytes writes a number of bytes in binary units; a negative one is unknown.
func Bytes(n int64) string {
	switch {
	case n < 0:
		return "size unknown"
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	}
	v, units := float64(n)/(1<<10), "KMGTPE"
	for v >= 1<<10 && len(units) > 1 {
		v /= 1 << 10
		units = units[1:]
	}
	return fmt.Sprintf("%.1f %ciB", v, units[0])
}
