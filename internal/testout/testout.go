// Package testout is the output of a command under test, to be looked at while it runs.
package testout

import (
	"bytes"
	"sync"
	"testing"
	"time"
)

// Output keeps what is written to it. Its methods may be called by several goroutines; the
// zero value is empty.
type Output struct {
	mu   sync.Mutex // guards what follows
	text bytes.Buffer
	more chan struct{} // closed when something is written, nil while nobody waits
}

// Write is part of io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.more != nil {
		close(o.more)
		o.more = nil
	}
	return o.text.Write(p)
}

// String returns what was written so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Take returns what was written and not taken yet.
func (o *Output) Take() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := o.text.String()
	o.text.Reset()
	return text
}

// Until waits until find finds something in what was written, and returns that. After half a
// minute it fails the test: there is no what.
func (o *Output) Until(t testing.TB, what string, find func(text string) (string, bool)) string {
	t.Helper()
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	for {
		o.mu.Lock()
		text := o.text.String()
		if o.more == nil {
			o.more = make(chan struct{})
		}
		more := o.more
		o.mu.Unlock()
		if found, ok := find(text); ok {
			return found
		}
		select {
		case <-more:
		case <-late.C:
			t.Fatalf("no %s in %q", what, text)
		}
	}
}
