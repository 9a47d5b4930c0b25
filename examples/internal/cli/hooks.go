package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Hooks tell of what happens on the way: with -v in lines, on a terminal in what d shows,
// which may be nil. All uses of a client's hooks are here.
func Hooks(f Flags, env Env, d *Display) *ftpx.Hooks {
	h := &ftpx.Hooks{}
	if f.Verbose {
		notes(h, env.Shared())
	}
	if d != nil {
		d.hook(h, env)
	}
	if !f.Verbose && d == nil {
		return nil
	}
	return h
}

// notes are lines of protocol choice, retries and resumes.
func notes(h *ftpx.Hooks, env Env) {
	say := func(format string, args ...any) {
		fmt.Fprintln(env.Stderr, transport.Printable(fmt.Sprintf(format, args...)))
	}
	h.Protocol = func(i ftpx.ProtocolInfo) {
		if i.Chosen {
			say("using %v", i.Protocol)
		} else {
			say("not using %v: %v", i.Protocol, i.Why)
		}
	}
	h.Host = func(i ftpx.HostInfo) {
		if i.Why == nil {
			say("back to %s from %s", i.Host, i.Previous)
		} else {
			say("turning to %s: %s: %v", i.Host, i.Previous, i.Why)
		}
	}
	h.Retry = func(i ftpx.RetryInfo) {
		say("%s %s: attempt %d failed (%v), next in %v: %v", i.Op, i.Remote, i.Attempt, i.Class, i.Delay, i.Err)
	}
	h.Resume = func(i ftpx.ResumeInfo) {
		say("%s %s: going on at %d of %d, proven by %s", i.Op, i.Remote, i.Offset, i.Size, i.Proof)
	}
}

// hook shows what the hooks tell, besides what they do already.
func (d *Display) hook(h *ftpx.Hooks, env Env) {
	h.Progress = d.progress
	h.Done = func(i ftpx.DoneInfo) { d.ended(i.Op, i.Local, i.Remote) }
	told := h.Retry
	h.Retry = func(i ftpx.RetryInfo) {
		if told != nil {
			told(i)
		}
		text := reason(i.Err)
		if i.Remote != "" && i.Remote != "." {
			text = i.Remote + ": " + text
		}
		d.say(fmt.Sprintf("%s (attempt %d)", env.Flags(flagged(text)), i.Attempt), d.now().Add(i.Delay))
	}
	h.Dial = func(i ftpx.DialInfo) {
		if i.Err == nil {
			d.say("", time.Time{})
		}
	}
	turned := h.Host
	h.Host = func(i ftpx.HostInfo) {
		if turned != nil {
			turned(i)
		} else if i.Why != nil {
			d.say(fmt.Sprintf("turning to %s: %s: %s", i.Host, i.Previous, reason(i.Why)), time.Time{})
		}
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
