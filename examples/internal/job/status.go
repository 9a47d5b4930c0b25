package job

import (
	"context"
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/status"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// serve shows what the jobs do at the address of -metrics, until stop is called. Without
// that flag it does nothing.
func (f *Flags) serve(ctx context.Context, env *cli.Env) (stop func(), err error) {
	if f.Metrics == "" {
		return func() {}, nil
	}
	s, err := status.New(f.Program)
	if err != nil {
		return nil, err
	}
	flag := "-metrics"
	if env.Long {
		flag = "--metrics"
	}
	at, stop, err := s.Serve(ctx, flag, f.Metrics)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", cli.ErrUsage, err)
	}
	f.status, env.Hooks = s, s.Hooks()
	cli.Note(f.Flags, *env, "%s: serving http://%s/", f.Program, at)
	return stop, nil
}

// watch shows a client until stop is called.
func (f *Flags) watch(c ftpx.Client) (stop func()) {
	if f.status == nil {
		return func() {}
	}
	return f.status.Watch(c)
}
