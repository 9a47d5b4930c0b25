package sftpdriver

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// announces has a fake announce room for 255 KiB in one request. write and read, if not
// nil, see those of more than 32 KiB; true says that it has been dealt with.
func announces(f *fake, write, read func(s *fakeSession, id uint32, body *reader) bool) {
	f.extensions["limits@openssh.com"] = "1"
	f.onPacket = func(s *fakeSession, typ byte, id uint32, body *reader) bool {
		view := &reader{b: body.b}
		name, _, n := view.string(), view.uint64(), view.uint32()
		switch {
		case typ == fxpExtended && name == "limits@openssh.com":
			var b []byte
			for _, n := range []uint64{256 << 10, 255 << 10, 255 << 10, 0} {
				b = binary.BigEndian.AppendUint64(b, n)
			}
			s.reply(fxpExtendedReply, id, b)
			return true
		case typ == fxpWrite && n > safePacket && write != nil:
			return write(s, id, body)
		case typ == fxpRead && n > safePacket && read != nil:
			return read(s, id, body)
		}
		return false
	}
}

// TestLongWritesRefused: a server that refuses longer writes than every server takes, or
// takes their beginning, is sent none any more, on later connections neither, and the
// upload may go on at what it has.
func TestLongWritesRefused(t *testing.T) {
	for name, write := range map[string]func(s *fakeSession, id uint32, body *reader) bool{
		"refused": func(s *fakeSession, id uint32, _ *reader) bool { s.status(id, fxBadMessage, ""); return true },
		"cut": func(s *fakeSession, id uint32, body *reader) bool {
			handle, off, data := body.string(), body.uint64(), body.bytes()
			cut := binary.BigEndian.AppendUint64(putString(nil, handle), off)
			s.handle(fxpWrite, id, &reader{b: putString(cut, string(data[:safePacket]))})
			return true
		},
		"cannot be checked": nil,
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, func(f *fake) {
				announces(f, write, nil)
				if next := f.onPacket; write == nil {
					f.onPacket = func(s *fakeSession, typ byte, id uint32, body *reader) bool {
						if typ == fxpFstat {
							s.status(id, fxOpUnsupported, "")
							return true
						}
						return next(s, typ, id, body)
					}
				}
			})
			learned := &transport.Learned{}
			data := randomBytes(1 << 20)
			dial := func() *client { return f.dial(func(ep *transport.Endpoint) { ep.Learned = learned }) }
			c := dial()
			n, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), &transport.IO{Size: int64(len(data))})
			te := wantKind(t, err, transport.KindTemporary)
			if n <= 0 || n >= int64(len(data)) || !bytes.Equal(f.get("f"), data[:n]) || te.MayHaveActed || !c.Usable() {
				t.Fatal(n, te)
			}
			if errors.Is(err, errCut) != (name == "cut") || errors.Is(err, errUnchecked) != (write == nil) {
				t.Error(err)
			}
			if m, err := c.Store(t.Context(), "f", n, bytes.NewReader(data[n:]), &transport.IO{Size: int64(len(data)) - n}); err != nil ||
				m != int64(len(data))-n || !bytes.Equal(f.get("f"), data) {
				t.Fatal(m, err)
			}
			if _, err := dial().Store(t.Context(), "g", 0, bytes.NewReader(data), &transport.IO{Size: int64(len(data))}); err != nil || !bytes.Equal(f.get("g"), data) {
				t.Fatal(err)
			}
		})
	}
}

// TestLongWritesTaken: what is meant is used, and asked about once a length.
func TestLongWritesTaken(t *testing.T) {
	f := newFake(t, func(f *fake) { announces(f, nil, nil) })
	c := f.dial(nil)
	data := randomBytes(2 << 20)
	for range 2 {
		if _, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), &transport.IO{Size: int64(len(data))}); err != nil || !bytes.Equal(f.get("f"), data) {
			t.Fatal(err)
		}
	}
	if n := f.packets("WRITE"); n > 40 {
		t.Errorf("%d writes", n)
	}
	if n := f.packets("FSTAT"); n > 3 {
		t.Errorf("%d times asked for the size", n)
	}
}

// TestLongReadsRefused: they are read again in shorter ones.
func TestLongReadsRefused(t *testing.T) {
	f := newFake(t, func(f *fake) {
		announces(f, nil, func(s *fakeSession, id uint32, _ *reader) bool { s.status(id, fxFailure, ""); return true })
	})
	data := randomBytes(1<<20 + 7)
	f.put("f", data)
	learned := &transport.Learned{}
	for range 2 {
		c := f.dial(func(ep *transport.Endpoint) { ep.Learned = learned })
		var out bytes.Buffer
		if _, err := c.Retrieve(t.Context(), "f", 0, &out, &transport.IO{Size: int64(len(data))}); err != nil || !bytes.Equal(out.Bytes(), data) {
			t.Fatal(out.Len(), err)
		}
	}
	if !learned.Lacks(f.endpoint().Addr(), lacksLargeReads) {
		t.Error("not remembered")
	}
}

// TestReadsWithoutSize: where the server does not tell the size of an open file, no more is
// asked for than the caller expects, and one read beyond.
func TestReadsWithoutSize(t *testing.T) {
	f := newFake(t, func(f *fake) {
		f.onPacket = func(s *fakeSession, typ byte, id uint32, _ *reader) bool {
			if typ == fxpFstat {
				s.status(id, fxOpUnsupported, "")
			}
			return typ == fxpFstat
		}
	})
	data := randomBytes(100_000)
	f.put("f", data)
	c := f.dial(nil)
	var out bytes.Buffer
	if _, err := c.Retrieve(t.Context(), "f", 0, &out, &transport.IO{Size: int64(len(data))}); err != nil || !bytes.Equal(out.Bytes(), data) {
		t.Fatal(out.Len(), err)
	}
	f.await("CLOSE", 1)
	if n := f.packets("READ"); n != 5 {
		t.Errorf("%d reads", n)
	}
}

// TestReadAnswersTooMuch: it is not known then which of the bytes were meant.
func TestReadAnswersTooMuch(t *testing.T) {
	f := newFake(t, func(f *fake) {
		f.onPacket = func(s *fakeSession, typ byte, id uint32, body *reader) bool {
			if typ != fxpRead {
				return false
			}
			name, off, n := body.string(), body.uint64(), body.uint32()
			more := binary.BigEndian.AppendUint64(putString(nil, name), off)
			s.handle(fxpRead, id, &reader{b: binary.BigEndian.AppendUint32(more, n+1)})
			return true
		}
	})
	f.put("f", randomBytes(200_000))
	var out bytes.Buffer
	_, err := f.dial(nil).Retrieve(t.Context(), "f", 0, &out, nil)
	if te := wantKind(t, err, transport.KindProtocol); !strings.Contains(te.Error(), "32769 bytes came where 32768") || out.Len() > 0 {
		t.Error(out.Len(), err)
	}
}
