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

// until is a terminal that tells when it has been written some words.
type until struct {
	buffer
	says string
	seen chan struct{}
}

func (u *until) Write(p []byte) (int, error) {
	n, err := u.buffer.Write(p)
	if strings.Contains(u.String(), u.says) {
		select {
		case u.seen <- struct{}{}:
		default:
		}
	}
	return n, err
}

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
			cfg := ftpx.Config{Host: "127.0.0.1", User: "u", Options: ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Password: "x",
				Ports: ftpx.Ports{SFTP: c.port}, Retry: retry.Policy{InitialDelay: time.Hour, MaxDelay: time.Hour, MaxElapsed: 24 * time.Hour}}}
			for _, env := range []Env{{}, {Terminal: true}} {
				out := &until{says: c.says, seen: make(chan struct{}, 1)}
				env.Stdout, env.Stderr = &buffer{}, out
				ended := make(chan error, 1)
				short, end := context.WithTimeout(ctx, 50*time.Millisecond)
				if env.Terminal {
					short = ctx
				}
				go func() {
					_, err := Connect(short, Flags{}, env, cfg)
					ended <- err
				}()
				if env.Terminal {
					select {
					case <-out.seen:
					case <-time.After(10 * time.Second):
						t.Errorf("not said: %q", out.String())
					}
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
