package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Parse reads a command line, and makes the outputs of env fit for several
// goroutines. ok is false when the command is to end with code: after -h or
// -version, or with bad flags.
func Parse(name, usage string, f *Flags, env *Env, args []string, more func(*flag.FlagSet)) (rest []string, code int, ok bool) {
	return parse(name, usage, exitHelp(false), f, env, args, more)
}

// ParseJob is [Parse] for a command that runs jobs, whose exit codes are more.
func ParseJob(name, usage string, f *Flags, env *Env, args []string, more func(*flag.FlagSet)) (rest []string, code int, ok bool) {
	return parse(name, usage, exitHelp(true), f, env, args, more)
}

func parse(name, usage, codes string, f *Flags, env *Env, args []string, more func(*flag.FlagSet)) (rest []string, code int, ok bool) {
	*env = env.Shared()
	var err error
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // its message would stand above a page of help
	f.register(fs)
	if more != nil {
		more(fs)
	}
	switch rest, err = parseAll(fs, args); {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(env.Stdout)
		fmt.Fprint(env.Stdout, usage, "\nFlags, anywhere; what follows -- is none:\n")
		fs.PrintDefaults()
		fmt.Fprint(env.Stdout, codes)
		return nil, ExitDone, false
	case err != nil:
		return nil, Fail(name, *env, fmt.Errorf("%w: %w%s; -h tells more", ErrUsage, err, meant(fs, err))), false
	}
	if f.Version {
		fmt.Fprintln(env.Stdout, name, Version())
		return nil, ExitDone, false
	}
	return rest, 0, true
}

// Version is that of the module that the command was built of.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// Setter returns a function that sets flags by their names, for commands that read their
// command line in another way: those of [Flags], of [Own], and what more registers. Its
// errors are [ErrUsage].
func (f *Flags) Setter(more func(*flag.FlagSet)) func(name, value string) error {
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	f.register(fs)
	f.own(fs)
	more(fs)
	return func(name, value string) error {
		if fs.Lookup(name) == nil {
			return nil // the command's own
		}
		err := fs.Set(name, value)
		switch {
		case err == nil:
			return nil
		case strings.HasPrefix(err.Error(), strconv.Quote(value)):
			return fmt.Errorf("%w: --%s: %w", ErrUsage, name, err)
		}
		return fmt.Errorf("%w: --%s %q: %w", ErrUsage, name, value, err)
	}
}

// own defines the flags of [Own], and those of their own of the one command.
func (f *Flags) own(fs *flag.FlagSet) {
	f.Own.Use = true
	fs.BoolVar(&f.Own.None, "no-config", false, "")
	fs.StringVar(&f.Own.File, "ssh-config", "", "")
	fs.Func("option", "", func(s string) error { f.Own.Set = append(f.Own.Set, s); return nil })
	fs.Func("jump", "", func(s string) error { f.Own.Jumps = append(f.Own.Jumps, s); return nil })
	fs.Func("port", "", func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 65535 {
			return errors.New("write a port from 1 to 65535")
		}
		f.Own.Port = n
		return nil
	})
	for name, to := range map[string]*int{"connections": &f.Connections, "files": &f.Files} {
		fs.Func(name, "", func(s string) error {
			n, err := strconv.Atoi(s)
			if err != nil || n < 1 {
				return errors.New("write a whole number from 1, as 8")
			}
			*to = n
			return nil
		})
	}
	fs.BoolVar(&f.Verbose, "verbose", false, "")
}

// meant says which flag was perhaps meant by one that is not defined.
func meant(fs *flag.FlagSet, err error) string {
	name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !ok {
		return ""
	}
	var known []string
	fs.VisitAll(func(f *flag.Flag) { known = append(known, f.Name) })
	best, far := Nearest(strings.TrimLeft(name, "-"), known)
	if far > max(1, len(name)/3) {
		return ""
	}
	return fmt.Sprintf(": did you mean -%s?", best)
}

// parseAll is flag.FlagSet.Parse, but that flags may also follow arguments.
func parseAll(fs *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		left := fs.Args()
		read := len(args) - len(left)
		if len(left) == 0 || read > 0 && args[read-1] == "--" {
			return append(rest, left...), nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
}

// Fail prints an error and returns its exit code, see [ExitOf].
func Fail(name string, env Env, err error) int {
	if env.Long {
		if ftpx.KindOf(err) == transport.KindCanceled {
			fmt.Fprintf(env.Stderr, "%sftpx: interrupted\n", ClearLine(env))
		} else {
			fmt.Fprintf(env.Stderr, "ftpx: %s\n", Line(env, "", err))
		}
		return ExitOf(err)
	}
	fmt.Fprintf(env.Stderr, "%s: %s\n", name, Words(err))
	if h := hint(err); h != "" {
		fmt.Fprintf(env.Stderr, "%s: %s\n", name, h)
	}
	return ExitOf(err)
}

// CheckNames finds what is wrong with the flags about names and times in listings.
func (f *Flags) CheckNames() error {
	var opts ftpx.Options
	return f.names(&opts)
}
