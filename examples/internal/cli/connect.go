package cli

import (
	"context"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// noticeAfter is how long connecting may take before who looks is told of it.
const noticeAfter = 400 * time.Millisecond

// Connect is [ftpx.New] for a command. On a terminal it says what is waited for, once
// when that takes long and once when the first attempt has failed: the next ones may
// take minutes. With -v the hooks say more.
func Connect(ctx context.Context, name string, f Flags, env Env, cfg ftpx.Config) (ftpx.Client, error) {
	if !env.Terminal || f.JSON || f.Quiet || f.Verbose {
		return ftpx.New(ctx, cfg)
	}
	var mu sync.Mutex // guards over
	over := false
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		if !over {
			Note(f, env, format, args...)
		}
	}
	timer := time.AfterFunc(noticeAfter, func() { say("%s: connecting to %s ...", name, cfg.Host) })
	cfg.Hooks = ftpx.JoinHooks(cfg.Hooks, &ftpx.Hooks{Retry: func(_ context.Context, i ftpx.RetryInfo) {
		if i.Attempt == 1 {
			timer.Stop()
			say("%s: %s: trying again, -retry-for says how long", name, Words(i.Err))
		}
	}})
	client, err := ftpx.New(ctx, cfg)
	timer.Stop()
	mu.Lock()
	defer mu.Unlock()
	over = true
	return client, err
}
