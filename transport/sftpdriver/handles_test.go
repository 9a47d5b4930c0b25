package sftpdriver

import (
	"errors"
	"io"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestHandleReused: a server that answers a request to open with a handle that is still
// open costs the connection, both operations hear why, and later connections open one file
// at a time.
func TestHandleReused(t *testing.T) {
	for name, second := range map[string]func(transport.Calls) error{
		"Store": func(c transport.Calls) error {
			_, err := c.Store(t.Context(), "other", 0, neverRead{t}, nil)
			return err
		},
		"Retrieve": func(c transport.Calls) error {
			_, err := c.Retrieve(t.Context(), "there", 0, io.Discard, nil)
			return err
		},
		"Stat and Retrieve": func(c transport.Calls) error {
			get := &transport.Retrieve{Path: "there", Dst: io.Discard}
			get.If = func() bool { return true }
			return c.Do(t.Context(), transport.NewBatch(&transport.Stat{Path: "there"}, get))
		},
		"List": func(c transport.Calls) error {
			return c.List(t.Context(), ".", func(transport.Entry) bool { return true })
		},
		"Stat and Store": func(c transport.Calls) error {
			put := &transport.Store{Path: "other", Src: neverRead{t}}
			put.If = func() bool { return true }
			return c.Do(t.Context(), transport.NewBatch(&transport.Stat{Path: "other"}, put))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, func(f *fake) {
				f.onPacket = func(s *fakeSession, typ byte, id uint32, _ *reader) bool {
					if typ == fxpOpen || typ == fxpOpendir {
						s.reply(fxpHandle, id, putString(nil, "0"))
						return true
					}
					return false
				}
			})
			f.put("there", []byte("it holds something"))
			learned := &transport.Learned{}
			ep := f.endpoint()
			ep.Learned = learned
			c, err := Dial(t.Context(), ep)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if overlaps := c.Info().Caps.Overlap; overlaps < 2 {
				t.Fatal("nothing may overlap on a server that has done nothing yet")
			}
			src := &paused{begun: make(chan struct{}), goOn: make(chan struct{})}
			first := make(chan error, 1)
			go func() {
				_, err := transport.Calls{Conn: c}.Store(t.Context(), "partial", 0, src, nil)
				first <- err
			}()
			<-src.begun // its file is open
			err = second(transport.Calls{Conn: c})
			close(src.goOn)
			for _, err := range []error{err, <-first} {
				if wantKind(t, err, transport.KindLost); !errors.Is(err, transport.ErrHandleReused) {
					t.Error(err)
				}
			}
			if c.Usable() {
				t.Error("the connection is still in use")
			}
			if f.packets("WRITE") != 0 {
				t.Error("something was written by a handle of two files")
			}

			again, err := Dial(t.Context(), ep)
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			if again.Info().Caps.Overlap > 1 {
				t.Error("operations may still overlap")
			}
			opened := f.packets("OPEN")
			put := &transport.Store{Path: "new", Src: neverRead{t}}
			put.If = func() bool { return false }
			if err := again.Do(t.Context(), transport.NewBatch(&transport.Stat{Path: "new"}, put)); err != nil {
				t.Error(err)
			}
			if f.packets("OPEN") != opened {
				t.Error("a file is still opened ahead")
			}
		})
	}
}

// TestHandleAgainAfterClose: a handle that has been closed may be given to the next file.
func TestHandleAgainAfterClose(t *testing.T) {
	f := newFake(t, nil) // it takes the name for a handle
	f.put("f", []byte("something"))
	c := f.dial(nil)
	for range 3 {
		if _, err := c.Retrieve(t.Context(), "f", 0, io.Discard, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// paused is a source that says when it is read and waits.
type paused struct{ begun, goOn chan struct{} }

func (p *paused) Read([]byte) (int, error) {
	close(p.begun)
	<-p.goOn
	return 1, io.EOF
}

// neverRead must not be read.
type neverRead struct{ t *testing.T }

func (n neverRead) Read([]byte) (int, error) {
	n.t.Error("the source was read for a file whose handle is that of another")
	return 0, io.EOF
}

// TestOneOpenFile: a server that opens nothing while something is open gets one file a
// session; one that refuses some and opens others does not.
func TestOneOpenFile(t *testing.T) {
	for name, opens := range map[string]func(n int) bool{
		"never another": func(int) bool { return false },
		"some":          func(n int) bool { return n == 1 },
	} {
		t.Run(name, func(t *testing.T) {
			open, refused := 0, 0
			f := newFake(t, func(f *fake) {
				f.onPacket = func(s *fakeSession, typ byte, id uint32, _ *reader) bool {
					switch {
					case typ == fxpClose:
						open--
					case typ == fxpOpen && open > 0 && !opens(refused):
						refused++
						s.status(id, fxFailure, "")
						return true
					case typ == fxpOpen:
						open++
					}
					return false
				}
			})
			f.put("there", []byte("content"))
			learned := &transport.Learned{}
			c := f.dial(func(ep *transport.Endpoint) { ep.Learned = learned })
			src := &paused{begun: make(chan struct{}), goOn: make(chan struct{})}
			first := make(chan error, 1)
			go func() {
				_, err := c.Store(t.Context(), "partial", 0, src, nil)
				first <- err
			}()
			<-src.begun
			for i := range 4 {
				if overlaps := c.Info().Caps.Overlap > 1; !overlaps && (i < 3 || name == "some") {
					t.Error("given up for nothing")
				}
				_, _ = c.Retrieve(t.Context(), "there", 0, io.Discard, nil)
			}
			if alone := c.Info().Caps.Overlap == 0; alone != (name == "never another") {
				t.Errorf("alone: %v", alone)
			}
			close(src.goOn)
			if err := <-first; err != nil {
				t.Error(err)
			}
			if _, err := c.Retrieve(t.Context(), "there", 0, io.Discard, nil); err != nil {
				t.Error(err)
			}
		})
	}
}
