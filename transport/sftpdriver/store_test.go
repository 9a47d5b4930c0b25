package sftpdriver

import (
	"bytes"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestStoreOnALineThatBreaksEarly: a packet that is cut off is lost as a whole, so
// that a file of many packets begins and ends with small ones.
func TestStoreOnALineThatBreaksEarly(t *testing.T) {
	var sizes []int
	f := newFake(t, func(f *fake) {
		withLimits(f)
		f.onPacket = func(_ *fakeSession, typ byte, _ uint32, r *reader) bool {
			if typ == fxpWrite {
				r.string()
				r.uint64()
				sizes = append(sizes, len(r.bytes()))
			}
			return false
		}
	})
	c := f.dial(nil)
	for _, size := range []int{2_000_000, 100_000} {
		sizes = nil
		data := randomBytes(size)
		if n, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), &transport.IO{Size: int64(size)}); err != nil || n != int64(size) || !bytes.Equal(f.get("f"), data) {
			t.Fatal(n, err)
		}
		if many := size > largestPacket; many && (sizes[0] != safePacket || sizes[1] != 2*safePacket || sizes[4] != largestPacket || sizes[len(sizes)-1] > safePacket) || !many && len(sizes) != 1 {
			t.Errorf("%d bytes went in packets of %v", size, sizes)
		}
	}
}
