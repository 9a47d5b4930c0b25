package job

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func TestTogether(t *testing.T) {
	for _, c := range []struct {
		codes []int
		want  int
	}{{nil, 0}, {[]int{0, 0}, 0}, {[]int{0, 7, 0}, 7}, {[]int{4, 4}, 4}, {[]int{4, 0, 4}, 4}, {[]int{4, 7}, 1}, {[]int{1, 130}, 130}, {[]int{6, 1}, 1}} {
		if got := cli.Together(c.codes); got != c.want {
			t.Errorf("cli.Together(%v) = %d, want %d", c.codes, got, c.want)
		}
	}
}

// TestExit: the code of what can happen to a target.
func TestExit(t *testing.T) {
	of := func(k transport.Kind) error {
		return fmt.Errorf("folder: %w", &ftpx.Error{Outcome: ftpx.NotDone, Op: "list", Err: &transport.Error{Kind: k, Op: "login", Err: errors.New("x")}})
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	incomplete := fmt.Errorf("folder: %w: 1 failed", folder.ErrIncomplete)
	for name, c := range map[string]struct {
		l    leg
		ctx  context.Context
		err  error
		want int
	}{
		"done":                   {want: cli.ExitDone},
		"done before a signal":   {ctx: gone, want: cli.ExitDone},
		"interrupted":            {ctx: gone, err: context.Canceled, want: cli.ExitInterrupted},
		"some":                   {l: leg{sum: sum(1, 0)}, err: incomplete, want: cli.ExitSome},
		"unknown of uploader":    {l: leg{sum: sum(0, 1), run: &run{f: &Flags{plain: true}}}, err: incomplete, want: cli.ExitSome},
		"unknown":                {l: leg{sum: sum(0, 1)}, err: incomplete, want: cli.ExitUnknown},
		"some and unknown":       {l: leg{sum: sum(1, 1)}, err: incomplete, want: cli.ExitSome},
		"not as in the manifest": {l: leg{sum: sum(1, 0)}, want: cli.ExitSome},
		"all would meet it":      {l: leg{sum: sum(1, 0), fatal: of(transport.KindAuth)}, err: incomplete, want: cli.ExitLogin},
		"login":                  {err: of(transport.KindAuth), want: cli.ExitLogin},
		"host key":               {err: of(transport.KindHostKey), want: cli.ExitIdentity},
		"unreachable":            {err: of(transport.KindUnreachable), want: cli.ExitConnect},
		"lost":                   {l: leg{connected: true}, err: of(transport.KindLost), want: cli.ExitConnect},
		"no such folder":         {l: leg{connected: true}, err: of(transport.KindNotExist), want: cli.ExitSome},
		"usage":                  {err: fmt.Errorf("%w: x", cli.ErrUsage), want: cli.ExitUsage},
		"too much to delete":     {err: &folder.DeleteError{}, want: cli.ExitSome},
		"source unread":          {err: folder.ErrSourceIncomplete, want: cli.ExitSome},
		"ledger":                 {err: ledger.ErrLocked, want: cli.ExitLocked},
	} {
		if c.ctx == nil {
			c.ctx = t.Context()
		}
		if c.l.run == nil {
			c.l.run = &run{f: &Flags{}}
		}
		if got := c.l.exit(c.ctx, c.err); got != c.want {
			t.Errorf("%s: exit code %d, want %d", name, got, c.want)
		}
	}
	if got := exitOf(&HeldError{}); got != cli.ExitLocked {
		t.Error(got)
	}
	if got := exitOf(errors.New("no folder")); got != cli.ExitUsage {
		t.Error(got)
	}
}

func sum(failed, unknown int) summary {
	var s summary
	s.Failed, s.Unknown = failed, unknown
	return s
}

// TestOutput: who is told what, by where the outputs lead and by the flags.
func TestOutput(t *testing.T) {
	j := &Job{Name: "j", Up: true}
	to := &Target{Name: "sftp://u@h/in", Local: "src"}
	ok := j.record(to, &Part{}, folder.Item{Action: folder.Send, Path: "a\x1b[2J", Size: 3, Result: ftpx.Result{Outcome: ftpx.Done, Size: 3, Attempts: 1, Protocol: ftpx.SFTP}}, false)
	same := j.record(to, &Part{}, folder.Item{Action: folder.Skip, Path: "b", Size: 3, Reason: "the same size and time", Finding: folder.Same}, false)
	lost := j.record(to, &Part{}, folder.Item{Action: folder.Send, Path: "c", Err: &ftpx.Error{Op: "upload", Outcome: ftpx.Unknown, Err: errors.New("lost")}}, false)
	if lost.Outcome != "unknown" || ok.Outcome != "done" || same.Outcome != skipped {
		t.Fatalf("%s %s %s", ok.Outcome, same.Outcome, lost.Outcome)
	}
	var s summary
	for _, r := range []*record{&ok, &same, &lost} {
		s.count(r)
	}
	if s.Files != 2 || s.Done != 1 || s.Unknown != 1 || s.Failed != 0 || s.Bytes != 3 {
		t.Errorf("%+v", s)
	}
	for name, c := range map[string]struct {
		f        cli.Flags
		terminal bool
		dry      bool
		out, err int // lines, after a success
	}{
		"cron":                 {},
		"cron, verbose":        {f: cli.Flags{Verbose: true}, out: 2, err: 1},
		"cron, dry":            {dry: true, out: 1, err: 1},
		"terminal":             {terminal: true, out: 1, err: 1},
		"terminal, quiet":      {f: cli.Flags{Quiet: true}, terminal: true},
		"terminal, dry, quiet": {f: cli.Flags{Quiet: true}, terminal: true, dry: true},
		"JSON":                 {f: cli.Flags{JSON: true}, out: 2},
		"JSON, verbose":        {f: cli.Flags{JSON: true, Verbose: true}, terminal: true, out: 3},
	} {
		for _, failing := range []bool{false, true} {
			var out, errs bytes.Buffer
			o := newOutput(&Flags{Flags: c.f, DryRun: c.dry}, cli.Env{Stdout: &out, Stderr: &errs, Terminal: c.terminal})
			wantOut, wantErr := c.out, c.err
			o.tell(&ok)
			o.tell(&same)
			end := newSummary(opSummary, "j", "", c.dry)
			if failing {
				o.tell(&lost)
				end.Exit = cli.ExitUnknown
				wantErr = 2
				if c.f.JSON {
					wantOut, wantErr = wantOut+1, 1
				}
			}
			o.total(&end)
			if n := strings.Count(out.String(), "\n"); n != wantOut {
				t.Errorf("%s, failing %v: %d lines on stdout, want %d: %s", name, failing, n, wantOut, out.String())
			}
			if n := strings.Count(errs.String(), "\n"); n != wantErr {
				t.Errorf("%s, failing %v: %d lines on stderr, want %d: %s", name, failing, n, wantErr, errs.String())
			}
			if strings.Contains(out.String()+errs.String(), "\x1b") {
				t.Error("a control character is shown")
			}
		}
	}
}

// TestSecrets: they come from where the target says, and an empty variable is told of.
func TestSecrets(t *testing.T) {
	vars := map[string]string{"FTPX_PASSWORD": "usual", "MINE": "mine"}
	env := cli.Env{Stderr: new(bytes.Buffer), Getenv: func(n string) string { return vars[n] }}
	for name, c := range map[string]struct {
		t    Target
		want string
		err  string
	}{
		"usual":    {Target{}, "usual", ""},
		"named":    {Target{passwordEnv: "MINE"}, "mine", ""},
		"not set":  {Target{passwordEnv: "NONE"}, "", "password_env: the environment variable NONE is not set"},
		"key":      {Target{passphraseEnv: "NONE"}, "", "passphrase_env: the environment variable NONE is not set"},
		"key file": {Target{passphraseFile: "/none"}, "", "passphrase_file: "},
	} {
		c.t.flags = (&connection{}).flags(paths{})
		with, flags, err := c.t.access(env)
		var opts ftpx.Options
		if err == nil {
			opts, err = flags.Options(t.Context(), with)
		}
		if err == nil && c.err != "" || err != nil && (c.err == "" || !strings.Contains(err.Error(), c.err) || !errors.Is(err, cli.ErrUsage)) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && opts.Password.Reveal() != c.want {
			t.Errorf("%s: %q", name, opts.Password.Reveal())
		}
	}
}
