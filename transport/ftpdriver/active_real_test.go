//go:build linux && realserver

package ftpdriver

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Active mode, in clear and under TLS: whole files in both directions, empty ones
// too, and listings.
func TestRealActiveMode(t *testing.T) {
	eachReal(t, func(t *testing.T, srv *realserver.Server, ep *transport.Endpoint) {
		ep.ActiveAddr = ":0"
		l := &log{}
		ep.Trace = l.trace()
		c := dial(t, ep)
		for _, size := range []int{0, 1, 8 << 20} {
			data := random(size)
			if n, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), nil); err != nil || n != int64(size) {
				t.Fatal(n, err)
			}
			sameFile(t, filepath.Join(srv.Root, "f"), data)
			var got bytes.Buffer
			if n, err := c.Retrieve(t.Context(), "f", 0, &got, nil); err != nil || n != int64(size) || !bytes.Equal(got.Bytes(), data) {
				t.Fatal(n, err)
			}
			n := 0
			if err := c.List(t.Context(), ".", func(e transport.Entry) bool { n++; return true }); err != nil || n != 1 {
				t.Error(n, err)
			}
		}
		if !c.Usable() {
			t.Error("the session is given up")
		}
		for _, line := range l.commands() {
			if v := verbOf(line); v == "EPSV" || v == "PASV" {
				t.Error(line)
			}
		}
	})
}
