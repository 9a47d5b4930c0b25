package sftpdriver

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestOpenRefusedForWantOfRoom: a server that says SSH_FX_FAILURE to the making of a file is
// asked whether its disk is full, or has as many files as it can have. Both are a matter of
// people, and no attempt helps.
func TestOpenRefusedForWantOfRoom(t *testing.T) {
	for name, c := range map[string]struct {
		blocks, files, free uint64 // available blocks, files in all and available
		want                transport.Kind
	}{
		"no blocks": {0, 1000, 1000, transport.KindNoSpace},
		"no files":  {1000, 1000, 0, transport.KindNoSpace},
		"room":      {1000, 1000, 1000, transport.KindTemporary},
		"no count":  {1000, 0, 0, transport.KindTemporary}, // file systems that make them as they are needed
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, func(f *fake) {
				f.extensions[statvfs] = "2"
				f.onPacket = func(s *fakeSession, typ byte, id uint32, r *reader) bool {
					switch typ {
					case fxpOpen:
						s.status(id, fxFailure, "Failure")
					case fxpExtended:
						if r.string() != statvfs {
							return false
						}
						var b []byte
						for _, n := range []uint64{4096, 4096, 1000, c.blocks, c.blocks, c.files, c.free, c.free, 0, 0, 255} {
							b = binary.BigEndian.AppendUint64(b, n)
						}
						s.reply(fxpExtendedReply, id, b)
					default:
						return false
					}
					return true
				}
			})
			_, err := f.dial(nil).Store(t.Context(), "f", 0, bytes.NewReader([]byte("x")), nil)
			if te := wantKind(t, err, c.want); te.Op != "SSH_FXP_OPEN" || te.Code != fxFailure {
				t.Errorf("%+v", te)
			}
		})
	}
}

// TestHashTakesNoLongerThanADay: the size that a server tells is its word, and no reason to
// wait for ever.
func TestHashTakesNoLongerThanADay(t *testing.T) {
	for _, n := range []int64{0, 1 << 30, 1 << 50, math.MaxInt64} {
		if d := hashTakes(n); d < 0 || d > 24*time.Hour {
			t.Errorf("%d bytes: %v", n, d)
		}
	}
	if d := hashTakes(20 << 30); d != 1024*time.Second {
		t.Error(d)
	}
}
