package cli

import (
	"io"
	"sync"
)

// output lets several goroutines write whole lines to one writer, and while bars
// are shown leads them above these, since they would be painted over.
type output struct {
	w     io.Writer
	mu    sync.Mutex // guards what follows, and the order of lines
	above io.Writer  // nil while there are no bars
	err   error      // why a line could not be written, nil while all could
}

// Write is part of io.Writer. When the bars cannot take a line, because the
// terminal has gone, it goes where it would go without them.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.above != nil {
		if n, err := o.above.Write(b); err == nil {
			return n, nil
		}
	}
	n, err := o.w.Write(b)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// StdoutError is why some of what belongs on standard output is not there, such as a full
// disk; nil if all is, or if e is not [Env.Shared].
func (e Env) StdoutError() error {
	o, ok := e.Stdout.(*output)
	if !ok {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

func (o *output) lead(above io.Writer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.above = above
}

// Shared returns e with outputs that several goroutines may use.
func (e Env) Shared() Env {
	e.Stdout, e.Stderr = sharing(e.Stdout), sharing(e.Stderr)
	return e
}

func sharing(w io.Writer) *output {
	if o, ok := w.(*output); ok {
		return o
	}
	return &output{w: w}
}
