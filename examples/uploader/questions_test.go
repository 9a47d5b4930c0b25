package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestServerAsksForACode: on a terminal the command asks the person what the server asks
// besides the password; without one it says what was asked.
func TestServerAsksForACode(t *testing.T) {
	w := clitest.Start(t, func(o *testserver.TrioOptions) {
		o.SFTP = func(o *testserver.SFTPOptions) {
			o.NoPassword = true
			o.Configure = func(c *ssh.ServerConfig) {
				c.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
					for _, q := range [][2]string{{"Password: ", clitest.Password}, {"Verification code: ", "123456"}} {
						if a, err := ask("", "", []string{q[0]}, []bool{false}); err != nil || !slices.Equal(a, []string{q[1]}) {
							return nil, errors.New("refused")
						}
					}
					return nil, nil
				}
			}
		}
	})
	src := t.TempDir()
	clitest.Write(t, src, map[string]string{"a": "content"})
	args := w.Flags("-parallel", "1", filepath.Join(src, "a"), w.URLOf("sftp", ""))
	uploader.Run(t.Context(), t, args...).Want(t, cli.ExitLogin, "Verification code")

	var mu sync.Mutex
	var asked []string
	c := uploader
	c.Prompt = func(_ context.Context, q string) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, q)
		return "123456", nil
	}
	c.Run(t.Context(), t, args...).Want(t, cli.ExitDone)
	if !slices.Equal(asked, []string{"Verification code: "}) {
		t.Errorf("asked %q", asked)
	}
	clitest.Holds(t, w.Root, clitest.Tree(t, src))
}
