package main

import (
	"context"
	"os"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestInterrupted: after an interruption in the middle of a file the next run goes
// on from there, and until then nothing bears the file's name.
func TestInterrupted(t *testing.T) {
	const heldAt = 3 << 20
	data := clitest.Content(2 * heldAt)
	for _, scheme := range []string{"sftp", "ftpes"} {
		t.Run(scheme, func(t *testing.T) {
			var free atomic.Bool
			proxy := faultproxy.New(faultproxy.Options{Plan: func(i faultproxy.ConnInfo) faultproxy.Fault {
				if i.Role == faultproxy.Control || free.Load() {
					return faultproxy.Fault{}
				}
				return faultproxy.StallAt(faultproxy.Down, heldAt)
			}})
			defer proxy.Close()
			w := clitest.Start(t, func(o *testserver.TrioOptions) { o.PassivePorts = proxy.PassivePorts(faultproxy.PassiveOptions{}) })
			clitest.Write(t, w.Root, map[string]string{"big": data})
			role, target := faultproxy.SSH, w.SFTP.Addr().String()
			if scheme != "sftp" {
				role, target = faultproxy.Control, w.FTP.Addr().String()
			}
			route, err := proxy.Route(faultproxy.RouteOptions{Role: role, Target: target})
			if err != nil {
				t.Fatal(err)
			}
			if _, w.KnownHosts, err = w.WriteFiles(t.TempDir(), route.Addr().String()); err != nil {
				t.Fatal(err)
			}
			in := t.TempDir()
			args := []string{"-json", "-known-hosts", w.KnownHosts, "-ca", w.CAFile,
				scheme + "://" + clitest.User + "@127.0.0.1:" + strconv.Itoa(route.Port()) + "/big", in}

			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			seen := make(chan clitest.Seen)
			go func() { seen <- downloader.Run(ctx, t, args...) }()
			// What is held has been sent; what has been written here is seen here. The first
			// few bytes may be all that is there for a while, and less than is worth going on from.
			clitest.Until(t, "the line is held and more than a beginning has arrived", func() bool {
				info, err := os.Stat(in + "/big.part")
				return proxy.Stats().Stalls > 0 && err == nil && info.Size() > 16<<10
			})
			cancel()
			(<-seen).Want(t, cli.ExitInterrupted)
			tree := clitest.Tree(t, in)
			if part := tree["big.part"]; len(tree) != 2 || part == "" || tree["big.part.state"] == "" || data[:len(part)] != part {
				t.Errorf("%d files are left, %d bytes in the partial", len(tree), len(part))
			}

			free.Store(true)
			records, _ := downloader.Run(t.Context(), t, args...).Want(t, cli.ExitDone).Records(t)
			if r := records[0]; r.Kept == 0 || r.Kept+r.Moved < r.Size || r.Moved >= r.Size {
				t.Errorf("the second run did not go on: %+v", r)
			}
			clitest.Holds(t, in, map[string]string{"big": data})
		})
	}
}
