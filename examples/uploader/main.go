// Uploader sends files and folders to a server over SFTP, FTPS or FTP.
//
//	uploader [flags] SOURCE... URL
//
// It is ftpx put under a name that scripts may use, with flags that have one dash. See
// uploader -h.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/demo"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
)

const usage = `Usage: uploader [flags] SOURCE... URL

Sends files and folders. A SOURCE "dir" goes up as "dir", "dir/" as its contents.
Links to files are followed, links to folders inside a folder are skipped.
URL is ftpx://user@host/folder to choose among SFTP and FTPS, or sftp://,
ftpes:// (AUTH TLS), ftps:// (implicit TLS), ftp://. Its path is relative to the
login folder unless it starts with "//"; missing folders are created. The password
comes from FTPX_PASSWORD, -password-file or a prompt.

Examples:
  uploader report.csv ftpx://batch@files.example.com/inbox
  uploader -json -parallel 8 -retry-for 2h reports/ sftp://batch@files.example.com//srv/in
  uploader -identity ~/.ssh/id_ed25519 -known-hosts hosts reports sftp://batch@files.example.com
  uploader -ca ca.pem -protocols ftps,ftp -allow-plaintext -ftp-port 2121 a b ftpx://u@host/in
  uploader -demo
`

func main() {
	ctx, stop := cli.Interruptible(context.Background())
	code := run(ctx, os.Args[1:], cli.System())
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, env cli.Env) int {
	f := job.Flags{Program: "uploader"}
	var demonstrate bool
	var seed uint64
	args, code, ok := cli.Parse("uploader", usage, &f.Flags, &env, args, func(fs *flag.FlagSet) {
		fs.BoolVar(&demonstrate, "demo", false, "show it at work on embedded servers behind a line that resets connections")
		f.RegisterPlain(fs, true)
		fs.Uint64Var(&seed, "seed", 1, "with -demo, the `number` that files and resets are drawn from")
	})
	switch {
	case !ok:
		return code
	case demonstrate && len(args) > 0:
		return cli.Fail("uploader", env, fmt.Errorf("%w: -demo takes no SOURCE and no URL", cli.ErrUsage))
	case demonstrate:
		return demo.Run(ctx, env, seed)
	}
	j, err := upload(&f, args)
	if err != nil {
		return cli.Fail("uploader", env, err)
	}
	return job.Run(ctx, &f, env, []*job.Job{j})
}

// upload makes the job of the command line.
func upload(f *job.Flags, args []string) (*job.Job, error) {
	for _, arg := range args {
		if err := cli.CheckArg(arg); err != nil {
			return nil, err
		}
	}
	if len(args) < 2 {
		return nil, fmt.Errorf("%w: give at least one SOURCE and the URL; -h tells more", cli.ErrUsage)
	}
	isURL := func(arg string) bool { return strings.Contains(arg, "://") }
	names, last := args[:len(args)-1], args[len(args)-1]
	i := slices.IndexFunc(names, isURL)
	switch {
	case i >= 0 && !isURL(last):
		return nil, fmt.Errorf("%w: the URL comes last, after all SOURCEs", cli.ErrUsage)
	case i >= 0:
		return nil, fmt.Errorf("%w: SOURCE %q looks like a URL: there is one, and it comes last", cli.ErrUsage, names[i])
	}
	url, err := cli.ParseRemote(last)
	if err != nil {
		return nil, err
	}
	return f.Put(names, url.Folder())
}
