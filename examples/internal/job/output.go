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
// looks, as in cron, jobs say nothing of what goes well.
type output struct {
	wording
	env    cli.Env
	json   bool
	lively bool // bars, and lines of what is done
	loud   bool // lines of what is done
	chatty bool // of what is left alone too
	notes  bool // of what is left alone, but for what is the same, where failures are told
	config bool
	cut    cli.Cut
	name   string // of the command, where the job has none of its own
}

func newOutput(f *Flags, env cli.Env) *output {
	o := &output{wording: jobWording{}, env: env, json: f.JSON, chatty: f.Verbose, config: f.Config != ""}
	if f.Config == "" && f.Name == "" {
		o.name = f.Program
	}
	o.lively = env.Terminal && !f.JSON && !f.Quiet && !f.DryRun
	o.loud = !f.JSON && (f.Verbose || (env.Terminal || env.StdoutTerminal || f.DryRun) && !f.Quiet)
	switch {
	case env.Long:
		o.wording = longWording{env}
	case f.plain:
		o.wording, o.notes, o.chatty = plainWording{}, !f.Quiet, false
		o.loud = !f.JSON && !f.Quiet
	}
	return o
}

// named is what a job is called in lines: one made of flags has a name that nobody gave.
func (o *output) named(job string) string { return cmp.Or(o.name, job) }

// tell shows a record.
func (o *output) tell(r *record) {
	dull := r.Outcome == skipped
	if o.json && (!dull || o.chatty) {
		fmt.Fprintf(o.env.Stdout, "%s\n", encode(r.Item))
	}
	switch {
	case o.cut.N > 0 && r.Kind == transport.KindCanceled.String() && !o.chatty: // the summary tells of it
	case r.Error != "":
		fmt.Fprintln(o.env.Stderr, o.failure(o.named(r.Job), r))
	case dull && o.notes && !r.same:
		fmt.Fprintln(o.env.Stderr, o.record(r))
	case o.loud && (!dull || o.chatty):
		if line := o.record(r); line != "" {
			fmt.Fprintln(o.env.Stdout, line)
		}
	}
}

// target shows what came of one target.
func (o *output) target(s *summary) {
	if o.json {
		fmt.Fprintf(o.env.Stdout, "%s\n", encode(s.Summary))
	}
}

// total shows what came of the job.
func (o *output) total(s *summary) {
	name := o.named(s.Job)
	switch {
	case o.json:
		fmt.Fprintf(o.env.Stdout, "%s\n", encode(s.Summary))
	case s.Files+s.Unchanged == 0 && s.Error != "" && s.Exit != cli.ExitInterrupted: // what is wrong has been said
	case s.Exit == cli.ExitInterrupted:
		fmt.Fprintln(o.env.Stderr, cli.ClearLine(o.env)+o.interrupted(name, s, &o.cut))
	case o.loud || s.Exit != cli.ExitDone:
		fmt.Fprintln(o.env.Stderr, o.summary(name, s))
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
	fmt.Fprintf(o.env.Stderr, "%s: %s\n", o.named(job), cli.Words(err))
	o.hint(job, "", err)
}

// ended tells that a failure, which has been told of, is one that all else would meet too.
func (o *output) ended(job string, err error) {
	const why = "nothing more was tried, since all would meet the same"
	if o.env.Long {
		fmt.Fprintln(o.env.Stderr, "ftpx: "+why)
		return
	}
	o.hint(job, why+": ", err)
}

// hint names what has to do with a failure, as flags or as keys of a file.
func (o *output) hint(job, before string, err error) {
	if ftpx.KindOf(err) == transport.KindCanceled {
		return
	}
	hint := cli.Hint(err)
	if o.config {
		hint = flagName.ReplaceAllStringFunc(hint, func(s string) string {
			return strings.ReplaceAll(strings.TrimPrefix(s, "-"), "-", "_")
		})
	}
	if text := strings.TrimSuffix(before+hint, ": "); text != "" {
		fmt.Fprintf(o.env.Stderr, "%s: %s\n", o.named(job), text)
	}
}

// flagName is a flag in a hint. In a file it is called the same, with underscores.
var flagName = regexp.MustCompile(`-[a-z]+(-[a-z]+)*`)
