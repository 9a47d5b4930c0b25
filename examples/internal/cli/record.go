package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Record is what -json prints of one file.
type Record struct {
	Op         string `json:"op"`
	Local      string `json:"local"`
	Remote     string `json:"remote"`
	Outcome    string `json:"outcome"`
	Size       int64  `json:"size"`
	Kept       int64  `json:"kept"`
	Moved      int64  `json:"moved"`
	Attempts   int    `json:"attempts"`
	Resumes    int    `json:"resumes"`
	Protocol   string `json:"protocol,omitempty"`
	Verified   string `json:"verified,omitempty"`
	DurationMS int64  `json:"duration_ms"`
	Error      string `json:"error,omitempty"`
	Kind       string `json:"kind,omitempty"`
}

// Summary is the last record of -json.
type Summary struct {
	Op         string `json:"op"` // "summary"
	Files      int    `json:"files"`
	Done       int    `json:"done"`
	Failed     int    `json:"failed"`
	Unknown    int    `json:"unknown"`
	Bytes      int64  `json:"bytes"`
	Moved      int64  `json:"moved"`
	DurationMS int64  `json:"duration_ms"`
	Exit       int    `json:"exit"`
}

// NewRecord makes the record of a transfer.
func NewRecord(op, local, remote string, res ftpx.Result, err error) Record {
	r := Record{Op: op, Local: local, Remote: remote, Outcome: res.Outcome.String(), Size: res.Size, Kept: res.Kept, Moved: res.Moved,
		Attempts: res.Attempts, Resumes: res.Resumes, DurationMS: res.Duration.Milliseconds()}
	if res.Protocol.Valid() {
		r.Protocol = res.Protocol.String()
	}
	if err != nil {
		r.Error, r.Kind = transport.Printable(err.Error()), ftpx.KindOf(err).String()
	} else {
		r.Verified = res.Verified.String()
	}
	return r
}

// printer shows records as lines or as JSON and keeps the summary.
type printer struct {
	flags Flags
	env   Env

	mu    sync.Mutex // guards what follows
	sum   Summary
	begin time.Time
	lines io.Writer // where plain lines go: above the bars, if there are any
}

func newPrinter(f Flags, env Env) *printer {
	return &printer{flags: f, env: env, begin: time.Now(), lines: env.Stdout, sum: Summary{Op: "summary"}}
}

func (p *printer) record(r Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sum.Files++
	p.sum.Moved += r.Moved
	switch r.Outcome {
	case ftpx.Done.String():
		p.sum.Done++
		p.sum.Bytes += r.Size
	case ftpx.Unknown.String():
		p.sum.Unknown++
	default:
		p.sum.Failed++
	}
	if p.flags.JSON {
		p.json(r)
	}
	switch {
	case r.Error != "":
		fmt.Fprintf(p.env.Stderr, "%s: %s\n", r.Outcome, r.Error)
	case !p.flags.JSON && !p.flags.Quiet:
		name := r.Remote
		if r.Op == "download" {
			name = r.Local
		}
		note := ""
		if r.Moved == 0 && r.Size > 0 {
			note = ", unchanged"
		} else if r.Resumes > 0 {
			note = fmt.Sprintf(", resumed %d times", r.Resumes)
		}
		fmt.Fprintf(p.lines, "%s %s (%s, %s, checked by %s%s)\n", r.Outcome, transport.Printable(name), Bytes(r.Size), r.Protocol, r.Verified, note)
	}
}

func (p *printer) json(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		fmt.Fprintln(p.env.Stderr, err)
		return
	}
	_, _ = p.env.Stdout.Write(append(b, '\n'))
}

func (p *printer) summary(exit int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sum.DurationMS, p.sum.Exit = time.Since(p.begin).Milliseconds(), exit
	switch {
	case p.flags.JSON:
		p.json(p.sum)
	case !p.flags.Quiet || exit != 0:
		fmt.Fprintf(p.env.Stderr, "%d files: %d done, %d failed, %d unknown; %s in %v\n", p.sum.Files, p.sum.Done, p.sum.Failed, p.sum.Unknown,
			Bytes(p.sum.Bytes), time.Since(p.begin).Round(time.Millisecond))
	}
}

// Bytes writes a number of bytes in binary units.
func Bytes(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	v, units := float64(n)/(1<<10), "KMGTP"
	for v >= 1<<10 && len(units) > 1 {
		v /= 1 << 10
		units = units[1:]
	}
	return fmt.Sprintf("%.1f %ciB", v, units[0])
}
