package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Options say what is behind the connections and what it cannot do. The zero
// value knows nothing and skips nothing.
type Options struct {
	// Root is the login folder on the server's disk, "" if it cannot be looked
	// at. With it, what was stored is compared on the disk and not by fetching it.
	Root string
	// Forbidden is the remote path of a folder that exists and in which the
	// login may create nothing; "" if there is none.
	Forbidden string
	// Unreadable is the remote path of a file that exists and that the login may
	// not read; "" if there is none.
	Unreadable string
	// Sent counts what all connections have sent so far, in whatever unit; nil
	// if that is not known. With it, "nothing is sent" is tested to the letter.
	Sent func() int64
	// Skip names cases ("Hash", "Names/trailing space") that this server cannot
	// pass, with the reason. A name that is none fails the suite.
	Skip map[string]string
	// Timeout is how long what should happen at once may take; 0 means 20 s.
	Timeout time.Duration
}

// Run tests connections. open returns a new one, logged in to an empty folder,
// or one that earlier cases have used; the suite closes it. Every case has a
// connection and a folder of its own.
func Run(t *testing.T, open func(t *testing.T) transport.Conn, opts Options) {
	t.Helper()
	run(tester{t}, func(t T) transport.Conn {
		real := t.(tester).T
		real.Helper()
		return open(real)
	}, opts)
}

// run is Run for any T; only, if given, names the cases to run.
func run(t T, open func(T) transport.Conn, opts Options, only ...string) {
	t.Helper()
	if opts.Timeout <= 0 {
		opts.Timeout = 20 * time.Second
	}
	for name := range opts.Skip {
		if !exists(name) {
			t.Errorf("Options.Skip names %q, which is no case", name)
		}
	}
	before := goleak.IgnoreCurrent()
	for _, c := range cases {
		if len(only) > 0 && !slices.Contains(only, c.name) {
			continue
		}
		t.Run(c.name, func(t T) {
			t.Helper()
			if why, ok := opts.Skip[c.name]; ok {
				t.Skipf("%s", why)
			}
			c.run(newEnv(t, c.name, open, &opts))
		})
	}
	t.Run("NoLeaks", func(t T) { noLeaks(t, before, opts.Timeout) })
}

// exists reports whether there is such a case. What is below a case it decides
// itself while it runs.
func exists(name string) bool {
	top, _, _ := strings.Cut(name, "/")
	return slices.ContainsFunc(cases, func(c testCase) bool { return c.name == top })
}

// noLeaks waits until no goroutine is left of those that the cases have started.
// The far side of a connection, in this process too, may need a moment.
func noLeaks(t T, before goleak.Option, timeout time.Duration) {
	var err error
	for end := time.Now().Add(timeout); ; {
		// Find looks again for about half a second by itself.
		if err = goleak.Find(before); err == nil || time.Now().After(end) {
			break
		}
	}
	if err != nil {
		t.Errorf("goroutines are left over after all connections were closed: %v", err)
	}
}
