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
	end = func() {}
	opts, err := t.options(ctx, env)
	if err != nil {
		return cfg, end, err
	}
	if cfg, err = cli.ParseURL(t.URL, &opts); err != nil {
		t.flags.Close()
		return cfg, end, err
	}
	cfg.Base = ""
	return cfg, t.flags.Close, nil
}
