package cli

import (
	"context"
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Note tells of what is no failure, such as what was passed over; with -quiet it
// does not.
func Note(f Flags, env Env, format string, args ...any) {
	if !f.Quiet {
		fmt.Fprintln(env.Stderr, transport.Printable(fmt.Sprintf(format, args...)))
	}
}

// Hooks tell of what happens on the way, with -v.
func Hooks(f Flags, env Env) *ftpx.Hooks {
	if !f.Verbose {
		return nil
	}
	env = env.Shared()
	say := func(format string, args ...any) {
		fmt.Fprintln(env.Stderr, transport.Printable(fmt.Sprintf(format, args...)))
	}
	return &ftpx.Hooks{
		Protocol: func(_ context.Context, i ftpx.ProtocolInfo) {
			if i.Chosen {
				say("using %v", i.Protocol)
			} else {
				say("not using %v: %v", i.Protocol, i.Why)
			}
		},
		Host: func(_ context.Context, i ftpx.HostInfo) {
			if i.Why == nil {
				say("back to %s from %s", i.Host, i.Previous)
			} else {
				say("turning to %s: %s: %v", i.Host, i.Previous, i.Why)
			}
		},
		Retry: func(_ context.Context, i ftpx.RetryInfo) {
			say("%s %s: attempt %d failed (%v), next in %v: %v", i.Op, i.Remote, i.Attempt, i.Class, i.Delay, i.Err)
		},
		Resume: func(_ context.Context, i ftpx.ResumeInfo) {
			say("%s %s: going on at %d of %d, proven by %s", i.Op, i.Remote, i.Offset, i.Size, i.Proof)
		},
	}
}
