package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
)

const description = `Moves files over SFTP, FTPS and FTP, whole, over lines that break.

A remote place is host:path or user@host:path, as with scp, or a URL: sftp://,
ftpes:// (AUTH TLS), ftps:// (implicit TLS), ftp://, or ftpx:// for the best that
the server offers. Hosts, keys and passwords are those of ssh and curl.`

// world is what a command works in.
type world struct {
	ctx  context.Context
	env  cli.Env
	name string // the command, as in messages
	// given returns the flags that were given, by name, each value as it was written.
	given func() []given
	model *kong.Application
}

// given is a flag of the command line.
type given struct{ name, value string }

// exit is the error of a command that has said what is wrong.
type exit int

// Error is part of error.
func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// helped is how kong ends the command early, after --help.
type helped int

// run runs the command and returns its exit code.
func run(ctx context.Context, args []string, env cli.Env) (code int) {
	env = env.Shared()
	env.Long = true
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(helped)
			if !ok {
				panic(r)
			}
			code = int(e)
		}
	}()
	var all commands
	parser, err := newParser(&all, env)
	if err != nil {
		panic(err) // the commands are ours
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	for _, arg := range args {
		if err := cli.CheckArg(arg); err != nil {
			return cli.Fail("ftpx", env, err)
		}
	}
	kctx, err := parser.Parse(flagsFirst(parser.Model, args))
	if err != nil {
		return cli.Fail("ftpx", env, misread(parser, args, err))
	}
	w := &world{ctx: ctx, env: env, name: "ftpx " + kctx.Selected().Name, given: func() []given { return givenOf(kctx) }, model: parser.Model}
	err = kctx.Run(w)
	var told exit
	switch {
	case errors.As(err, &told):
		return w.told(int(told))
	case err != nil:
		return w.fail(err)
	}
	return w.told(cli.ExitDone)
}

// told is the exit code of a command that ended with code. Where all went well, but the user
// cannot have read so, because standard output took not all of it, it says so.
func (w *world) told(code int) int {
	if err := w.env.StdoutError(); err != nil && code == cli.ExitDone {
		return w.fail(err)
	}
	return code
}

// fail tells of an error and returns its exit code.
func (w *world) fail(err error) int {
	out := w.env.StdoutError()
	if out == nil || !errors.Is(err, out) {
		return cli.Fail(w.name, w.env, err)
	}
	var at *fs.PathError
	if errors.As(out, &at) {
		out = at.Err
	}
	cli.Fail(w.name, w.env, fmt.Errorf("standard output: %w", out))
	return cli.ExitSome // as of a file that cannot be written
}

func newParser(all *commands, env cli.Env) (*kong.Kong, error) {
	var headings []kong.Group
	for key, title := range groups() {
		headings = append(headings, kong.Group{Key: key, Title: title})
	}
	return kong.New(all, kong.Name("ftpx"), kong.Description(description), kong.Writers(env.Stdout, env.Stderr),
		kong.Exit(func(code int) { panic(helped(code)) }), kong.ExplicitGroups(headings), kong.Help(help),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: columns}))
}

// givenOf are the flags of a command line that was read.
func givenOf(kctx *kong.Context) (out []given) {
	for _, p := range kctx.Path {
		if p.Flag == nil || p.Flag.Name == "help" {
			continue
		}
		switch v := p.Flag.Target.Interface().(type) {
		case []string:
			if slices.ContainsFunc(out, func(g given) bool { return g.name == p.Flag.Name }) {
				continue // all of them are in the slice
			}
			for _, s := range v {
				out = append(out, given{p.Flag.Name, s})
			}
		default:
			out = append(out, given{p.Flag.Name, fmt.Sprint(v)})
		}
	}
	return out
}

// misread makes a usage error of what kong says about a command line.
func misread(parser *kong.Kong, args []string, err error) error {
	text := strings.NewReplacer(`expected string value but got "EOL" (<EOL>)`, "its value is missing",
		`expected "<place> ..."`, "missing argument: remote file or folder, as host:path", `expected "<source-dest> ..."`, "missing argument: what to copy, and where to",
		`expected "`, `missing argument: "`, "unexpected argument", "too many arguments, beginning with").Replace(err.Error())
	if long := singleDash(parser, args); long != "" {
		text = fmt.Sprintf("%q: a flag of several letters has two dashes: write -%s", long, long)
	}
	command := "ftpx"
	var pe *kong.ParseError
	if errors.As(err, &pe) && pe.Context.Selected() != nil {
		command = "ftpx " + pe.Context.Selected().Name
	} else {
		text = noCommand.ReplaceAllString(text, "there is no command $1: did you mean")
	}
	return fmt.Errorf("%w: %s; %s --help tells more", cli.ErrUsage, text, command)
}

var noCommand = regexp.MustCompile(`^too many arguments, beginning with (\S+), did you mean`)

// singleDash finds a flag that was written as the old commands have it.
func singleDash(parser *kong.Kong, args []string) string {
	long := map[string]bool{}
	_ = kong.Visit(parser.Model, func(n kong.Visitable, next kong.Next) error {
		if f, ok := n.(*kong.Flag); ok {
			long[f.Name] = true
		}
		return next(nil)
	})
	for _, arg := range args {
		if arg == "--" {
			break
		}
		name, _, _ := strings.Cut(arg, "=")
		if len(name) > 2 && name[0] == '-' && name[1] != '-' && long[name[1:]] {
			return name
		}
	}
	return ""
}
