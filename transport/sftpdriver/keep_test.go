package sftpdriver

import (
	"bytes"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestKeepUntilAcknowledged: with Keep the file holds what it held until the first write is
// acknowledged; one that is refused, or whose answer never comes, leaves it.
func TestKeepUntilAcknowledged(t *testing.T) {
	old, data := randomBytes(300_000), randomBytes(200_000)
	for name, tt := range map[string]struct {
		answer func(s *fakeSession, id uint32) // to the first write, nil for the server's own
		kind   transport.Kind
	}{
		"written": {},
		"refused": {func(s *fakeSession, id uint32) { s.status(id, fxPermissionDenied, "no") }, transport.KindPermission},
		"full":    {func(s *fakeSession, id uint32) { s.status(id, fxFailure, "No space left on device") }, transport.KindNoSpace},
		"lost":    {func(s *fakeSession, _ uint32) { s.f.cut() }, transport.KindLost},
	} {
		t.Run(name, func(t *testing.T) {
			writes, cuts := 0, 0
			f := newFake(t, func(f *fake) {
				f.onPacket = func(s *fakeSession, typ byte, id uint32, _ *reader) bool {
					switch typ {
					case fxpWrite:
						if writes++; writes == 1 && !bytes.Equal(f.get("f"), old) {
							t.Error("the file was emptied before anything was written to it")
						}
						if writes == 1 && tt.answer != nil {
							tt.answer(s, id)
							return true
						}
					case fxpFsetstat:
						cuts++
					}
					return false
				}
			})
			f.put("f", old)
			c := f.dial(nil)
			q := &transport.Store{Path: "f", Src: bytes.NewReader(data), Size: int64(len(data)), Keep: true}
			lost := c.Do(t.Context(), transport.NewBatch(q))
			if tt.answer != nil {
				wantKind(t, q.Err, tt.kind)
				if !bytes.Equal(f.get("f"), old) || cuts > 0 {
					t.Errorf("the file is not as it was, and was cut %d times", cuts)
				}
				return
			}
			if lost != nil || q.Err != nil || q.Stored != int64(len(data)) || !bytes.Equal(f.get("f"), data) || cuts != 1 {
				t.Errorf("%v, %v, %d stored, %d cuts", lost, q.Err, q.Stored, cuts)
			}
		})
	}
}
