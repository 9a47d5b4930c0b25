package sftpdriver

import (
	"bytes"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// answers has a fake answer the given types of request with a status, or with attributes
// that hold nothing where it is 0.
func answers(f *fake, with map[byte]uint32) {
	f.onPacket = func(s *fakeSession, typ byte, id uint32, body *reader) bool {
		code, ok := with[typ]
		switch {
		case !ok && typ == fxpLstat:
			s.handle(fxpStat, id, &reader{b: body.b})
			return true
		case !ok:
			return false
		case code != 0:
			s.status(id, code, "")
		default:
			s.reply(fxpAttrs, id, make([]byte, 4))
		}
		return true
	}
}

// TestStatBySTATOrLSTAT: what one question is not answered the other is.
func TestStatBySTATOrLSTAT(t *testing.T) {
	for name, c := range map[string]struct {
		with   map[byte]uint32
		follow transport.Kind // of a Stat of what is there; KindUnknown for none
		itself transport.Kind
	}{
		"STAT unsupported":  {map[byte]uint32{fxpStat: fxOpUnsupported}, 0, 0},
		"STAT denied":       {map[byte]uint32{fxpStat: fxPermissionDenied}, 0, 0},
		"STAT fails":        {map[byte]uint32{fxpStat: fxFailure}, 0, 0},
		"STAT bare":         {map[byte]uint32{fxpStat: 0}, 0, 0},
		"LSTAT unsupported": {map[byte]uint32{fxpLstat: fxOpUnsupported}, 0, 0},
		"LSTAT bare":        {map[byte]uint32{fxpLstat: 0}, 0, 0},
		"LSTAT denied":      {map[byte]uint32{fxpLstat: fxPermissionDenied}, 0, transport.KindPermission},
		"both denied":       {map[byte]uint32{fxpStat: fxPermissionDenied, fxpLstat: fxPermissionDenied}, transport.KindPermission, transport.KindPermission},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, func(f *fake) { answers(f, c.with) })
			f.put("f", []byte("content"))
			conn := f.dial(nil)
			for range 2 {
				for noFollow, want := range map[bool]transport.Kind{false: c.follow, true: c.itself} {
					r := &transport.Stat{Path: "f", NoFollow: noFollow}
					if err := conn.Do(t.Context(), transport.NewBatch(r)); err != nil {
						t.Fatal(err)
					}
					if want != 0 {
						wantKind(t, r.Err, want)
					} else if r.Err != nil || r.Entry.Size != 7 || r.Entry.Type != transport.TypeFile {
						t.Errorf("NoFollow=%v: %+v", noFollow, r)
					}
				}
			}
		})
	}
}

// TestFurtherQuestionsComeInTime: what is asked further about a name is not asked when
// something behind it in the batch has changed it.
func TestFurtherQuestionsComeInTime(t *testing.T) {
	f := newFake(t, func(f *fake) { answers(f, map[byte]uint32{fxpStat: 0}) })
	c := f.dial(nil)
	for i := range 3 {
		f.put("f", []byte("content"))
		look, remove := &transport.Stat{Path: "f"}, &transport.Remove{Path: "f"}
		if err := c.Do(t.Context(), transport.NewBatch(look, remove)); err != nil || look.Err != nil || remove.Err != nil {
			t.Fatal(err, look.Err, remove.Err)
		}
		// The first time it is found out, which is too late.
		if told := look.Entry.Size == 7; told != (i > 0) || !told && look.Entry.Type != transport.TypeUnknown {
			t.Errorf("%d: %+v", i, look.Entry)
		}
	}
}

// TestMissingIsRefused: on servers that say no, or nothing, of a name that is not there, a
// file that could be made as a new one was not there. What is there stays as it is.
func TestMissingIsRefused(t *testing.T) {
	for _, code := range []uint32{fxPermissionDenied, fxFailure, fxOpUnsupported} {
		for there, want := range map[string]transport.Kind{"": transport.KindNotExist, "half of": transport.KindUnknown} {
			for _, ignoresExcl := range []bool{false, true} {
				t.Run(statusName(code)+" "+there, func(t *testing.T) {
					f := newFake(t, func(f *fake) {
						f.ignoresExcl = ignoresExcl
						answers(f, map[byte]uint32{fxpStat: code, fxpLstat: code})
					})
					if there != "" {
						f.put("partial", []byte(there))
					}
					c := f.dial(nil)
					look, put := &transport.Stat{Path: "partial"}, &transport.Store{Path: "partial", Src: bytes.NewReader([]byte("new"))}
					put.If = func() bool { return transport.KindOf(look.Err) == transport.KindNotExist }
					if err := c.Do(t.Context(), transport.NewBatch(look, put)); err != nil {
						t.Fatal(err)
					}
					if got := string(f.get("partial")); there != "" && (got != there || put.Err != transport.ErrSkipped || look.Err == nil) ||
						there == "" && (got != "new" || put.Err != nil) {
						t.Errorf("%q, %v, %v", got, look.Err, put.Err)
					}
					if want == transport.KindNotExist {
						wantKind(t, look.Err, want)
					}
				})
			}
		}
	}
}

// TestGuessOnAnUntypedServer: what a name is has to be asked for, and a file is made in the
// write of the look all the same: where missing names are denied nothing else tells.
func TestGuessOnAnUntypedServer(t *testing.T) {
	f := newFake(t, func(f *fake) {
		untyped(f, true, func(name string) bool { return name == "dir" })
		next := f.onPacket
		f.onPacket = func(s *fakeSession, typ byte, id uint32, r *reader) bool {
			if name := (&reader{b: r.b}).string(); typ == fxpStat || typ == fxpLstat {
				f.mu.Lock()
				_, there := f.files[name]
				f.mu.Unlock()
				if !there {
					s.status(id, fxPermissionDenied, "")
					return true
				}
			}
			return next(s, typ, id, r)
		}
	})
	c := f.dial(nil)
	for _, name := range []string{"a", "b", "c"} {
		dir, file := &transport.Stat{Path: "dir"}, &transport.Stat{Path: "file"}
		look, put := &transport.Stat{Path: name}, &transport.Store{Path: name, Src: bytes.NewReader([]byte("new"))}
		put.If = func() bool {
			if dir.Entry.Type != transport.TypeDir || file.Entry.Type != transport.TypeFile {
				t.Errorf("%+v %+v", dir.Entry, file.Entry)
			}
			return transport.KindOf(look.Err) == transport.KindNotExist
		}
		after := &transport.Stat{Path: name}
		if err := c.Do(t.Context(), transport.NewBatch(dir, file, look, put, after)); err != nil || put.Err != nil || after.Entry.Type != transport.TypeFile {
			t.Fatalf("%s: %v, %v, %v, %+v", name, err, look.Err, put.Err, after)
		}
	}
	// And what is there already is told, and left.
	look, put := &transport.Stat{Path: "a"}, &transport.Store{Path: "a", Src: bytes.NewReader([]byte("other"))}
	put.If = func() bool { return false }
	if err := c.Do(t.Context(), transport.NewBatch(look, put)); err != nil || look.Err != nil || look.Entry.Type != transport.TypeFile || look.Entry.Size != 3 {
		t.Errorf("%v, %+v", err, look)
	}
	if got := string(f.get("a")); got != "new" {
		t.Errorf("%q", got)
	}
}

// TestMissingIsDeniedAndNoFstat: what was made on a guess is not told as having been there.
func TestMissingIsDeniedAndNoFstat(t *testing.T) {
	f := newFake(t, func(f *fake) {
		f.onPacket = func(s *fakeSession, typ byte, id uint32, r *reader) bool {
			switch name := r.string(); typ {
			case fxpFstat:
				s.status(id, fxOpUnsupported, "")
			case fxpStat, fxpLstat:
				f.mu.Lock()
				data, there := f.files[name]
				f.mu.Unlock()
				if there {
					s.reply(fxpAttrs, id, fileAttrs(len(data)))
				} else {
					s.status(id, fxPermissionDenied, "")
				}
			default:
				return false
			}
			return true
		}
	})
	look, put := &transport.Stat{Path: "f"}, &transport.Store{Path: "f", Src: bytes.NewReader([]byte("new"))}
	put.If = func() bool {
		wantKind(t, look.Err, transport.KindNotExist)
		return true
	}
	if err := f.dial(nil).Do(t.Context(), transport.NewBatch(look, put)); err != nil || put.Err != nil || string(f.get("f")) != "new" {
		t.Errorf("%v, %v, %q", err, put.Err, f.get("f"))
	}
}
