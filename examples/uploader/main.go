// Uploader sends files and folders to a server over SFTP, FTPS or FTP.
//
//	uploader [flags] SOURCE... URL
//
// What was cut off goes on, in the next attempt or the next run; nothing appears
// under its name before it is whole. See uploader -h.
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
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

const usage = `Usage: uploader [flags] SOURCE... URL

Sends files and folders. A SOURCE "dir" goes up as "dir", "dir/" as its contents.
Links to files are followed, links to folders inside a folder are passed over.
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
	var f cli.Flags
	defer func() { f.Close() }()
	var demonstrate bool
	var seed uint64
	args, code, ok := cli.Parse("uploader", usage, &f, &env, args, func(fs *flag.FlagSet) {
		fs.BoolVar(&demonstrate, "demo", false, "show it at work on embedded servers behind a line that resets connections")
		f.Sending(fs)
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
	sources, cfg, err := configure(ctx, &f, env, args)
	if err != nil {
		return cli.Fail("uploader", env, err)
	}
	ways, err := f.Ways()
	if err != nil {
		return cli.Fail("uploader", env, err)
	}
	client, err := cli.Connect(ctx, f, env, cfg)
	if err != nil {
		return cli.NoClient("uploader", f, env, err)
	}
	defer client.Close()
	return upload(ctx, client, f, env, sources, ways)
}

// configure finds what is wrong with the command line before anything is sent.
func configure(ctx context.Context, f *cli.Flags, env cli.Env, args []string) ([]source, ftpx.Config, error) {
	fail := func(err error) ([]source, ftpx.Config, error) { return nil, ftpx.Config{}, err }
	for _, arg := range args {
		if err := cli.CheckArg(arg); err != nil {
			return fail(err)
		}
	}
	if len(args) < 2 {
		return fail(fmt.Errorf("%w: give at least one SOURCE and the URL; -h tells more", cli.ErrUsage))
	}
	names, rawURL := args[:len(args)-1], args[len(args)-1]
	if isURL := func(arg string) bool { return strings.Contains(arg, "://") }; !isURL(rawURL) && slices.ContainsFunc(names, isURL) {
		return fail(fmt.Errorf("%w: the URL comes last, after all SOURCEs", cli.ErrUsage))
	}
	if _, err := cli.ParseURL(rawURL, nil); err != nil {
		return fail(err)
	}
	sources, err := findSources(names)
	if err != nil {
		return fail(cli.Missing("", err))
	}
	opts, err := f.Options(ctx, env)
	if err != nil {
		return fail(err)
	}
	cfg, err := cli.ParseURL(rawURL, &opts)
	return sources, cfg, err
}
