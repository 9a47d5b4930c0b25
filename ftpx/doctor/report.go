package doctor

import (
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// Verdict is what a check came to.
type Verdict string

// The verdicts.
const (
	// OK: it was examined and is well.
	OK Verdict = "ok"
	// Note: something to know that does no harm.
	Note Verdict = "note"
	// Warn: it works, and costs time or will fail one day.
	Warn Verdict = "warn"
	// Fail: transfers fail for this.
	Fail Verdict = "fail"
	// Skipped: it could not be examined, because of the check that Finding.Because names.
	Skipped Verdict = "skipped"
)

// Layer is where a cause lies, from the client's side of the line to the server's behaviour.
type Layer string

// The layers, in the order in which they are examined.
const (
	Client     Layer = "client"
	Network    Layer = "network"
	Identity   Layer = "identity"
	Protection Layer = "protection"
	Login      Layer = "login"
	Data       Layer = "data"
	Behaviour  Layer = "behaviour"
)

// ReportVersion is the version of the report's form, docs/doctor-report.schema.json.
const ReportVersion = 1

// Report is what a run has found. It encodes as JSON.
type Report struct {
	// Version is [ReportVersion].
	Version int `json:"version"`
	// Started is when the run began, in UTC.
	Started time.Time `json:"started"`
	// Seconds is how long it took.
	Seconds float64 `json:"seconds"`
	// Targets are what was examined, one for each host and protocol.
	Targets []Target `json:"targets"`
	// Incomplete says why not all was examined, such as an interruption; "" if all was.
	Incomplete string `json:"incomplete,omitempty"`
	// Left are remote paths in the scratch folder that could not be removed.
	Left []string `json:"left,omitempty"`
}

// Target is a host examined by one protocol.
type Target struct {
	// Host is the host's name.
	Host string `json:"host"`
	// Address is what was dialled, host:port.
	Address string `json:"address"`
	// Protocol is "sftp", "ftps", "ftps-implicit" or "ftp".
	Protocol ftpx.Protocol `json:"protocol"`
	// Server is how the server names itself, quoted; "" if it said nothing.
	Server string `json:"server,omitempty"`
	// Software is what that was taken for, "" if unknown.
	Software Software `json:"software,omitempty"`
	// LoggedIn says that the login succeeded.
	LoggedIn bool `json:"logged_in"`
	// Optional says that another protocol of the same host works, so that this one's absence
	// harms nobody: what would be a failure to connect is a note.
	Optional bool `json:"optional,omitempty"`
	// Findings are the results of the checks that apply, in the order of [Checks].
	Findings []Finding `json:"findings"`
}

// Finding is the result of one check.
type Finding struct {
	// Code is the check's stable name.
	Code string `json:"code"`
	// Layer is where the cause lies.
	Layer Layer `json:"layer"`
	// Verdict is what it came to.
	Verdict Verdict `json:"verdict"`
	// Because is the code of the failure for which a check was skipped.
	Because string `json:"because,omitempty"`
	// Evidence is what was seen, a sentence each. What a server said is quoted.
	Evidence []string `json:"evidence,omitempty"`
	// Seconds is how long what was measured took, 0 where time says nothing.
	Seconds float64 `json:"seconds,omitempty"`
	// Remedy is what to do; "" where nothing is to be done.
	Remedy string `json:"remedy,omitempty"`
	// Directive is the setting of the server's software, "" where the software or the
	// setting is not known.
	Directive string `json:"directive,omitempty"`
}

// rank orders verdicts by how much they ask for attention.
func (v Verdict) rank() int {
	switch v {
	case Fail:
		return 3
	case Warn:
		return 2
	case Note:
		return 1
	}
	return 0
}

// First returns the finding to attend to first: the first failure, else the first warning,
// else the first note; nil where all is well. Target is the one it belongs to.
func (r *Report) First() (*Target, *Finding) {
	var target *Target
	var first *Finding
	for i := range r.Targets {
		t := &r.Targets[i]
		for j := range t.Findings {
			f := &t.Findings[j]
			if f.Verdict.rank() > 0 && (first == nil || f.Verdict.rank() > first.Verdict.rank()) {
				target, first = t, f
			}
		}
	}
	return target, first
}

// Worst returns the gravest verdict: Fail, Warn, Note or OK.
func (r *Report) Worst() Verdict {
	if _, f := r.First(); f != nil {
		return f.Verdict
	}
	return OK
}

// Find returns the findings of a code, one of each target where the check applied.
func (r *Report) Find(code string) []Finding {
	var out []Finding
	for _, t := range r.Targets {
		for _, f := range t.Findings {
			if f.Code == code {
				out = append(out, f)
			}
		}
	}
	return out
}
