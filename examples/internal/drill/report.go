package drill

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// ReportVersion is the version of the report's form.
const ReportVersion = 1

// Report is what came of a drill. It encodes as JSON.
type Report struct {
	Version   int       `json:"version"`     // ReportVersion
	Started   time.Time `json:"started"`     // in UTC
	Where     string    `json:"where"`       // "embedded servers", or the first host
	RTO       float64   `json:"rto_seconds"` // what was allowed
	RPO       int64     `json:"rpo_bytes"`   // what was allowed
	Passed    bool      `json:"passed"`      // whether every scenario kept to it
	Scenarios []Result  `json:"scenarios"`   // in the order in which they ran
}

// Result is what came of one scenario.
type Result struct {
	Name   string `json:"name"`
	What   string `json:"what"`
	Passed bool   `json:"passed"`
	Why    string `json:"why,omitempty"` // it did not pass

	RTO     float64 `json:"rto_seconds"`  // the longest time without an acknowledged byte from the fault on
	Next    float64 `json:"next_seconds"` // from the fault to the next acknowledged byte
	Missing int64   `json:"rpo_bytes"`    // acknowledged, and on no host afterwards
	Wrong   int     `json:"wrong_files"`  // under their names with other content

	Files       int     `json:"files"`
	Arrived     int     `json:"arrived"`
	Seconds     float64 `json:"seconds"`
	Failed      int     `json:"failed"` // calls that returned an error; the file was sent again
	LastFailure string  `json:"last_failure,omitempty"`
	Retries     int64   `json:"retries"`   // within calls
	Failovers   int64   `json:"failovers"` // to another host
	Resets      int     `json:"resets"`    // connections that the drill reset
	Refused     int     `json:"refused"`   // connections that it refused as too many

	Events []Event  `json:"events"`
	Acks   []Ack    `json:"acks"`
	Left   []string `json:"left,omitempty"` // folders that could not be removed
	Error  string   `json:"error,omitempty"`
}

// Event is something that the drill did, Ack a file that arrived; At is in seconds from the
// start.
type (
	Event struct {
		At   float64 `json:"at"`
		What string  `json:"what"`
	}
	Ack struct {
		At    float64 `json:"at"`
		Bytes int64   `json:"bytes"`
	}
)

// mostSaid is how many bytes of an error are shown: it may quote what a server says.
const mostSaid = 400

// said is an error as text that is safe to show.
func said(err error) string {
	text := transport.Printable(err.Error())
	if len(text) <= mostSaid {
		return text
	}
	return strings.ToValidUTF8(text[:mostSaid], "") + "..."
}

// judge fills in what the times say.
func (r *Result) judge(from *rehearsal) {
	r.Arrived = len(from.acked)
	struck := from.struck.Seconds()
	last := struck
	r.Next = -1
	for _, a := range r.Acks {
		r.Seconds = max(r.Seconds, a.At)
		if a.At < struck {
			continue
		}
		if r.Next < 0 {
			r.Next = a.At - struck
		}
		r.RTO = max(r.RTO, a.At-last)
		last = a.At
	}
	switch opt := from.opt; {
	case r.Error != "":
		r.Why = r.Error
	case r.Arrived < r.Files:
		r.Why = fmt.Sprintf("%d of %d files arrived within %v: %s", r.Arrived, r.Files, opt.Limit, r.LastFailure)
	case r.Wrong > 0:
		r.Why = fmt.Sprintf("%d files are there with other content", r.Wrong)
	case r.Missing > opt.RPO:
		r.Why = fmt.Sprintf("%d acknowledged bytes are missing, %d were allowed", r.Missing, opt.RPO)
	case r.RTO > opt.RTO.Seconds():
		r.Why = fmt.Sprintf("nothing arrived for %.1f s, %v were allowed", r.RTO, opt.RTO)
	case from.trusted > 0:
		r.Why = fmt.Sprintf("%d logins at a server whose certificate had expired", from.trusted)
	default:
		r.Passed = true
	}
}

func (r *Report) passed() bool {
	for _, s := range r.Scenarios {
		if !s.Passed {
			return false
		}
	}
	return len(r.Scenarios) > 0
}

// WriteText writes a line for each scenario.
func (r *Report) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "drill on %s, allowed: RTO %g s, RPO %d bytes\n\n%-13s %-7s %8s %8s %9s %6s %6s %8s %6s %8s\n", r.Where, r.RTO, r.RPO,
		"scenario", "verdict", "RTO", "next", "missing", "wrong", "files", "retries", "failed", "faults")
	for _, s := range r.Scenarios {
		verdict := "passed"
		if !s.Passed {
			verdict = "FAILED"
		}
		if _, perr := fmt.Fprintf(w, "%-13s %-7s %6.1f s %6.1f s %9d %6d %6d %8d %6d %8d\n", s.Name, verdict, s.RTO, max(s.Next, 0), s.Missing, s.Wrong, s.Arrived, s.Retries, s.Failed, s.Resets+s.Refused); perr != nil {
			err = perr
		}
		if s.Why != "" {
			fmt.Fprintf(w, "              %s\n", s.Why)
		}
		for _, left := range s.Left {
			fmt.Fprintf(w, "              left: %s could not be removed\n", left)
		}
	}
	return err
}
