package main

import "github.com/seed01fc2e40/go-ftpx/examples/internal/cli"

type catCmd struct {
	connection
	Place []string `arg:"" help:"Remote files or patterns."`
}

// Help shows examples.
func (*catCmd) Help() string {
	return `Each byte is written once and in order, whatever happens on the way.

Examples:

    ftpx cat backup:out/report.csv | head
    ftpx cat 'backup:out/*.csv' > all.csv`
}

// Run writes the files to standard output.
func (c *catCmd) Run(w *world) error {
	return w.each(c.Place, func(s *session, _ cli.Place, at string) error {
		if w.env.StdoutTerminal { // where the file is to be seen, and nothing else
			s.display.Close()
		}
		_, err := s.Get(w.ctx, at, w.env.Stdout, nil)
		return err
	})
}
