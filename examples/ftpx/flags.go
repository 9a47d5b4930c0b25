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
	Include   []string `sep:"none" placeholder:"PATTERN" group:"what" help:"What is moved: *.csv is about names, in/**/*.csv about paths, sub/ about folders; may be repeated."`
	Exclude   []string `sep:"none" placeholder:"PATTERN" group:"what" help:"What is left out; wins over --include."`
	MinSize   string   `placeholder:"BYTES" group:"what" help:"Leave out smaller files: 10k, 1M."`
	MaxSize   string   `placeholder:"BYTES" group:"what" help:"Leave out larger files."`
	NewerThan string   `placeholder:"AGE" group:"what" help:"Leave out older files: 36h, 7d."`
	OlderThan string   `placeholder:"AGE" group:"what" help:"Leave out younger files, which may still be being written."`
	Links     string   `placeholder:"POLICY" group:"what" help:"Symbolic links: skip, files (follow those to files), follow or keep (make links)."`
	KeepModes bool     `group:"what" help:"Give files and folders the permission bits of the source's."`
	Compare   string   `placeholder:"HOW" group:"what" help:"How files that both sides have are told apart: time (and size), size, proof (by content), always (copy)."`

	DryRun      bool   `short:"n" group:"way" help:"Print what would be done, and change nothing."`
	Delivery    string `placeholder:"WAY" group:"way" help:"How a file gets to its name: atomic (under another, checked, renamed), direct (under its own), drop (its own, and nothing asked)."`
	PartialName string `placeholder:"TEMPLATE" group:"way" help:"That other name, as {name}.filepart or tmp/{name} (hidden)."`
	Verify      string `placeholder:"HOW" group:"way" help:"How much is checked: auto, size or full."`
	Files       string `placeholder:"N" group:"way" help:"Most files under way at once (128 small ones, 4 large ones)."`

	Json   bool   `group:"show" help:"One JSON record a file, and a summary, on standard output."`
	Report string `placeholder:"FILE" group:"show" help:"JSON report of the run, in one piece when it ends."`
}
