package watch_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestInDoubt: a file whose session was lost while it was sent is looked at again, at its
// next try or when the watch ends, and its source is taken away no sooner.
func TestInDoubt(t *testing.T) {
	for name, tt := range map[string]struct {
		retryAfter time.Duration
		replaced   bool
	}{
		"at the next try":           {retryAfter: 20 * time.Millisecond},
		"at the end":                {retryAfter: time.Hour},
		"at the end, when replaced": {retryAfter: time.Hour, replaced: true},
	} {
		t.Run(name, func(t *testing.T) {
			trio, err := testserver.StartTrio(testserver.TrioOptions{Root: t.TempDir()})
			must(t, err)
			defer trio.Close()
			var cut sync.Once
			c, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.1", User: trio.User, Options: ftpx.Options{
				Password: ftpx.Secret(trio.Password), Protocols: []ftpx.Protocol{ftpx.SFTP}, Ports: ftpx.Ports{SFTP: trio.SFTP.Port()},
				SSH:   transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(trio.SFTP.HostKey())}},
				Retry: retry.Policy{InitialDelay: time.Millisecond},
				Hooks: &ftpx.Hooks{Command: func(_ context.Context, i ftpx.CommandInfo) {
					if i.Line == "CLOSE" {
						cut.Do(func() { trio.SFTP.CutSessions() })
					}
				}},
			}})
			must(t, err)
			defer c.Close()
			local := t.TempDir()
			source, there := filepath.Join(local, "f"), filepath.Join(trio.Root, "in", "f")
			text := content(100_000)
			put(t, source, text)
			o := quick(time.Millisecond)
			o.RetryAfter = tt.retryAfter
			o.Folder.After.Source = folder.SourceDelete
			r := begin(t, true, c, local, o)
			r.until("it was sent", func(items []folder.Item) bool { return len(items) > 0 })
			r.mu.Lock()
			first := r.items[0]
			r.mu.Unlock()
			if !errors.Is(first.Err, folder.ErrUnsettled) {
				t.Fatal(first)
			}
			if tt.retryAfter > time.Minute {
				if _, err := os.Stat(source); err != nil {
					t.Fatal("the source was taken away before it was known to have arrived:", err)
				}
				if tt.replaced {
					put(t, there, "what a lost session had sent")
				}
			} else {
				r.copied(1)
			}
			r.stop()
			must(t, r.err)
			holds(t, filepath.Dir(there), map[string]string{"f": text})
			holds(t, local, nil)
		})
	}
}
