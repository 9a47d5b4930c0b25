package main

import (
	"context"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// reach is how to connect to a place, for a command that does so by itself. end closes what
// the server is reached through; it is never nil.
func (w *world) reach(ctx context.Context, env cli.Env, p place) (cfg ftpx.Config, end func(), err error) {
	end = func() {}
	f, err := w.flags()
	if err != nil {
		return cfg, end, err
	}
	url := p.url
	if url == "" {
		url = "sftp://" + p.alias
	}
	opts, err := f.Options(ctx, env)
	if err != nil {
		return cfg, end, err
	}
	if cfg, err = cli.ParseURL(url, &opts); err != nil {
		f.Close()
		return cfg, end, err
	}
	return cfg, f.Close, nil
}
