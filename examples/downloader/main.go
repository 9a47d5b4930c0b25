// Downloader fetches files and folders from a server over SFTP, FTPS or FTP.
//
//	downloader [flags] URL... FOLDER
//
// What was cut off goes on, in the next attempt or the next run; nothing appears
// under its name before it is whole. See downloader -h.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

const usage = `Usage: downloader [flags] URL... FOLDER

Fetches files and folders into FOLDER, which is created if it is missing. A URL that
names a folder brings it as FOLDER/name; one that ends in "/" brings its contents.
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

// target is one URL: what to fetch, with the client that several may share.
type target struct {
	client   ftpx.Client
	remote   string
	contents bool // the URL ended in a slash
}

func run(ctx context.Context, args []string, env cli.Env) int {
	var f cli.Flags
	args, code, ok := cli.Parse("downloader", usage, &f, env, args, nil)
	if !ok {
		return code
	}
	if len(args) < 2 {
		return cli.Fail("downloader", env, fmt.Errorf("%w: give at least one URL and the FOLDER; -h tells more", cli.ErrUsage))
	}
	urls, folder := args[:len(args)-1], args[len(args)-1]
	configs, err := configure(&f, env, urls, folder)
	if err != nil {
		return cli.Fail("downloader", env, err)
	}
	clients := map[string]ftpx.Client{}
	defer func() {
		for _, c := range clients {
			c.Close()
		}
	}()
	var targets []target
	for i, cfg := range configs {
		remote := cfg.Base
		cfg.Base = ""
		key := fmt.Sprint(cfg.User, "@", cfg.Host, cfg.Ports, cfg.Protocols)
		if clients[key] == nil {
			c, err := ftpx.New(ctx, cfg)
			if err != nil {
				return cli.Fail("downloader", env, err)
			}
			clients[key] = c
		}
		targets = append(targets, target{client: clients[key], remote: remote, contents: remote == "" || strings.HasSuffix(urls[i], "/")})
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return cli.Fail("downloader", env, fmt.Errorf("%w: FOLDER: %w", cli.ErrUsage, err))
	}
	return download(ctx, f, env, targets, folder)
}

// configure finds what is wrong with the command line before anything is sent.
func configure(f *cli.Flags, env cli.Env, urls []string, folder string) ([]ftpx.Config, error) {
	if info, err := os.Stat(folder); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%w: FOLDER %q is a file", cli.ErrUsage, folder)
	}
	for _, u := range urls {
		if err := cli.CheckURL(u); err != nil {
			return nil, err
		}
		if _, err := ftpx.ParseURL(u, nil); err != nil {
			return nil, fmt.Errorf("%w: %w", cli.ErrUsage, err)
		}
	}
	opts, err := f.Options(env)
	if err != nil {
		return nil, err
	}
	opts.Hooks = cli.Hooks(*f, env)
	configs := make([]ftpx.Config, len(urls))
	for i, u := range urls {
		if configs[i], err = ftpx.ParseURL(u, &opts); err != nil {
			return nil, err
		}
	}
	return configs, nil
}
