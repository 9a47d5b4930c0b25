package cli

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/retry"
)

// lines hands on what is written.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// TestConnecting: who looks at a terminal is told what is waited for, also where a server
// says nothing at all; nobody else is.
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
		"silent":  {port(silent), "mirror: connecting to 127.0.0.1 ..."},
		"refused": {port(closed), "connection refused: trying again"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cfg := ftpx.Config{Host: "127.0.0.1", User: "u", Options: ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Password: "x",
				Ports: ftpx.Ports{SFTP: c.port}, Retry: retry.Policy{InitialDelay: time.Hour, MaxDelay: time.Hour, MaxElapsed: 24 * time.Hour}}}
			for _, env := range []Env{{}, {Terminal: true}} {
				out := make(lines, 10)
				env.Stderr = out
				ended := make(chan error, 1)
				short, end := context.WithTimeout(ctx, 50*time.Millisecond)
				if env.Terminal {
					short = ctx
				}
				go func() {
					_, err := Connect(short, "mirror", Flags{}, env, cfg)
					ended <- err
				}()
				if env.Terminal {
					select {
					case got := <-out:
						if !strings.Contains(got, c.says) || strings.Count(got, "\n") != 1 {
							t.Errorf("%q, want %q", got, c.says)
						}
					case <-time.After(10 * time.Second):
						t.Error("nothing is said")
					}
					cancel()
				}
				if err := <-ended; err == nil {
					t.Error("it is connected")
				}
				end()
				if !env.Terminal && len(out) > 0 {
					t.Errorf("said where nobody looks: %q", <-out)
				}
			}
		})
	}
}
