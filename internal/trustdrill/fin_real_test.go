//go:build linux && realserver

package trustdrill

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

// TestFinOnDataConnections closes 12.7 % of the data connections early and
// cleanly, at a random byte. To a server and to a client that is the end of the
// file: lftp's uploads and bare jlaffaye/ftp's downloads get one in seven wrong.
// Never may there be a short file under the final name, at no moment, and in the
// end all are whole.
func TestFinOnDataConnections(t *testing.T) {
	const rate, size = 0.127, 200_000
	files := lessIfShort(120, 30)
	for _, s := range append([]setup{vsftpd12}, ftpSetups...) {
		for _, dir := range []faultproxy.Dir{faultproxy.Up, faultproxy.Down} {
			t.Run(fmt.Sprintf("%s/%v", s.name, dir), func(t *testing.T) {
				r := newRig(t, s)
				r.planData(faultproxy.Sometimes(rate, 1, size, faultproxy.Fault{Kind: faultproxy.FIN, Dir: dir}))
				c := r.client(t)
				target := r.srv.Root
				if dir == faultproxy.Down {
					target = t.TempDir()
				}
				stop, short := lookForShortFiles(target, size)
				var retries atomic.Int64
				parallel(files, 4, func(i int) {
					name, data := fmt.Sprintf("f%03d", i), content(byte(i), size)
					var res ftpx.Result
					var err error
					if dir == faultproxy.Up {
						res, err = c.Upload(t.Context(), local(t, data), name, nil)
					} else {
						r.put(t, name, data)
						res, err = c.Download(t.Context(), name, filepath.Join(target, name), nil)
					}
					if err != nil || res.Outcome != ftpx.Done || !same(t, filepath.Join(target, name), data) {
						t.Errorf("%s: %+v, %v", name, res, err)
					}
					retries.Add(int64(res.Attempts - 1))
				})
				if n := stop(); n > 0 {
					t.Errorf("%d times there was a short file under a final name: %v", n, *short)
				}
				stats, cs := r.proxy.Stats(faultproxy.Data), c.Stats()
				t.Logf("%d files, %d whole; %d of %d data connections ended early; %d further attempts; sent %.3f and received %.3f times the bytes needed",
					files, cs.Done, stats.FINs, stats.Conns, retries.Load(), float64(cs.BytesSent)/float64(files*size), float64(cs.BytesReceived)/float64(files*size))
				if cs.Done != int64(files) || stats.FINs < int64(files)/20 {
					t.Errorf("%d done, %d ended early: %+v", cs.Done, stats.FINs, cs)
				}
				if dir == faultproxy.Up && len(r.partials(t)) > 0 {
					t.Errorf("left: %v", r.partials(t))
				}
			})
		}
	}
}

// lookForShortFiles looks at a folder, all the time, for files under their final
// names that are not of full size. stop returns how often there was one.
func lookForShortFiles(dir string, size int64) (stop func() int, example *string) {
	quit, done, n := make(chan struct{}), make(chan struct{}), 0
	example = new(string)
	go func() {
		defer close(done)
		for {
			select {
			case <-quit:
				return
			default:
			}
			entries, _ := os.ReadDir(dir)
			for _, e := range entries {
				if info, err := e.Info(); err == nil && e.Name()[0] == 'f' && filepath.Ext(e.Name()) == "" && info.Size() != size {
					n++
					*example = fmt.Sprintf("%s with %d bytes", e.Name(), info.Size())
				}
			}
		}
	}()
	return func() int { close(quit); <-done; return n }, example
}

// parallel calls f with 0 to n-1, w calls at a time.
func parallel(n, w int, f func(int)) {
	var wg sync.WaitGroup
	var next atomic.Int64
	for range w {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
