package main

import (
	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
)

// flags are the flags of the command line in the form that all commands share.
func (w *world) flags() (*cli.Flags, error) {
	f, err := w.jobFlags(false)
	return &f.Flags, err
}

// jobFlags are those with what is moved, and how.
func (w *world) jobFlags(watch bool) (*job.Flags, error) {
	f := &job.Flags{Program: w.name}
	set := f.Setter(watch)
	for _, g := range w.given() {
		if err := set(g.name, g.value); err != nil {
			return f, err
		}
	}
	return f, nil
}

// moving is embedded in the commands that move files.
type moving struct {
	Include   []string `sep:"none" placeholder:"PATTERN" group:"what" help:"Files to transfer: *.csv matches names, in/**/*.csv paths, sub/ folders; may be repeated."`
	Exclude   []string `sep:"none" placeholder:"PATTERN" group:"what" help:"Files to skip; wins over --include."`
	MinSize   string   `placeholder:"BYTES" group:"what" help:"Skip smaller files: 10k, 1M."`
	MaxSize   string   `placeholder:"BYTES" group:"what" help:"Skip larger files."`
	NewerThan string   `placeholder:"AGE" group:"what" help:"Skip older files: 36h, 7d."`
	OlderThan string   `placeholder:"AGE" group:"what" help:"Skip newer files, which may still be incomplete."`
	Links     string   `placeholder:"POLICY" group:"what" help:"Symbolic links: skip, files (follow those to files), follow or keep (make links)."`
	KeepModes bool     `group:"what" help:"Give files and folders the permission bits of the source's."`
	Compare   string   `placeholder:"HOW" group:"what" help:"How to decide whether files are equal: time (and size), size, proof (by content), always (copy)."`

	DryRun      bool   `short:"n" group:"way" help:"Print what would be done, and change nothing."`
	Delivery    string `placeholder:"WAY" group:"way" help:"How to deliver: atomic (temporary name, check, rename), direct (final name), drop (final name, no checks)."`
	PartialName string `placeholder:"TEMPLATE" group:"way" help:"Temporary name, as {name}.filepart or tmp/{name} (hidden)."`
	Verify      string `placeholder:"HOW" group:"way" help:"How much is checked: auto, size or full."`
	Files       string `placeholder:"N" group:"way" help:"Maximum number of files in flight (128 small ones, 4 large ones)."`

	Json   bool   `group:"show" help:"One JSON record a file, and a summary, on standard output."`
	Report string `placeholder:"FILE" group:"show" help:"JSON report of the run, in one piece when it ends."`
}
