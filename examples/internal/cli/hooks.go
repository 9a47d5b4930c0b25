package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Hooks tell of what happens on the way: with -v in lines, on a terminal in what d shows,
// which may be nil. All uses of a client's hooks are here.
func Hooks(f Flags, env Env, d *Display) *ftpx.Hooks {
	var verbose, shown *ftpx.Hooks
	if f.Verbose {
		verbose = notes(env.Shared())
	}
	if d != nil {
		shown = d.hooks(env, !f.Verbose)
	}
	return ftpx.JoinHooks(verbose, shown, env.Hooks)
}

// notes are lines of protocol choice, retries and resumes.
func notes(env Env) *ftpx.Hooks {
	say := func(format string, args ...any) {
		fmt.Fprintln(env.Stderr, transport.Printable(fmt.Sprintf(format, args...)))
	}
	return &ftpx.Hooks{
		Protocol: func(_ context.Context, i ftpx.ProtocolInfo) {
			if i.Chosen {
				say("using %v", i.Protocol)
			} else {
				say("not using %v: %v", i.Protocol, i.Err)
			}
		},
		Host: func(_ context.Context, i ftpx.HostInfo) {
			if i.Err == nil {
				say("back to %s from %s", i.Host, i.Previous)
			} else {
				say("turning to %s: %s: %v", i.Host, i.Previous, i.Err)
			}
		},
		Retry: func(_ context.Context, i ftpx.RetryInfo) {
			say("%s %s: attempt %d failed (%v), retrying in %v: %v", i.Op, i.Remote, i.Attempt, i.Class, i.Delay, i.Err)
		},
		Resume: func(_ context.Context, i ftpx.ResumeInfo) {
			say("%s %s: resumed at %d of %d bytes (verified by %s)", i.Op, i.Remote, i.Offset, i.Size, i.Proof)
		},
	}
}

// hooks show what they are told, moves to another host with turns.
func (d *Display) hooks(env Env, turns bool) *ftpx.Hooks {
	return &ftpx.Hooks{
		Progress: func(_ context.Context, i ftpx.ProgressInfo) { d.progress(i) },
		Operation: func(_ context.Context, i ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
			return nil, func(ftpx.OperationEnd) { d.ended(i.ID) }
		},
		Retry: func(_ context.Context, i ftpx.RetryInfo) {
			text := reason(i.Err)
			if i.Remote != "" && i.Remote != "." {
				text = i.Remote + ": " + text
			}
			d.say(fmt.Sprintf("%s (attempt %d)", env.Flags(flagged(text)), i.Attempt), d.now().Add(i.Delay))
		},
		// A host that fails is left alone for longer than the pause that was announced.
		Breaker: func(_ context.Context, i ftpx.BreakerInfo) {
			if i.Open {
				d.say(fmt.Sprintf("%s: %s", i.Host, env.Flags(flagged(reason(i.Err)))), i.Until)
			}
		},
		Acquire: func(_ context.Context, i ftpx.AcquireInfo) (context.Context, func(ftpx.AcquireEnd)) {
			if i.Wait == ftpx.WaitBusy {
				d.say("the server accepts no more connections now: waiting", time.Time{})
			}
			return nil, nil
		},
		Dial: func(context.Context, ftpx.DialInfo) (context.Context, func(ftpx.DialEnd)) {
			return nil, func(e ftpx.DialEnd) {
				if e.Err == nil {
					d.say("", time.Time{})
				}
			}
		},
		Host: func(_ context.Context, i ftpx.HostInfo) {
			if turns && i.Err != nil {
				d.say(fmt.Sprintf("turning to %s: %s: %s", i.Host, i.Previous, reason(i.Err)), time.Time{})
			}
		},
	}
}

// connecting says what is connected to, by the name that was typed, and how.
func connecting(alias string, cfg ftpx.Config) string {
	protocols := cfg.Protocols
	if len(protocols) == 0 {
		protocols = []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTPSImplicit}
	}
	var names []string
	for _, p := range protocols {
		names = append(names, map[ftpx.Protocol]string{ftpx.SFTP: "SFTP", ftpx.FTPS: "FTPS", ftpx.FTPSImplicit: "implicit FTPS", ftpx.FTP: "FTP"}[p])
	}
	text := strings.Join(names, ", ")
	if i := strings.LastIndex(text, ", "); i >= 0 {
		text = text[:i] + " or " + text[i+2:]
	}
	host := cfg.Host
	if alias != "" && alias != host {
		host = alias + " (" + host + ")"
	}
	return fmt.Sprintf("connecting to %s by %s", host, text)
}
