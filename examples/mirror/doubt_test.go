package main

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestDeliveredOnce: into a folder of which each file is taken away as it is closed, runs
// with a ledger deliver each file once, and end with the code for what is unknown.
func TestDeliveredOnce(t *testing.T) {
	root := t.TempDir()
	var mu sync.Mutex
	taken := map[string]int{} // by content
	take := func(name string) {
		mu.Lock()
		defer mu.Unlock()
		if b, err := os.ReadFile(filepath.Join(root, name)); err == nil && os.Remove(filepath.Join(root, name)) == nil {
			taken[string(b)]++
		}
	}
	server, err := testserver.StartFTP(testserver.FTPOptions{Root: root, User: clitest.User, Password: clitest.Password, OnStored: take})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	src, ledger := t.TempDir(), filepath.Join(t.TempDir(), "sent.db")
	clitest.Write(t, src, map[string]string{"a": "one", "b": "two"})
	c := clitest.Command{Main: run}
	mirror := func(more ...string) clitest.Seen {
		args := append([]string{"-allow-plaintext", "-ftp-port", strconv.Itoa(server.Port()), "-lock-dir", t.TempDir(), "-ledger", ledger, "-once"}, more...)
		return c.Run(t.Context(), t, append(args, src, "ftp://"+clitest.User+"@127.0.0.1/in")...)
	}
	mirror().Want(t, cli.ExitUnknown, "acknowledged", "2 unknown")
	mirror().Want(t, cli.ExitUnknown, "may have been delivered", "2 unknown")
	if taken["one"] != 1 || taken["two"] != 1 || len(taken) != 2 {
		t.Errorf("delivered: %v", taken)
	}
	mirror("-resend-unknown").Want(t, cli.ExitUnknown)
	if taken["one"] != 2 || taken["two"] != 2 {
		t.Errorf("delivered: %v", taken)
	}
}
