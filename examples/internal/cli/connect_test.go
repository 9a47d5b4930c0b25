package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/testout"
	"github.com/seed01fc2e40/go-ftpx/retry"
)

// TestConnecting: who looks at a terminal is told at once what is waited for, also where a
// server says nothing at all, and then why; nobody else is.
func TestConnecting(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	port := func(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }
	for name, c := range map[string]struct {
		port int
		says string
	}{
		"silent":  {port(silent), "connecting to 127.0.0.1 by SFTP"},
		"refused": {port(closed), "connection refused (attempt 1): retrying in "},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			for _, env := range []Env{{}, {Terminal: true}} {
				out := &testout.Output{}
				env.Stdout, env.Stderr = io.Discard, out
				env.Getenv = func(name string) string { return map[string]string{"FTPX_PASSWORD": "x"}[name] }
				env = env.Shared()
				ended := make(chan error, 1)
				short, end := context.WithTimeout(ctx, 50*time.Millisecond)
				if env.Terminal {
					short = ctx
				}
				go func() {
					f := Flags{Parallel: 1, Verify: "auto", Retry: retry.Policy{InitialDelay: time.Hour, MaxDelay: time.Hour, MaxElapsed: 24 * time.Hour}}
					d := NewDisplay(&f, env)
					_, err := f.Open(short, env, Place{Text: fmt.Sprintf("sftp://u@127.0.0.1:%d/", c.port), Remote: true}, d)
					d.Close()
					ended <- err
				}()
				if env.Terminal {
					out.Until(t, c.says, func(text string) (string, bool) { return "", strings.Contains(text, c.says) })
					cancel()
				}
				if err := <-ended; err == nil {
					t.Error("it is connected")
				}
				end()
				if said := out.String(); !env.Terminal && said != "" {
					t.Errorf("said where nobody looks: %q", said)
				} else if env.Terminal && !strings.HasSuffix(said, "\r\x1b[J") {
					t.Errorf("it stays there: %q", said)
				}
			}
		})
	}
}
