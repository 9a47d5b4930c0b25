//go:build linux && realserver

package ftpdriver

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRealSmallFiles: small files one after the other, what follows each asked for with
// it. vsftpd and ProFTPD read that when the transfer is over, and never refuse it.
func TestRealSmallFiles(t *testing.T) {
	all := random(smallFile)
	mtime := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	eachReal(t, func(t *testing.T, srv *realserver.Server, ep *transport.Endpoint) {
		l := &log{}
		ep.Trace = l.trace()
		c := dial(t, ep)
		const files = 40
		size := func(i int) int { return i * smallFile / (files - 1) }
		for i := range files {
			f := &Finish{More: true, ModTime: mtime}
			data := all[:size(i)]
			if n, err := c.Store(t.Context(), fmt.Sprint("f", i), 0, bytes.NewReader(data), &IO{Size: int64(len(data)), Finish: f}); err != nil || n != int64(len(data)) {
				t.Fatal(i, n, err)
			}
			if len(data) > 0 && (!f.TimeSet || f.Entry == nil || f.Entry.Size != int64(len(data))) {
				t.Fatalf("%d: %+v", i, f)
			}
		}
		for i := range files {
			var got bytes.Buffer
			seen := func(e transport.Entry) error {
				if e.Size != int64(size(i)) || i > 0 && !e.ModTime.Equal(mtime) {
					t.Errorf("%d: %+v", i, e)
				}
				return nil
			}
			if n, err := c.RetrieveLook(t.Context(), fmt.Sprint("f", i), &got, nil, true, seen); err != nil || !bytes.Equal(got.Bytes(), all[:size(i)]) {
				t.Fatal(i, n, err)
			}
		}
		early, late := 0, 0 // ports that were asked for before, and after, the end of a transfer
		moving := false
		for line := range strings.Lines(l.String()) {
			switch line = strings.TrimSpace(line); {
			case strings.Contains(line, "transfer in progress"):
				t.Error(line)
			case strings.HasPrefix(line, "> STOR"), strings.HasPrefix(line, "> RETR"):
				moving = true
			case strings.HasPrefix(line, "< Transfer complete"):
				moving = false
			case line == "> EPSV" && moving:
				early++
			case line == "> EPSV":
				late++
			}
		}
		if srv.Kind != realserver.PureFTPd && (early < 2*files-2 || late > 2) {
			t.Errorf("%d ports asked for early, %d late", early, late)
		}
	})
}
