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
	// Prompt asks for a secret on the terminal; nil where there is none.
	Prompt func(question string) (string, error)
	// Terminal says that Stderr is a terminal, for progress bars.
	Terminal bool
}

// System is the process's own world.
func System() Env {
	e := Env{Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Terminal: term.IsTerminal(int(os.Stderr.Fd()))}
	if term.IsTerminal(int(os.Stdin.Fd())) && e.Terminal {
		e.Prompt = func(question string) (string, error) {
			if _, err := io.WriteString(os.Stderr, question); err != nil {
				return "", err
			}
			b, err := term.ReadPassword(int(os.Stdin.Fd()))
			_, _ = io.WriteString(os.Stderr, "\n")
			return string(b), err
		}
	}
	return e
}

// Interruptible returns a context that ends with the first SIGINT or SIGTERM:
// transfers stop and their partials are kept. The second ends the process.
func Interruptible(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // from then on a signal does what it does by default
	return ctx, stop
}
