package folder_test

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

// TestReplacedAfterItWasSent: a job looks at its end at the files whose sessions were lost,
// and sends those again that were replaced. Their sources are not touched before, and what
// cannot be mended is an error.
func TestReplacedAfterItWasSent(t *testing.T) {
	for name, tt := range map[string]struct {
		times  int  // how often the server replaces the file
		gone   bool // the source is lost meanwhile
		failed bool
	}{
		"once":                        {times: 1},
		"each time":                   {times: 100, failed: true},
		"and the source is not there": {times: 1, gone: true, failed: true},
	} {
		t.Run(name, func(t *testing.T) {
			local := t.TempDir()
			trio, err := testserver.StartTrio(testserver.TrioOptions{Root: t.TempDir()})
			must(t, err)
			defer trio.Close()
			there := filepath.Join(trio.Root, "out", "f")
			source := filepath.Join(local, "f")
			var mu sync.Mutex
			done, cut := 0, 0
			opts := ftpx.Options{
				Password: ftpx.Secret(trio.Password), Protocols: []ftpx.Protocol{ftpx.SFTP}, Ports: ftpx.Ports{SFTP: trio.SFTP.Port()},
				SSH:   transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(trio.SFTP.HostKey())}},
				Retry: retry.Policy{InitialDelay: time.Millisecond},
				Hooks: &ftpx.Hooks{
					Command: func(_ context.Context, i ftpx.CommandInfo) {
						mu.Lock()
						defer mu.Unlock()
						if i.Line == "CLOSE" && cut == done { // once each time that it is sent
							cut++
							trio.SFTP.CutSessions()
						}
					},
					Operation: func(_ context.Context, i ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
						if i.Op != "upload" {
							return nil, nil
						}
						return nil, func(e ftpx.OperationEnd) {
							mu.Lock()
							defer mu.Unlock()
							if done++; e.Err != nil || done > tt.times {
								return
							}
							if _, err := os.Stat(source); err != nil {
								t.Error("the source was taken away before it was known to have arrived:", err)
							}
							must(t, os.WriteFile(there, []byte("what a lost session had sent"), 0o600))
							if tt.gone {
								must(t, os.Remove(source))
							}
						}
					},
				},
			}
			c, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.1", User: trio.User, Options: opts})
			must(t, err)
			defer c.Close()
			files := map[string]string{"f": content(100_000)}
			write(t, local, files)
			var items []folder.Item
			report, err := folder.Upload(t.Context(), c, local, "out", &folder.Options{
				After: folder.After{Source: folder.SourceDelete},
				OnItem: func(i folder.Item) {
					if i.Path == "f" {
						items = append(items, i)
					}
				},
			})
			if len(items) != 1 {
				t.Errorf("told of %d times: %v", len(items), items)
			}
			_, serr := os.Stat(source)
			switch {
			case tt.failed:
				if !errors.Is(err, folder.ErrIncomplete) || !errors.Is(err, ftpx.ErrReplaced) || report.Failed != 1 {
					t.Errorf("%+v, %v", report, err)
				}
				if serr != nil && !tt.gone {
					t.Error("the source of a file that did not arrive was deleted")
				}
			case err != nil || report.Copied != 1 || serr == nil:
				t.Errorf("%+v, %v; the source: %v", report, err, serr)
			default:
				holds(t, filepath.Join(trio.Root, "out"), files)
			}
		})
	}
}
