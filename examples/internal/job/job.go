package job

import (
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/watch"
	"github.com/seed01fc2e40/go-ftpx/retry"
)

// Job is one job, checked: what [Load] and [FromFlags] make.
type Job struct {
	// Name is its name, for the lock, the ledger, records and messages.
	Name string
	// Up says that it uploads.
	Up bool
	// Source is where it copies from, as it was written.
	Source string
	// Targets are where it copies to, one after the other.
	Targets []Target
	// Options are how it copies, but for what belongs to a run.
	Options folder.Options
	// Watch is how it watches, but for Folder.
	Watch watch.Options
	// Manifest writes a manifest and sends it last, or checks the one that came along.
	Manifest bool
	// Ledger, Report and Lock are files; the first two may be "".
	Ledger, Report, Lock string

	set     settings // what was set, to be shown
	sources []string // of a job of the command line that has several
}

// source is where it copies from, for a report.
func (j *Job) source() string {
	if j.Source == "" {
		return strings.Join(j.sources, " ")
	}
	return j.Source
}

// Target is one place that a job copies to, with what it needs to reach the server.
type Target struct {
	// Name is the target as it was written.
	Name string
	// URL is that of the remote folder, Local the local one.
	URL, Local string

	place          cli.Place // of URL
	standbys       []Target  // of its server, with settings of their own
	parts          Plan      // nil for the two folders
	flags          cli.Flags
	retry          retry.Policy
	passwordEnv    string // "" for FTPX_PASSWORD
	passphraseEnv  string // "" for FTPX_PASSPHRASE
	passphraseFile string
}

// build makes folder options of settings, and complains about those that do not go
// together.
func (s *settings) build(up bool, bad func(key, text string)) folder.Options {
	o := folder.Options{
		Include: s.Include, Exclude: s.Exclude,
		MinSize: value(s.MinSize).v, MaxSize: value(s.MaxSize).v,
		NewerThan: duration(s.NewerThan), OlderThan: duration(s.OlderThan),
		Links: value(s.Links).v, KeepModes: value(s.KeepModes), FoldCase: value(s.FoldCase),
		Compare: value(s.Compare).v, Tolerance: duration(s.Tolerance),
		Delete: value(s.Delete), MaxDelete: value(s.MaxDelete).v, PartialAge: duration(s.PartialAge),
		StopOnError: value(s.StopOnError), Once: value(s.Once), ResendUnknown: value(s.ResendUnknown),
		Name: folder.Template(value(s.Rename)), FirstName: folder.Template(value(s.FirstName)), DeadLetter: value(s.DeadLetter),
		Delivery: value(s.Delivery).v, PartialName: value(s.PartialName),
	}
	if r := s.Ready; r != nil {
		o.Ready = folder.Ready{Stable: duration(r.Stable), Marker: value(r.Marker), Lock: value(r.Lock)}
	}
	if a := s.After; a != nil {
		o.After = folder.After{Source: value(a.Source).v, Archive: value(a.Archive), MarkTarget: value(a.MarkTarget), MarkSource: value(a.MarkSource)}
	}
	s.check(up, o, bad)
	return o
}

// watching makes watch options of settings.
func (s *settings) watching() watch.Options {
	w := value(s.Watch)
	return watch.Options{Flat: value(w.Flat), Interval: duration(w.Interval), MaxInterval: duration(w.MaxInterval),
		Attempts: value(w.Attempts), RetryAfter: duration(w.RetryAfter), Drain: duration(w.Drain)}
}
