package main

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
	return c.each(w, c.Place, func(s *session, at string) error {
		_, err := s.Get(w.ctx, at, w.env.Stdout, nil)
		return err
	})
}
