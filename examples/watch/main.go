// Watch sends what appears in a local folder to a server, or fetches what appears in a
// folder there, until it is told to stop.
//
//	watch [flags] SOURCE DEST
//	watch -config FILE [JOB...]
//
// See watch -h and docs/jobs.md.
package main

import (
	"context"
	"flag"
	"os"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
)

const usage = `Usage: watch [flags] SOURCE DEST
       watch -config FILE [flags] [JOB...]

Copies what appears in SOURCE to DEST until it gets SIGINT or SIGTERM; then transfers
in flight may end, and the exit code is 0. One of them is a local folder and the other
a URL, which decides the direction. A file is taken when it is whole: when it has not
changed for 2 s, unless -ready-stable, -ready-marker or -ready-lock say otherwise. What
cannot be copied is tried again; what has been copied may be moved or deleted. With
-ledger nothing is copied twice, whatever happens to the process. A lock prevents a
second run of the same job. Without a terminal, -v or -json it prints only failures.

URL is ftpx://user@host/folder to choose among SFTP and FTPS, or sftp://, ftpes://
(AUTH TLS), ftps:// (implicit TLS), ftp://. Its path is relative to the login folder
unless it starts with "//". The password comes from FTPX_PASSWORD, -password-file or a
prompt. With -config, jobs come from a TOML file, see docs/jobs.md; they run beside each
other, and if one cannot begin, all end.

Examples:
  watch /var/spool/out sftp://batch@files.example.com/in
  watch -ledger sent.db -include '*.csv' -after-source delete out ftpx://batch@host/in
  watch -ready-marker .done -after-source move -after-archive 'sent/{date:2006-01-02}' out sftp://batch@host/in
  watch -interval 30s -max-interval 10m -after-source delete ftpes://batch@host/out /var/spool/in
  watch -dead-letter failed -attempts 3 -json out sftp://batch@host/in
  watch -config /etc/ftpx/watches.toml
`

func main() {
	ctx, stop := cli.Interruptible(context.Background())
	code := run(ctx, os.Args[1:], cli.System())
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, env cli.Env) int {
	f := job.Flags{Program: "watch"}
	args, code, ok := cli.ParseJob("watch", usage, &f.Flags, &env, args, func(fs *flag.FlagSet) { f.RegisterWatch(fs) })
	if !ok {
		return code
	}
	jobs, err := f.Jobs(args)
	if err != nil {
		return job.Fail("watch", env, err)
	}
	if f.Check {
		job.Show(env, jobs)
		return cli.ExitDone
	}
	return job.Watch(ctx, &f, env, jobs)
}
