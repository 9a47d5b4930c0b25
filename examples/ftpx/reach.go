package main

import (
	"context"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// reach is how to connect to a place, for a command that does so by itself. end closes what
// the server is reached through; it is never nil.
func (w *world) reach(ctx context.Context, env cli.Env, p cli.Place) (cfg ftpx.Config, end func(), err error) {
	f, err := w.flags()
	if err != nil {
		return cfg, func() {}, err
	}
	return f.Reach(ctx, env, p)
}
