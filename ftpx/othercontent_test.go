package ftpx_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// The reply to the rename is lost, the partial is gone, and under the final name is a
// file of the right size that is not what was sent: an old version, or another writer's.
// Nobody can tell what became of the upload, and so does the error; that file is left alone.
func TestLostRenameAndAnotherFileOfTheSize(t *testing.T) {
	data := content(200 << 10)
	differs := func(at int) []byte {
		other := bytes.Clone(data)
		other[at] ^= 1
		return other
	}
	for name, tt := range map[string]struct {
		caps  func(*transport.Caps)
		other []byte
	}{
		"by tail, all of it":          {nil, content(200<<10 + 1)[1:]},
		"by tail, its last byte":      {nil, differs(len(data) - 1)},
		"by tail, the tail's first":   {nil, differs(len(data) - 64<<10)},
		"by hash of ranges":           {func(c *transport.Caps) { c.Hashes, c.HashRanges = []string{"sha256"}, true }, differs(0)},
		"by hash of the whole":        {func(c *transport.Caps) { c.Hashes = []string{"sha256"} }, differs(0)},
		"by hash, in its last byte":   {func(c *transport.Caps) { c.Hashes = []string{"sha256"} }, differs(len(data) - 1)},
		"by hash, all of it, by md5":  {func(c *transport.Caps) { c.Hashes = []string{"md5"} }, content(200<<10 + 1)[1:]},
		"an old version, by its tail": {nil, append(content(100<<10), data[:100<<10]...)},
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(_ *memconn.Options, c *transport.Caps) {
				if tt.caps != nil {
					tt.caps(c)
				}
			}, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
				renames := 0
				s.Inject(func(op memconn.OpInfo) memconn.Fault {
					if !rename(op) || op.Step != memconn.StepRequest {
						return memconn.Fault{}
					}
					if renames++; renames == 1 {
						s.Files().Remove(op.Path)
						s.Files().Write("f", tt.other, time.Now())
					}
					return memconn.Fault{Do: memconn.LostBefore}
				})
				res, err := c.Put(t.Context(), "f", bytes.NewReader(data), nil)
				var e *ftpx.Error
				if !errors.As(err, &e) || e.Outcome != ftpx.Unknown || res.Outcome != ftpx.Unknown {
					t.Errorf("%+v, %v: want the outcome unknown", res, err)
				}
				if renames != 1 {
					t.Errorf("%d renames", renames)
				}
				wantOnDisk(t, s, map[string][]byte{"f": tt.other})
			})
		})
	}
}
