package folder_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestLostSessionsStoreLater: a server that stores a whole object when a file is closed,
// and closes those of lost sessions some time later, may not replace what has been
// reported as done.
func TestLostSessionsStoreLater(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		w := start(t, ftpx.SFTP, func(so *testserver.TrioOptions, _ *ftpx.Options) {
			so.SFTP = func(o *testserver.SFTPOptions) { o.WholeObjects, o.Linger = true, 700*time.Millisecond }
		})
		proxy := faultproxy.New(faultproxy.Options{Seed: seed, Plan: faultproxy.ResetRate(0.7, 10_000, 700_000)})
		t.Cleanup(func() { proxy.Close() })
		route, err := proxy.Route(faultproxy.RouteOptions{Role: faultproxy.SSH, Target: w.SFTP.Addr().String()})
		must(t, err)
		w.connect(t, ftpx.Ports{SFTP: route.Addr().Port})

		files := map[string]string{}
		for i := range 30 {
			files[fmt.Sprintf("f%02d", i)] = content(1000 + i*12_000)
		}
		local := t.TempDir()
		write(t, local, files)
		_, err = folder.Upload(t.Context(), w.client, local, "out", nil)
		must(t, err)
		must(t, w.client.Close())
		must(t, w.SFTP.Close()) // which waits for the last of them
		leftover, err := filepath.Glob(filepath.Join(w.Root, "out", ".*.part"))
		must(t, err)
		for _, name := range leftover { // what comes after the job cannot be removed by it
			must(t, os.Remove(name))
		}
		holds(t, filepath.Join(w.Root, "out"), files)
	}
}
