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
	"path"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

const usage = `Usage: downloader [flags] URL... FOLDER

Fetches files and folders into FOLDER, which is created if it is missing. A URL that
names a folder brings it as FOLDER/name; one that ends in "/" brings its contents.
Links to files are followed, links to folders inside a folder are passed over.
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
	contents bool // the URL ended in a slash, or names the login folder
}

func run(ctx context.Context, args []string, env cli.Env) int {
	var f cli.Flags
	defer func() { f.Close() }()
	args, code, ok := cli.Parse("downloader", usage, &f, &env, args, nil)
	if !ok {
		return code
	}
	configs, folder, err := configure(ctx, &f, env, args)
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
		t := target{remote: path.Clean(cfg.Base)}
		// path.Base is "/" for the root, and path.Clean leaves ".." alone at the
		// beginning only, where it names no folder that could be called so here.
		base := path.Base(t.remote)
		t.contents = strings.HasSuffix(args[i], "/") || base == "." || base == ".." || base == "/"
		cfg.Base = ""
		key := fmt.Sprint(cfg.User, "@", cfg.Host, cfg.Ports, cfg.Protocols)
		if clients[key] == nil {
			c, err := cli.Connect(ctx, f, env, cfg)
			if err != nil {
				return cli.NoClient("downloader", f, env, err)
			}
			clients[key] = c
		}
		t.client = clients[key]
		targets = append(targets, t)
	}
	to, err := openPlace(folder)
	if err != nil {
		return cli.Fail("downloader", env, fmt.Errorf("%w: FOLDER: %w", cli.ErrUsage, err))
	}
	defer to.close()
	return download(ctx, f, env, targets, to)
}

// configure finds what is wrong with the command line before anything is sent.
func configure(ctx context.Context, f *cli.Flags, env cli.Env, args []string) (configs []ftpx.Config, folder string, err error) {
	for _, arg := range args {
		if err := cli.CheckArg(arg); err != nil {
			return nil, "", err
		}
	}
	if len(args) < 2 {
		return nil, "", fmt.Errorf("%w: give at least one URL and the FOLDER; -h tells more", cli.ErrUsage)
	}
	urls, folder := args[:len(args)-1], args[len(args)-1]
	if strings.Contains(folder, "://") {
		return nil, "", fmt.Errorf("%w: FOLDER %q looks like a URL: name the local folder last", cli.ErrUsage, folder)
	}
	if info, err := os.Stat(folder); err == nil && !info.IsDir() {
		return nil, "", fmt.Errorf("%w: FOLDER %q is a file", cli.ErrUsage, folder)
	}
	for _, u := range urls {
		cfg, err := cli.ParseURL(u, nil)
		if err == nil && cfg.Base != "" {
			if err = transport.CheckPath(cfg.Base); err != nil {
				err = fmt.Errorf("%w: %w", cli.ErrUsage, err)
			}
		}
		if err != nil {
			return nil, "", err
		}
	}
	opts, err := f.Options(ctx, env)
	if err != nil {
		return nil, "", err
	}
	for _, u := range urls {
		cfg, err := cli.ParseURL(u, &opts)
		if err != nil {
			return nil, "", err
		}
		configs = append(configs, cfg)
	}
	return configs, folder, nil
}
