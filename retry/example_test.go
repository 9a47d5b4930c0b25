package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
)

// A line that drops after every third byte still carries the whole file.
func ExamplePolicy_Do() {
	const file = "hello, world"
	server := ""
	p := retry.Policy{MaxAttempts: 2, InitialDelay: time.Millisecond}
	err := p.Do(context.Background(), func(_ context.Context, a *retry.Attempt) error {
		n := min(3, len(file)-len(server))
		server += file[len(server) : len(server)+n]
		a.Progress()
		if len(server) < len(file) {
			return io.ErrUnexpectedEOF
		}
		return nil
	}, func(e retry.Event) {
		fmt.Printf("attempt %d: %v (%v), %q arrived\n", e.Attempt, e.Err, e.Class, server)
	})
	fmt.Printf("%q %v\n", server, err)
	// Output:
	// attempt 1: unexpected EOF (transient), "hel" arrived
	// attempt 2: unexpected EOF (transient), "hello," arrived
	// attempt 3: unexpected EOF (transient), "hello, wo" arrived
	// "hello, world" <nil>
}

// The error in hand when the budget ends carries the cause of every attempt.
func ExampleError() {
	p := retry.Policy{MaxAttempts: 3, InitialDelay: time.Millisecond}
	err := p.Do(context.Background(), func(context.Context, *retry.Attempt) error { return io.EOF }, nil)
	var e *retry.Error
	if errors.As(err, &e) {
		fmt.Println(e.Reason, e.Count, e.Last())
	}
	fmt.Println(errors.Is(err, io.EOF))
	// Output:
	// too many attempts without progress 3 EOF
	// true
}
