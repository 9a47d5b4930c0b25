// Mirror makes a folder hold what another one holds: a local one and one on a server,
// in either direction.
//
//	mirror [flags] SOURCE DEST
//	mirror -config FILE [JOB...]
//
// It is made to be run again: existing equal files are skipped, and interrupted transfers
// are resumed. See mirror -h and docs/jobs.md.
package main

import (
	"context"
	"flag"
	"os"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
)

const usage = `Usage: mirror [flags] SOURCE DEST
       mirror -config FILE [flags] [JOB...]

Makes DEST hold what SOURCE holds. One of them is a local folder and the other a URL,
which decides the direction; folders are created. Nothing is deleted without -delete.
Run it again after any failure: existing equal files are skipped, and interrupted
transfers are resumed. A lock prevents a second run of the same job. Without a
terminal, -v or -json it prints only failures.

URL is ftpx://user@host/folder to choose among SFTP and FTPS, or sftp://, ftpes://
(AUTH TLS), ftps:// (implicit TLS), ftp://. Its path is relative to the login folder
unless it starts with "//". The password comes from FTPX_PASSWORD, -password-file or a
prompt. With -config, jobs come from a TOML file, see docs/jobs.md, and so do their
flags, but for -check, -dry-run, -lock-dir, -metrics, -json, -quiet
and -v.

Examples:
  mirror /srv/reports sftp://batch@files.example.com/reports
  mirror -dry-run -delete /srv/www sftp://batch@files.example.com//var/www
  mirror -delete -max-delete 10% -exclude '*.tmp' -exclude cache/ /srv/www ftpes://u@host/www
  mirror -ledger sent.db -once -include '*.csv' -older-than 1m out ftpx://batch@host/inbox
  mirror -manifest -report last.json ftpx://batch@host/out /var/spool/in
  mirror -after-source move -after-archive 'sent/{date:2006-01-02}' out sftp://batch@host/in
  mirror -config /etc/ftpx/jobs.toml -check
  mirror -config /etc/ftpx/jobs.toml nightly weekly
`

func main() {
	ctx, stop := cli.Interruptible(context.Background())
	code := run(ctx, os.Args[1:], cli.System())
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, env cli.Env) int {
	f := job.Flags{Program: "mirror"}
	args, code, ok := cli.ParseJob("mirror", usage, &f.Flags, &env, args, func(fs *flag.FlagSet) { f.Register(fs) })
	if !ok {
		return code
	}
	jobs, err := f.Jobs(args)
	if err != nil {
		return job.Fail("mirror", env, err)
	}
	if f.Check {
		job.Show(env, jobs)
		return cli.ExitDone
	}
	return job.Run(ctx, &f, env, jobs)
}
