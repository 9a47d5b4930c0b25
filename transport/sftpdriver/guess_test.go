package sftpdriver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// answersAt makes a server that answers nothing before so many requests have come
// behind the first of the type: those that wait for an answer wait for ever.
func answersAt(f *fake, first byte, n int) {
	type request struct {
		typ  byte
		id   uint32
		body []byte
	}
	var held []request
	f.onPacket = func(s *fakeSession, typ byte, id uint32, body *reader) bool {
		if typ != first && len(held) == 0 || n == 0 {
			return false
		}
		held = append(held, request{typ, id, bytes.Clone(body.b)})
		if len(held) == n {
			for _, r := range held {
				s.handle(r.typ, r.id, &reader{b: r.body})
			}
			held, n = nil, 0
		}
		return true
	}
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// TestGuessMakesTheFile: both looks and the making of a new file take one round trip,
// and the Store does not open it again.
func TestGuessMakesTheFile(t *testing.T) {
	f := newFake(t, func(f *fake) { answersAt(f, fxpStat, 3) })
	f.put("dest", []byte("hello"))
	c := f.dial(nil)
	data := randomBytes(1 << 20)
	dest, partial := &transport.Stat{Path: "dest"}, &transport.Stat{Path: "partial"}
	put := &transport.Store{Path: "partial", Src: bytes.NewReader(data), Size: int64(len(data))}
	put.If = func() bool {
		if dest.Err != nil || dest.Entry.Size != 5 || dest.Entry.Name != "dest" {
			t.Errorf("%+v", dest)
		}
		wantKind(t, partial.Err, transport.KindNotExist)
		var te *transport.Error
		if !errors.As(partial.Err, &te) || te.Path != "partial" {
			t.Errorf("%v", partial.Err)
		}
		return true
	}
	if err := c.Do(soon(t), transport.NewBatch(dest, partial, put)); err != nil || put.Err != nil || put.Stored != int64(len(data)) || !bytes.Equal(f.get("partial"), data) {
		t.Fatal(put.Stored, put.Err, err)
	}
	if n := f.packets("OPEN"); n != 1 {
		t.Errorf("opened %d times", n)
	}
	// What was made was for one Store.
	if n, err := c.Store(t.Context(), "partial", 0, bytes.NewReader(data[:9]), nil); err != nil || n != 9 || !bytes.Equal(f.get("partial"), data[:9]) {
		t.Fatal(n, err)
	}
	if n := f.packets("OPEN"); n != 2 {
		t.Errorf("opened %d times", n)
	}
}

// TestGuessOfWhatExists: what exists is left as it is, also by a server that opens it
// against the client's word, and goes when the condition is met all the same.
func TestGuessOfWhatExists(t *testing.T) {
	for _, ignores := range []bool{false, true} {
		t.Run(fmt.Sprint("ignores=", ignores), func(t *testing.T) {
			f := newFake(t, func(f *fake) { f.ignoresExcl = ignores })
			f.put("partial", []byte("half of"))
			c := f.dial(nil)
			for _, met := range []bool{false, true} {
				look, put := &transport.Stat{Path: "partial"}, &transport.Store{Path: "partial", Src: bytes.NewReader([]byte("new"))}
				put.If = func() bool {
					if look.Err != nil || look.Entry.Size != 7 {
						t.Errorf("%+v", look)
					}
					if got := f.get("partial"); string(got) != "half of" {
						t.Errorf("%q", got)
					}
					return met
				}
				if err := c.Do(t.Context(), transport.NewBatch(look, put)); err != nil || met != put.OK() {
					t.Fatal(err, put.Err)
				}
				if got := f.get("partial"); met != (string(got) == "new") {
					t.Fatalf("%q", got)
				}
			}
			closes := map[bool]int{true: 3, false: 1}
			f.await("CLOSE", closes[ignores])
			if opens := f.packets("OPEN"); opens != 3 {
				t.Errorf("%d opens", opens)
			}
		})
	}
}

// refusing is a batch that looks at a file, and stores one under a condition that is
// not met.
func refusing(name string, meanwhile func()) (*transport.Batch, *transport.Stat) {
	look, put := &transport.Stat{Path: name}, &transport.Store{Path: name, Src: bytes.NewReader([]byte("never"))}
	put.If = func() bool {
		meanwhile()
		return false
	}
	return transport.NewBatch(look, put), look
}

// TestGuessIsTakenBack: a file that was made for a Store that does not come is removed.
func TestGuessIsTakenBack(t *testing.T) {
	f := newFake(t, nil)
	c := f.dial(nil)
	batch, look := refusing("partial", func() {
		if f.get("partial") != nil || !slices.Contains(f.names(), "partial") {
			t.Errorf("%q", f.names())
		}
	})
	if err := c.Do(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	wantKind(t, look.Err, transport.KindNotExist)
	if slices.Contains(f.names(), "partial") {
		t.Errorf("%q", f.names())
	}
	f.await("CLOSE", 1)
	if removes := f.packets("REMOVE"); removes != 1 {
		t.Errorf("%d removes", removes)
	}
	// Without a Store in view nothing is made.
	_, err := c.Stat(t.Context(), "partial")
	wantKind(t, err, transport.KindNotExist)
	if slices.Contains(f.names(), "partial") {
		t.Error("made")
	}
}

func (f *fake) names() (names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name := range f.files {
		names = append(names, name)
	}
	return names
}

// TestGuessOnALostConnection says of every request that it was not carried out, and of
// the file that it may have been made.
func TestGuessOnALostConnection(t *testing.T) {
	f := newFake(t, func(f *fake) {
		f.onPacket = func(s *fakeSession, typ byte, _ uint32, _ *reader) bool {
			if typ == fxpOpen {
				_ = s.conn.Close()
			}
			return typ == fxpStat
		}
	})
	c := f.dial(nil)
	dest, partial := &transport.Stat{Path: "dest"}, &transport.Stat{Path: "partial"}
	put := &transport.Store{Path: "partial", Src: bytes.NewReader(nil)}
	put.If = func() bool { t.Error("asked"); return true }
	last := &transport.Mkdir{Path: "d"}
	wantKind(t, c.Do(soon(t), transport.NewBatch(dest, partial, put, last)), transport.KindLost)
	wantKind(t, dest.Err, transport.KindLost)
	if partial.Err != transport.ErrUnsent || last.Err != transport.ErrUnsent {
		t.Errorf("%v, %v", partial.Err, last.Err)
	}
	if te := wantKind(t, put.Err, transport.KindLost); !te.MayHaveActed {
		t.Errorf("%+v", te)
	}
}

// TestRetrieveBehindStat: the look and the opening take one round trip.
func TestRetrieveBehindStat(t *testing.T) {
	f := newFake(t, func(f *fake) { answersAt(f, fxpStat, 2) })
	data := randomBytes(3 << 20)
	f.put("f", data)
	c := f.dial(nil)
	var out bytes.Buffer
	var moved int64
	look, get := &transport.Stat{Path: "f"}, &transport.Retrieve{Path: "f", Dst: &out, Progress: func(n int64) { moved += n }}
	asked := 0
	get.If = func() bool {
		if asked++; look.Err != nil || look.Entry.Size != int64(len(data)) || look.Entry.Name != "f" || look.Entry.Type != transport.TypeFile {
			t.Errorf("%+v", look)
		}
		return true
	}
	if err := c.Do(soon(t), transport.NewBatch(look, get)); err != nil || get.Err != nil {
		t.Fatal(err, get.Err)
	}
	if n := get.Received; n != int64(len(data)) || moved != n || !bytes.Equal(out.Bytes(), data) || asked != 1 {
		t.Fatal(n, moved, asked)
	}
	f.await("CLOSE", 1)
	if opens := f.packets("OPEN"); opens != 1 {
		t.Errorf("%d opens", opens)
	}
}

// TestRetrieveBehindStatRefused by the server, and by the caller. Nothing stays open.
func TestRetrieveBehindStatRefused(t *testing.T) {
	f := newFake(t, nil)
	f.put("f", []byte("content"))
	c := f.dial(nil)
	for name, there := range map[string]bool{"missing": false, "f": true, "./f": false} {
		look, get := &transport.Stat{Path: name}, &transport.Retrieve{Path: name, Dst: io.Discard}
		get.If = func() bool { return look.OK() && look.Entry.Size > 100 }
		if err := c.Do(t.Context(), transport.NewBatch(look, get)); err != nil || get.Err != transport.ErrSkipped || look.OK() != there {
			t.Errorf("%v, %v, %v", err, look.Err, get.Err)
		}
	}
	if err := c.Ping(t.Context()); err != nil || !c.Usable() {
		t.Error(err)
	}
	f.await("CLOSE", 1)
	if opens := f.packets("OPEN"); opens != 3 {
		t.Errorf("%d opens", opens)
	}
}

// TestGuessLeavesWhatOthersWrite, and is taken back for a caller that has given up.
func TestGuessLeavesWhatOthersWrite(t *testing.T) {
	f := newFake(t, nil)
	c := f.dial(nil)
	batch, _ := refusing("others", func() { f.put("others", []byte("begun by another process")) })
	if err := c.Do(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	for _, met := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		batch, _ := refusing("mine", cancel)
		put := batch.Requests[1].(*transport.Store)
		if refuse := put.If; met {
			put.If = func() bool { return !refuse() }
		}
		err := c.Do(ctx, batch)
		if met {
			wantKind(t, err, transport.KindCanceled)
			if te := wantKind(t, put.Err, transport.KindCanceled); te.MayHaveActed {
				t.Errorf("%+v", te)
			}
		} else if err != nil || put.Err != transport.ErrSkipped {
			t.Error(err, put.Err)
		}
	}
	if names := f.names(); !slices.Equal(names, []string{"others"}) {
		t.Errorf("%q", names)
	}
	f.await("CLOSE", 3)
	if !c.Usable() {
		t.Error("the connection is no longer usable")
	}
}
