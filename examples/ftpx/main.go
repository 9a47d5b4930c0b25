// Ftpx moves and looks after files on servers over SFTP, FTPS and FTP.
//
//	ftpx COMMAND [flags] ARGUMENTS
//
// Each command is a struct in a file of its own, and a line of [commands]. See
// ftpx --help and docs/command.md.
package main

import (
	"context"
	"os"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
)

func main() {
	ctx, stop := cli.Interruptible(context.Background())
	env := cli.System()
	done := env.Attended()
	code := run(ctx, os.Args[1:], env)
	done()
	stop()
	os.Exit(code)
}
