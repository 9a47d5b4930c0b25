package job

import (
	"context"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// Reach returns how to connect to a target's server, secrets from where the target says, for
// a program that connects by itself. Base is empty. end closes what the server is reached
// through; it is never nil.
func (t *Target) Reach(ctx context.Context, env cli.Env) (cfg ftpx.Config, end func(), err error) {
	with, flags, err := t.access(env)
	if err != nil {
		return cfg, func() {}, err
	}
	return flags.Reach(ctx, with, t.where())
}

// where is the place of the target's server.
func (t *Target) where() cli.Place {
	if t.place.Text == "" { // of a file, whose URLs are checked
		return cli.Place{Text: t.URL, Remote: true}
	}
	return t.place
}
