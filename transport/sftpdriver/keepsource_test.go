package sftpdriver

import (
	"bytes"
	"errors"
	"testing"
	"testing/iotest"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestKeepWhereTheSourceFails: a source of which not a byte came does not cost the file that
// was to be replaced.
func TestKeepWhereTheSourceFails(t *testing.T) {
	old := randomBytes(300_000)
	f := newFake(t, nil)
	f.put("f", old)
	c := f.dial(nil)
	for _, size := range []int64{-1, 10, 1 << 20} {
		q := &transport.Store{Path: "f", Src: iotest.ErrReader(errors.New("the disk")), Size: size, Keep: true}
		if lost := c.Do(t.Context(), transport.NewBatch(q)); lost != nil {
			t.Fatal(lost)
		}
		wantKind(t, q.Err, transport.KindLocal)
		if !bytes.Equal(f.get("f"), old) {
			t.Fatalf("size %d: the file has %d bytes, of which none were sent", size, len(f.get("f")))
		}
	}
}

// TestKeepWhereCutsAreIgnored: servers say yes to a cut and do nothing. Nothing of the old
// file stays behind the new one.
func TestKeepWhereCutsAreIgnored(t *testing.T) {
	data := randomBytes(1000)
	f := newFake(t, func(f *fake) {
		f.onPacket = func(s *fakeSession, typ byte, id uint32, _ *reader) bool {
			if typ == fxpFsetstat {
				s.status(id, fxOK, "")
			}
			return typ == fxpFsetstat
		}
	})
	f.put("f", randomBytes(300_000))
	q := &transport.Store{Path: "f", Src: bytes.NewReader(data), Size: int64(len(data)), Keep: true}
	if lost := f.dial(nil).Do(t.Context(), transport.NewBatch(q)); lost != nil || q.Err != nil {
		t.Fatal(lost, q.Err)
	}
	if got := f.get("f"); !bytes.Equal(got, data) {
		t.Errorf("the file has %d bytes, want %d", len(got), len(data))
	}
}

// TestAppendEmptiesNothing: what has come to a file that was empty when it was looked at stays.
func TestAppendEmptiesNothing(t *testing.T) {
	f := newFake(t, nil)
	f.put("f", []byte("abc"))
	q := &transport.Store{Path: "f", Src: bytes.NewReader([]byte("x")), Size: 1, Append: true}
	if lost := f.dial(nil).Do(t.Context(), transport.NewBatch(q)); lost != nil || q.Err != nil {
		t.Fatal(lost, q.Err)
	}
	if got := f.get("f"); string(got) != "xbc" {
		t.Errorf("the file holds %q", got)
	}
}

// TestKeepOfWhatIsNew: a file that must not be there is not replaced, whatever Keep says.
func TestKeepOfWhatIsNew(t *testing.T) {
	old := randomBytes(1000)
	f := newFake(t, nil)
	f.put("f", old)
	q := &transport.Store{Path: "f", Src: bytes.NewReader([]byte("x")), Size: 1, Keep: true, New: true}
	if lost := f.dial(nil).Do(t.Context(), transport.NewBatch(q)); lost != nil {
		t.Fatal(lost)
	}
	if q.Err == nil || !bytes.Equal(f.get("f"), old) {
		t.Errorf("%v, and the file has %d bytes", q.Err, len(f.get("f")))
	}
}

// TestKeepIsDecidedOnce: what another connection learns of the server after the file was
// opened does not leave the end of the old one in place.
func TestKeepIsDecidedOnce(t *testing.T) {
	learned := &transport.Learned{}
	var addr string
	f := newFake(t, func(f *fake) {
		f.onPacket = func(_ *fakeSession, typ byte, _ uint32, _ *reader) bool {
			if typ == fxpOpen {
				learned.Note(addr, lacksCutting, true)
			}
			return false
		}
	})
	f.put("f", randomBytes(300_000))
	c := f.dial(func(ep *transport.Endpoint) { ep.Learned, addr = learned, ep.Addr() })
	data := randomBytes(1000)
	q := &transport.Store{Path: "f", Src: bytes.NewReader(data), Size: int64(len(data)), Keep: true}
	if lost := c.Do(t.Context(), transport.NewBatch(q)); lost != nil || q.Err != nil {
		t.Fatal(lost, q.Err)
	}
	if got := f.get("f"); !bytes.Equal(got, data) {
		t.Errorf("the file has %d bytes, want the %d that were sent", len(got), len(data))
	}
}
