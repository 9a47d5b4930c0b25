package ftpx_test

import (
	"context"
	"io"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// lingering is a connection that becomes slow in the end.
func lingering(c transport.Conn, far *atomic.Bool) transport.Conn {
	return onRetrieve(c, into(func(dst io.Writer) io.Writer {
		return writerFunc(func(b []byte) (int, error) {
			if far.Load() {
				time.Sleep(2 * wideTrip)
			}
			return dst.Write(b)
		})
	}))
}

// However many connections bring a file, and however long Progress takes, its calls come
// one after the other, and none once the download has returned.
func TestProgressIsToldByOneAtATime(t *testing.T) {
	var far atomic.Bool // nearly all is there
	data, local := content(48<<20), filepath.Join(t.TempDir(), "f")
	synctest.Test(t, func(t *testing.T) {
		w := &wide{Server: memconn.New(memconn.Options{RoundTrip: wideTrip, Rate: wideRate / 2, Chunk: 256 << 10}),
			t: t, proto: ftpx.FTPS, data: data, local: local}
		w.Files().Write("f", data, time.Now().Add(-time.Hour))
		w.wrap = func(n int, c transport.Conn) transport.Conn {
			if n == 1 {
				return c
			}
			return lingering(c, &far) // so that the first is done before the others
		}
		var inside, calls, overlaps, late atomic.Int32
		var returned atomic.Bool
		told := func(i ftpx.ProgressInfo) {
			calls.Add(1)
			if inside.Add(1) > 1 {
				overlaps.Add(1)
			}
			if returned.Load() {
				late.Add(1)
			}
			far.Store(i.Offset > i.Size-4<<20)
			if i.Offset < i.Size {
				time.Sleep(7 * time.Millisecond)
			} else {
				time.Sleep(20 * wideTrip) // longer than what comes behind the last byte takes
			}
			inside.Add(-1)
		}
		c := w.client(func(o *ftpx.Options) {
			o.Hooks = &ftpx.Hooks{Progress: func(_ context.Context, i ftpx.ProgressInfo) { told(i) }}
		})
		w.download(c, &ftpx.DownloadOptions{Progress: told})
		returned.Store(true)
		if n := inside.Load(); n != 0 {
			t.Errorf("%d calls go on after the download", n)
		}
		time.Sleep(time.Second)
		if n := w.Stats().MostOpen; n < 3 || calls.Load() < 50 {
			t.Errorf("%d connections, %d calls", n, calls.Load())
		}
		if overlaps.Load() != 0 || late.Load() != 0 {
			t.Errorf("of %d calls %d came beside another, %d after the end", calls.Load(), overlaps.Load(), late.Load())
		}
	})
}
