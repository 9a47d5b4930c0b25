package ftpx_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// inverted is another content of the same size.
func inverted(data []byte) []byte {
	other := bytes.Clone(data)
	for i := range other {
		other[i] ^= 0x55
	}
	return other
}

// Where the name is another file's by the time further connections come, they fetch nothing of
// it: the first, which has the old file open, brings all of that by itself.
func TestSeveralConnectionsForAnotherFile(t *testing.T) {
	onWideLine(t, nil, func(t *testing.T, w *wide) {
		mtime, old := time.Now().Add(-time.Hour), w.data
		w.Files().Write("f", old, mtime)
		w.wrap = func(n int, c transport.Conn) transport.Conn {
			if n == 1 {
				return pinned(c, old)
			}
			w.Files().Write("f", inverted(old), mtime.Add(time.Minute))
			return c
		}
		if res, _ := w.download(w.client(nil), nil); res.Attempts != 1 || w.dials < 2 {
			t.Errorf("%+v, %d dials", res, w.dials)
		}
	})
}

// Of a file that several connections have fetched the time is looked at when all is there: one
// that has been exchanged by then is fetched again.
func TestSeveralConnectionsAreFollowedByALook(t *testing.T) {
	onWideLine(t, nil, func(t *testing.T, w *wide) {
		other, mtime := inverted(w.data), time.Now().Add(-time.Hour)
		w.Files().Write("f", w.data, mtime)
		w.wrap = func(_ int, c transport.Conn) transport.Conn { return c }
		exchanged := false
		c := w.client(nil)
		w.data = other
		res, _ := w.download(c, &ftpx.DownloadOptions{Progress: func(p ftpx.ProgressInfo) {
			if p.Offset == p.Size && !exchanged {
				exchanged = true
				w.Files().Write("f", other, mtime.Add(time.Minute))
			}
		}})
		if res.Attempts < 2 || w.dials < 2 {
			t.Errorf("%+v, %d dials", res, w.dials)
		}
	})
}
