package job

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// output shows what a run does: records as JSON, or lines for people. Where nobody
// looks, as in cron, it says nothing of what goes well.
type output struct {
	env    cli.Env
	json   bool
	lively bool // bars, and lines of what is done
	loud   bool // lines of what is done
	chatty bool // of what is left alone too
	plan   bool // a dry run, whose lines are what it is for
	config bool
	cut    cli.Cut
	piped  bool   // what was cut off cannot be read again
	name   string // of the command, where the job has none of its own
}

func newOutput(f *Flags, env cli.Env) *output {
	o := &output{env: env, json: f.JSON, chatty: f.Verbose, plan: f.DryRun, config: f.Config != ""}
	if f.Config == "" && f.Name == "" {
		o.name = f.Program
	}
	o.lively = env.Terminal && !f.JSON && !f.Quiet && !f.DryRun
	o.loud = !f.JSON && (f.Verbose || (env.Terminal || env.StdoutTerminal || f.DryRun) && !f.Quiet)
	return o
}

// named is what a job is called in lines: one made of flags has a name that nobody gave.
func (o *output) named(job string) string { return cmp.Or(o.name, job) }

// record shows one.
func (o *output) record(r *Record) {
	dull := r.Outcome == skipped
	if o.json && (!dull || o.chatty) {
		fmt.Fprintf(o.env.Stdout, "%s\n", encode(r))
	}
	switch {
	case o.cut.N > 0 && r.Kind == transport.KindCanceled.String() && !o.chatty: // the summary tells of it
	case r.err != nil && o.env.Long:
		fmt.Fprintln(o.env.Stderr, cli.Line(o.env, r.subject(), r.err))
	case r.Error != "":
		fmt.Fprintf(o.env.Stderr, "%s: %s\n", o.named(r.Job), transport.Printable(fmt.Sprintf("%s %s: %s", r.Op, r.Path, r.Error)))
	case o.loud && (!dull || o.chatty) && o.env.Long:
		fmt.Fprintln(o.env.Stdout, r.long())
	case o.loud && (!dull || o.chatty):
		fmt.Fprintln(o.env.Stdout, r.line())
	}
}

// target shows what came of one target.
func (o *output) target(s *Summary) {
	if o.json {
		fmt.Fprintf(o.env.Stdout, "%s\n", encode(s))
	}
}

// summary shows what came of the job.
func (o *output) summary(s *Summary) {
	switch {
	case o.json:
		fmt.Fprintf(o.env.Stdout, "%s\n", encode(s))
	case s.Exit == cli.ExitUsage && s.Files == 0 && !o.loud: // what is wrong has been said
	case s.Exit == cli.ExitInterrupted && o.env.Long:
		fmt.Fprintln(o.env.Stderr, cli.ClearLine(o.env)+s.longInterrupted(&o.cut, o.piped))
	case s.Exit == cli.ExitInterrupted:
		fmt.Fprintln(o.env.Stderr, cli.ClearLine(o.env)+s.interrupted(o.named(s.Job), &o.cut))
	case o.env.Long && s.Files == 0 && s.Error != "": // it has been said
	case o.env.Long && (o.loud || s.Exit != cli.ExitDone):
		fmt.Fprintln(o.env.Stderr, s.long())
	case o.loud || s.Exit != cli.ExitDone:
		fmt.Fprintln(o.env.Stderr, s.line(o.named(s.Job)))
	}
}

// failed tells of what concerns no single file.
func (o *output) failed(job string, err error) {
	if o.env.Long {
		if ftpx.KindOf(err) != transport.KindCanceled {
			fmt.Fprintln(o.env.Stderr, "ftpx: "+cli.Line(o.env, "", err))
		}
		return
	}
	job = o.named(job)
	fmt.Fprintf(o.env.Stderr, "%s: %s\n", job, cli.Words(err))
	if ftpx.KindOf(err) == transport.KindCanceled {
		return
	}
	if hint := cli.Hint(err); hint != "" {
		if o.config {
			hint = flagName.ReplaceAllStringFunc(hint, func(s string) string {
				return strings.ReplaceAll(strings.TrimPrefix(s, "-"), "-", "_")
			})
		}
		fmt.Fprintf(o.env.Stderr, "%s: %s\n", job, hint)
	}
}

// flagName is a flag in a hint. In a file it is called the same, with underscores.
var flagName = regexp.MustCompile(`-[a-z]+(-[a-z]+)*`)
