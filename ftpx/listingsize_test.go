package ftpx_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestMaxListing: what the entries of a listing may take is an option, and the error that
// ends a longer one names it. Meanwhile the process holds little more than that.
func TestMaxListing(t *testing.T) {
	eachEndless(t, 0, func(t *testing.T, c ftpx.Client, _ *endless) {
		const most = 16 << 20
		ftpx.SetMaxListing(c, most)
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		before := m.HeapSys - m.HeapReleased
		for _, err := range c.List(t.Context(), ".") {
			if !errors.Is(err, transport.ErrListingTooLong) || !strings.Contains(err.Error(), "16 MiB") || !strings.Contains(err.Error(), "MaxListing") {
				t.Error(err)
			}
		}
		runtime.ReadMemStats(&m)
		if grown := int64(m.HeapSys-m.HeapReleased) - int64(before); grown > 3*most {
			t.Errorf("the heap has grown by %d MiB", grown>>20)
		}
	})
	_, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.1", Options: ftpx.Options{MaxListing: -1}})
	if err == nil || !strings.Contains(err.Error(), "Options.MaxListing is -1") {
		t.Error(err)
	}
}
