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
			data := all[:size(i)]
			name := fmt.Sprint("f", i)
			store := &transport.Store{Path: name, Src: bytes.NewReader(data), Size: int64(len(data))}
			when, stat := &transport.SetTime{Path: name, Time: mtime}, &transport.Stat{Path: name}
			if err := c.do(t.Context(), store, when, stat, more()); err != transport.ErrSkipped || store.Stored != int64(len(data)) {
				t.Fatal(i, store.Stored, err)
			}
			if stat.Err != nil || stat.Entry.Size != int64(len(data)) || !stat.Entry.ModTime.Equal(mtime) {
				t.Fatalf("%d: %+v", i, stat)
			}
		}
		for i := range files {
			var got bytes.Buffer
			name := fmt.Sprint("f", i)
			stat, get := &transport.Stat{Path: name}, &transport.Retrieve{Path: name, Dst: &got}
			get.If = func() bool {
				if e := stat.Entry; e.Size != int64(size(i)) || !e.ModTime.Equal(mtime) {
					t.Errorf("%d: %+v", i, e)
				}
				return true
			}
			if err := c.do(t.Context(), stat, get, more()); err != transport.ErrSkipped || !bytes.Equal(got.Bytes(), all[:size(i)]) {
				t.Fatal(i, get.Received, err)
			}
		}
		prefetched, late := 0, 0 // ports that were asked for before, and after, the end of a transfer
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
				prefetched++
			case line == "> EPSV":
				late++
			}
		}
		if srv.Kind != realserver.PureFTPd && (prefetched < 2*files-2 || late > 2) {
			t.Errorf("%d ports asked for in advance, %d late", prefetched, late)
		}
	})
}
