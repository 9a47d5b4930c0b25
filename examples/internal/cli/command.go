package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Parse reads a command line, and makes the outputs of env fit for several
// goroutines. ok is false when the command is to end with code: after -h or
// -version, or with bad flags.
func Parse(name, usage string, f *Flags, env *Env, args []string, more func(*flag.FlagSet)) (rest []string, code int, ok bool) {
	return parse(name, usage, exitHelp, f, env, args, more)
}

// ParseJob is [Parse] for a command that runs jobs, whose exit codes are more.
func ParseJob(name, usage string, f *Flags, env *Env, args []string, more func(*flag.FlagSet)) (rest []string, code int, ok bool) {
	return parse(name, usage, jobExitHelp, f, env, args, more)
}

func parse(name, usage, codes string, f *Flags, env *Env, args []string, more func(*flag.FlagSet)) (rest []string, code int, ok bool) {
	*env = env.Shared()
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // its message would stand above a page of help
	f.register(fs)
	if more != nil {
		more(fs)
	}
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(env.Stdout)
		fmt.Fprint(env.Stdout, usage, "\nFlags, before all else:\n")
		fs.PrintDefaults()
		fmt.Fprint(env.Stdout, codes)
		return nil, ExitDone, false
	case err != nil:
		return nil, Fail(name, *env, fmt.Errorf("%w: %w; -h tells more", ErrUsage, err)), false
	}
	if f.Version {
		version := "(devel)"
		if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
			version = info.Main.Version
		}
		fmt.Fprintln(env.Stdout, name, version)
		return nil, ExitDone, false
	}
	return fs.Args(), 0, true
}

// Fail prints an error and returns its exit code, see [ExitOf].
func Fail(name string, env Env, err error) int {
	fmt.Fprintf(env.Stderr, "%s: %s\n", name, transport.Printable(err.Error()))
	if h := hint(err); h != "" {
		fmt.Fprintf(env.Stderr, "%s: %s\n", name, h)
	}
	return ExitOf(err)
}

// NoClient is [Fail] for a client that could not be opened. With -json there is a
// summary all the same, so that whoever reads it need not read error texts.
func NoClient(name string, f Flags, env Env, err error) int {
	code := Fail(name, env, err)
	if f.JSON {
		p := newPrinter(f, env)
		p.sum.blame(err)
		p.sum.Exit = code
		p.json(p.sum)
	}
	return code
}

// CheckNames finds what is wrong with the flags about names and times in listings.
func (f *Flags) CheckNames() error {
	var opts ftpx.Options
	return f.names(&opts)
}
