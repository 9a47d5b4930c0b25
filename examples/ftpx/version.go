package main

import (
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
)

type versionCmd struct{}

// Run prints the version.
func (*versionCmd) Run(w *world) error {
	_, err := fmt.Fprintln(w.env.Stdout, "ftpx", cli.Version())
	return err
}
