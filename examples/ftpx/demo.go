package main

import "github.com/seed01fc2e40/go-ftpx/examples/internal/demo"

type demoCmd struct {
	Seed uint64 `default:"1" placeholder:"NUMBER" help:"What files and resets are drawn from."`
}

// Help says what is shown.
func (*demoCmd) Help() string {
	return `A folder goes up over SFTP, FTPS and FTP to servers that are part of the command,
through a line on which every eighth mebibyte meets a reset. It needs no set-up and
takes a few seconds.`
}

// Run shows it.
func (c *demoCmd) Run(w *world) error { return ended(demo.Run(w.ctx, w.env, c.Seed)) }
