package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

// Env is the world of a command: a test gives it another.
type Env struct {
	// Stdout gets results, Stderr all else.
	Stdout, Stderr io.Writer
	// Getenv reads an environment variable.
	Getenv func(string) string
	// Prompt asks for a secret on the terminal, and gives up when ctx ends; nil
	// where there is none.
	Prompt func(ctx context.Context, question string) (string, error)
	// Terminal says that Stderr is a terminal, for progress bars.
	Terminal bool
	// Long says that flags are written with two dashes.
	Long bool
	// StdoutTerminal says that Stdout is one: results then go above the bars.
	StdoutTerminal bool
}

// System is the process's own world.
func System() Env {
	e := Env{Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
		Terminal: term.IsTerminal(int(os.Stderr.Fd())), StdoutTerminal: term.IsTerminal(int(os.Stdout.Fd()))}
	if term.IsTerminal(int(os.Stdin.Fd())) && e.Terminal {
		e.Prompt = prompt
	}
	return e
}

// prompt reads a secret without showing it. Reading a terminal cannot be called
// off: when ctx ends the reader is left behind, but not the terminal, which would
// show nothing of what is typed into the shell after it.
func prompt(ctx context.Context, question string) (string, error) {
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	if _, err := io.WriteString(os.Stderr, question); err != nil {
		return "", err
	}
	defer io.WriteString(os.Stderr, "\n")
	type answer struct {
		secret []byte
		err    error
	}
	answered := make(chan answer, 1)
	go func() {
		secret, err := term.ReadPassword(fd)
		answered <- answer{secret, err}
	}()
	select {
	case a := <-answered:
		return string(a.secret), a.err
	case <-ctx.Done():
		_ = term.Restore(fd, before)
		return "", context.Cause(ctx)
	}
}

// Interruptible returns a context that ends with the first SIGINT or SIGTERM:
// transfers stop and their partials are kept. The second ends the process.
func Interruptible(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // from then on a signal does what it does by default
	return ctx, stop
}
