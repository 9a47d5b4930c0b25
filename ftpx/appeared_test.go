package ftpx_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// With NoReplace, a local file that appears while the download is under way stays.
func TestLocalFileThatAppearsMeanwhile(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		s.Files().Write("f", content(100<<10), time.Now())
		local := filepath.Join(t.TempDir(), "f")
		res, err := c.Download(t.Context(), "f", local, &ftpx.DownloadOptions{NoReplace: true, Progress: func(p ftpx.ProgressInfo) {
			if p.Offset == p.Size {
				if err := os.WriteFile(local, []byte("theirs"), 0o600); err != nil {
					t.Error(err)
				}
			}
		}})
		if !errors.Is(err, fs.ErrExist) || res.Outcome != ftpx.NotDone {
			t.Errorf("%+v, %v", res, err)
		}
		wantFile(t, local, []byte("theirs"))
	})
}

// A time that the server tells to the minute alone is no sign that a file has not changed:
// what is there is not taken for the source, though size, minute and tail are the same.
func TestInexactTimeIsNoSign(t *testing.T) {
	inMemory(t, func(o *memconn.Options, c *transport.Caps) { o.Chunk, c.ExactTimes = 256<<10, false }, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		data := content(2 << 20)
		local := localFile(t, data)
		when := time.Date(2025, 11, 3, 4, 5, 0, 0, time.UTC)
		if err := os.Chtimes(local, when, when); err != nil {
			t.Fatal(err)
		}
		old := append([]byte{data[0] ^ 1}, data[1:]...)
		s.Files().Write("f", old, when)
		res, err := c.Upload(t.Context(), local, "f", nil)
		if err != nil || res.Unchanged || res.Moved != int64(len(data)) {
			t.Errorf("%+v, %v", res, err)
		}
		wantOnDisk(t, s, map[string][]byte{"f": data})
	})
}
