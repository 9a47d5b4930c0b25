package folder_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestHandlesReused: Erlang's SFTP server gives the handle of an open file to another one.
// No file may end up with bytes of another, and once it is known it does not happen.
func TestHandlesReused(t *testing.T) {
	w := start(t, ftpx.SFTP, func(so *testserver.TrioOptions, _ *ftpx.Options) {
		so.SFTP = func(o *testserver.SFTPOptions) { o.ReuseHandles = true }
	})
	proxy := faultproxy.New(faultproxy.Options{Seed: 1, Shape: faultproxy.Shape{UpDelay: time.Millisecond, DownDelay: time.Millisecond}})
	t.Cleanup(func() { proxy.Close() })
	route, err := proxy.Route(faultproxy.RouteOptions{Role: faultproxy.SSH, Target: w.SFTP.Addr().String()})
	must(t, err)
	ports := ftpx.Ports{SFTP: route.Addr().Port}

	local := t.TempDir()
	files := map[string]string{"large": strings.Repeat("large ", 100_000)}
	for i := range 120 {
		files[fmt.Sprintf("d%d/f%03d", i%4, i)] = strings.Repeat(fmt.Sprintf("%03d ", i), i*4500/120/4)
	}
	write(t, local, files)
	opts := &folder.Options{Parallel: 8}
	for _, round := range []string{"first", "second"} { // the server is new to each client
		w.connect(t, ports)
		before := w.SFTP.Stats().HandlesReused
		_, err = folder.Upload(t.Context(), w.client, local, round, opts)
		must(t, err)
		holds(t, filepath.Join(w.Root, round), files)
		found := w.SFTP.Stats().HandlesReused
		if found == before {
			t.Error("no handle was given away twice: the upload shows nothing")
		}
		back := t.TempDir()
		_, err = folder.Download(t.Context(), w.client, round, back, opts)
		must(t, err)
		holds(t, back, files)
		if now := w.SFTP.Stats().HandlesReused; now != found {
			t.Errorf("%d more were, although the server was known", now-found)
		}

		w.connect(t, ports)
		fresh := t.TempDir()
		_, err = folder.Download(t.Context(), w.client, round, fresh, opts)
		must(t, err)
		holds(t, fresh, files)
		if now := w.SFTP.Stats().HandlesReused; now == found {
			t.Error("no handle was given away twice: the download shows nothing")
		}
	}
}
