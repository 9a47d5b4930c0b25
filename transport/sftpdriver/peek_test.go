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

// TestPeekMakesTheFile: both looks and the making of a new file take one round trip,
// and the Store that follows does not open it again.
func TestPeekMakesTheFile(t *testing.T) {
	f := newFake(t, func(f *fake) { answersAt(f, fxpStat, 3) })
	f.put("dest", []byte("hello"))
	c := f.dial(nil)
	looked := c.Peek(soon(t), true, "dest", "partial")
	if len(looked) != 2 || looked[0].Err != nil || looked[0].Entry.Size != 5 || looked[0].Entry.Name != "dest" {
		t.Fatalf("%+v", looked)
	}
	wantKind(t, looked[1].Err, transport.KindNotExist)
	var te *transport.Error
	if !errors.As(looked[1].Err, &te) || te.Path != "partial" {
		t.Errorf("%v", looked[1].Err)
	}
	data := randomBytes(1 << 20)
	n, err := c.Store(t.Context(), "partial", 0, bytes.NewReader(data), &transport.IO{Size: int64(len(data))})
	if err != nil || n != int64(len(data)) || !bytes.Equal(f.get("partial"), data) {
		t.Fatal(n, err)
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

// TestPeekOfWhatExists: what exists is left as it is, also by a server that opens it
// against the client's word.
func TestPeekOfWhatExists(t *testing.T) {
	for _, ignores := range []bool{false, true} {
		t.Run(fmt.Sprint("ignores=", ignores), func(t *testing.T) {
			f := newFake(t, func(f *fake) { f.ignoresExcl = ignores })
			f.put("partial", []byte("half of"))
			c := f.dial(nil)
			looked := c.Peek(t.Context(), true, "partial")
			if len(looked) != 1 || looked[0].Err != nil || looked[0].Entry.Size != 7 {
				t.Fatalf("%+v", looked)
			}
			c.Forget(t.Context(), "partial")
			if got := f.get("partial"); string(got) != "half of" {
				t.Fatalf("%q", got)
			}
			if _, err := c.Store(t.Context(), "partial", 0, bytes.NewReader([]byte("new")), nil); err != nil {
				t.Fatal(err)
			}
			if got := f.get("partial"); string(got) != "new" {
				t.Errorf("%q: what was there has to go", got)
			}
			closes := map[bool]int{true: 2, false: 1}
			f.await("CLOSE", closes[ignores])
			if opens := f.packets("OPEN"); opens != 2 {
				t.Errorf("%d opens", opens)
			}
		})
	}
}

// TestForget: a file that was made for a Store that does not come is removed.
func TestForget(t *testing.T) {
	f := newFake(t, nil)
	c := f.dial(nil)
	wantKind(t, c.Peek(t.Context(), true, "partial")[0].Err, transport.KindNotExist)
	if f.get("partial") != nil || !slices.Contains(f.names(), "partial") {
		t.Fatalf("%q", f.names())
	}
	for range 2 {
		c.Forget(t.Context(), "partial")
	}
	if slices.Contains(f.names(), "partial") {
		t.Errorf("%q", f.names())
	}
	f.await("CLOSE", 1)
	if removes := f.packets("REMOVE"); removes != 1 {
		t.Errorf("%d removes", removes)
	}
	// Without a Store in view nothing is made.
	wantKind(t, c.Peek(t.Context(), false, "partial")[0].Err, transport.KindNotExist)
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

// TestPeekOnALostConnection says of every name that it is not known, also where some had
// been answered; what was to be made is not taken for made.
func TestPeekOnALostConnection(t *testing.T) {
	for answered := range 3 { // of the two looks, before the connection is lost
		t.Run(fmt.Sprint(answered, " answered"), func(t *testing.T) {
			f := newFake(t, func(f *fake) {
				looks := 0
				f.onPacket = func(s *fakeSession, typ byte, _ uint32, _ *reader) bool {
					if typ == fxpOpen {
						_ = s.conn.Close()
						return true
					}
					if typ == fxpStat {
						looks++
					}
					return typ == fxpStat && looks > answered
				}
			})
			f.put("dest", []byte("hello"))
			c := f.dial(nil)
			looked := c.Peek(soon(t), true, "dest", "partial")
			if len(looked) != 2 {
				t.Fatalf("%d names were looked at, of 2: %+v", len(looked), looked)
			}
			for _, l := range looked {
				wantKind(t, l.Err, transport.KindLost)
			}
			if f.packets("OPEN") != 1 {
				t.Error("the connection was lost before all was asked, so that nothing is shown")
			}
			if c.Usable() {
				t.Error("still usable")
			}
			c.Forget(soon(t), "partial")
			if n := f.packets("FSTAT") + f.packets("REMOVE"); n != 0 {
				t.Errorf("%d requests to forget what was not made", n)
			}
			_, err := c.Store(soon(t), "partial", 0, bytes.NewReader([]byte("x")), nil)
			wantKind(t, err, transport.KindLost)
		})
	}
}

// TestRetrieveLook: the look and the opening take one round trip.
func TestRetrieveLook(t *testing.T) {
	f := newFake(t, func(f *fake) { answersAt(f, fxpStat, 2) })
	data := randomBytes(3 << 20)
	f.put("f", data)
	c := f.dial(nil)
	var out bytes.Buffer
	var saw []transport.Entry
	var moved int64
	n, err := c.RetrieveLook(soon(t), "f", &out, &transport.IO{Progress: func(n int64) { moved += n }}, false, func(e transport.Entry) error {
		saw = append(saw, e)
		return nil
	})
	if err != nil || n != int64(len(data)) || moved != n || !bytes.Equal(out.Bytes(), data) {
		t.Fatal(n, moved, err)
	}
	if len(saw) != 1 || saw[0].Size != n || saw[0].Name != "f" || saw[0].Type != transport.TypeFile {
		t.Errorf("%+v", saw)
	}
	f.await("CLOSE", 1)
	if opens := f.packets("OPEN"); opens != 1 {
		t.Errorf("%d opens", opens)
	}
}

// TestRetrieveLookRefused by the server, and by the caller, whose error comes back as
// it is, also if it looks like one of the server's. Nothing stays open.
func TestRetrieveLookRefused(t *testing.T) {
	f := newFake(t, nil)
	f.put("f", []byte("content"))
	c := f.dial(nil)
	_, err := c.RetrieveLook(t.Context(), "missing", io.Discard, nil, false, func(transport.Entry) error {
		t.Error("seen")
		return nil
	})
	wantKind(t, err, transport.KindNotExist)
	mine := fmt.Errorf("mine: %w", io.EOF)
	for _, own := range []error{mine, transport.ErrNoLook} {
		if _, err := c.RetrieveLook(t.Context(), "f", io.Discard, nil, false, func(transport.Entry) error { return own }); err != own {
			t.Errorf("%v", err)
		}
	}
	if err := c.Ping(t.Context()); err != nil || !c.Usable() {
		t.Error(err)
	}
	f.await("CLOSE", 2)
	if opens := f.packets("OPEN"); opens != 3 {
		t.Errorf("%d opens", opens)
	}
}

// TestForgetLeavesWhatOthersWrite, and works for a caller that has given up.
func TestForgetLeavesWhatOthersWrite(t *testing.T) {
	f := newFake(t, nil)
	c := f.dial(nil)
	ctx, cancel := context.WithCancel(t.Context())
	for _, name := range []string{"mine", "others"} {
		wantKind(t, c.Peek(ctx, true, name)[0].Err, transport.KindNotExist)
	}
	f.put("others", []byte("begun by another process"))
	cancel()
	c.Forget(ctx, "mine")
	c.Forget(ctx, "others")
	if names := f.names(); !slices.Equal(names, []string{"others"}) {
		t.Errorf("%q", names)
	}
	f.await("CLOSE", 2)
	if !c.Usable() {
		t.Error("the connection is no longer usable")
	}
}
