package ftpx_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
)

// Of a part with gaps the state notes often what is there, and seldom what has reached the
// disk. The one is not taken for the other: before the first sync nothing has.
func TestNotesOfSegmentsAreNoSync(t *testing.T) {
	data, local := content(48<<20), filepath.Join(t.TempDir(), "f")
	synctest.Test(t, func(t *testing.T) {
		w := &wide{Server: memconn.New(memconn.Options{RoundTrip: wideTrip, Rate: wideRate / 2, Chunk: 256 << 10}),
			t: t, proto: ftpx.FTPS, data: data, local: local}
		w.Files().Write("f", data, time.Now().Add(-time.Hour))
		var mu sync.Mutex
		var begin time.Time
		noted := 0
		w.download(w.client(nil), &ftpx.DownloadOptions{Progress: func(i ftpx.ProgressInfo) {
			mu.Lock()
			defer mu.Unlock()
			if begin.IsZero() {
				begin = time.Now()
			}
			if time.Since(begin) > 1900*time.Millisecond { // the first sync is due after two seconds
				return
			}
			b, err := os.ReadFile(local + ".part.state")
			var state struct {
				Durable  int64
				Segments [][2]int64 `json:"pieces"`
				Synced   [][2]int64
			}
			if err == nil {
				err = json.Unmarshal(b, &state)
			}
			if err != nil {
				t.Error(err)
			}
			if state.Segments != nil {
				noted++
			}
			there := int64(0)
			for _, p := range state.Synced {
				there += p[1] - p[0]
			}
			if there != 0 || state.Durable != 0 {
				t.Errorf("%d and %d bytes are named as synced at %d", state.Durable, there, i.Offset)
			}
		}})
		if noted < 10 {
			t.Errorf("%d notes were seen", noted)
		}
	})
}
