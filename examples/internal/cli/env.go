package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// Env is the world of a command: a test gives it another.
type Env struct {
	// Stdout gets results, Stderr all else.
	Stdout, Stderr io.Writer
	// Stdin is what is read where a command is told to.
	Stdin io.Reader
	// Getenv reads an environment variable.
	Getenv func(string) string
	// Prompt asks for a secret on the terminal, and gives up when ctx ends; nil
	// where there is none.
	Prompt func(ctx context.Context, question string) (string, error)
	// Ask asks for what may be seen, else as Prompt.
	Ask func(ctx context.Context, question string) (string, error)
	// Terminal says that Stderr is a terminal, for progress bars.
	Terminal bool
	// Long says that flags are written with two dashes.
	Long bool
	// Columns is how wide the terminal is, 0 or nil where that is not known.
	Columns func() int
	// Hooks are given to each client besides the command's own; nil for none.
	Hooks *ftpx.Hooks
	// StdoutTerminal says that Stdout is one: results then go above the bars.
	StdoutTerminal bool
}

// System is the process's own world.
func System() Env {
	e := Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
		Terminal: term.IsTerminal(int(os.Stderr.Fd())), StdoutTerminal: term.IsTerminal(int(os.Stdout.Fd()))}
	e.Columns = func() int {
		columns, _, _ := term.GetSize(int(os.Stderr.Fd()))
		return columns
	}
	if term.IsTerminal(int(os.Stdin.Fd())) && e.Terminal {
		e.Prompt = func(ctx context.Context, question string) (string, error) { return prompt(ctx, os.Stdin, question) }
	}
	return e
}

// columns is how wide the terminal is.
func (e Env) columns() int {
	if e.Columns != nil {
		if n := e.Columns(); n > 0 {
			return n
		}
	}
	return 80
}

// Attended lets a command that reads standard input ask on the terminal all the same, as
// ssh does, and sets Ask. close gives the terminal back.
func (e *Env) Attended() (close func()) {
	close = func() {}
	if !e.Terminal {
		return close
	}
	tty := os.Stdin
	if e.Prompt == nil {
		var err error
		if tty, err = os.OpenFile("/dev/tty", os.O_RDWR, 0); err != nil {
			return close
		}
		close = func() { tty.Close() }
	}
	e.Prompt = func(ctx context.Context, question string) (string, error) { return prompt(ctx, tty, question) }
	e.Ask = func(ctx context.Context, question string) (string, error) { return ask(ctx, tty, question) }
	return close
}

// ask reads a line that may be seen.
func ask(ctx context.Context, tty *os.File, question string) (string, error) {
	if _, err := io.WriteString(os.Stderr, question); err != nil {
		return "", err
	}
	type answer struct {
		line string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		var line []byte
		one := make([]byte, 1) // no more than the line: what follows is another question's
		for {
			n, err := tty.Read(one)
			if n == 0 || err != nil || one[0] == '\n' {
				answered <- answer{string(line), err}
				return
			}
			line = append(line, one[0])
		}
	}()
	select {
	case a := <-answered:
		return a.line, a.err
	case <-ctx.Done():
		_, _ = io.WriteString(os.Stderr, "\n")
		return "", context.Cause(ctx)
	}
}

// prompt reads a secret without showing it. Reading a terminal cannot be called
// off: when ctx ends the reader is left behind, but not the terminal, which would
// show nothing of what is typed into the shell after it.
func prompt(ctx context.Context, tty *os.File, question string) (string, error) {
	fd := int(tty.Fd())
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
