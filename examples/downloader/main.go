// Downloader fetches files and folders from a server over SFTP, FTPS or FTP.
//
//	downloader [flags] URL... FOLDER
//
// It is ftpx get under a name that scripts may use, with flags that have one dash. See
// downloader -h.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
)

const usage = `Usage: downloader [flags] URL... FOLDER

Fetches files and folders into FOLDER, which is created if it is missing. A URL that
names a folder brings it as FOLDER/name; one that ends in "/" brings its contents.
Links to files are followed, links to folders inside a folder are skipped.
URL is ftpx://user@host/path to choose among SFTP and FTPS, or sftp://, ftpes://
(AUTH TLS), ftps:// (implicit TLS), ftp://. Its path is relative to the login folder
unless it starts with "//". The password comes from FTPX_PASSWORD, -password-file
or a prompt; all URLs share it.

Examples:
  downloader ftpx://batch@files.example.com/out/report.csv .
  downloader -json -parallel 8 sftp://batch@files.example.com/out/ in
  downloader -ca ca.pem ftpes://batch@files.example.com/a ftpes://batch@files.example.com/b in
`

func main() {
	ctx, stop := cli.Interruptible(context.Background())
	code := run(ctx, os.Args[1:], cli.System())
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, env cli.Env) int {
	f := job.Flags{Program: "downloader"}
	args, code, ok := cli.Parse("downloader", usage, &f.Flags, &env, args, func(fs *flag.FlagSet) { f.RegisterPlain(fs, false) })
	if !ok {
		return code
	}
	j, err := download(&f, args)
	if err != nil {
		return cli.Fail("downloader", env, err)
	}
	return job.Run(ctx, &f, env, []*job.Job{j})
}

// download makes the job of the command line.
func download(f *job.Flags, args []string) (*job.Job, error) {
	for _, arg := range args {
		if err := cli.CheckArg(arg); err != nil {
			return nil, err
		}
	}
	if len(args) < 2 {
		return nil, fmt.Errorf("%w: give at least one URL and the FOLDER; -h tells more", cli.ErrUsage)
	}
	folder := args[len(args)-1]
	if strings.Contains(folder, "://") {
		return nil, fmt.Errorf("%w: FOLDER %q looks like a URL: name the local folder last", cli.ErrUsage, folder)
	}
	if info, err := os.Stat(folder); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%w: FOLDER %q is a file", cli.ErrUsage, folder)
	}
	var places []cli.Place
	for _, u := range args[:len(args)-1] {
		p, err := cli.ParseRemote(u)
		if err != nil {
			return nil, err
		}
		places = append(places, p)
	}
	return f.Get(places, folder+string(os.PathSeparator))
}
